"""Does the level of a channel carry information, or only its shape? A test without labels, and its reason in words.

A channel whose level wanders makes every later window look odd to a detector that compares levels; a detector that only
compares shapes misses a fault that is nothing but another level. No detector can tell which is wanted: the analyst can,
and where nothing is said the level is doubted only when it has left the range learnt from for most of the recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ad_core.data.item_set import ItemSet

AWAY = 0.6
"""Share of the windows outside the range from which on a level has drifted: an anomaly would not last so long."""

MARGIN = 0.5
"""A window lies outside the range when its mean does by more than this share of half the range's width."""


@dataclass(frozen=True)
class LevelFinding:
    """What the windows after the training rows say of one channel's level."""

    channel: str
    away: float
    """Share of the windows that do not teach whose mean lies clearly outside the range of those that do."""

    @property
    def drifted(self) -> bool:
        """Whether the level has left its range for good."""
        return self.away > AWAY

    @property
    def reason(self) -> str:
        """One sentence for the analyst."""
        return (
            f"The level of {self.channel!r} lies outside the range of the training rows in {self.away:.0%} of the "
            f"other windows."
        )


def level_findings(names: Sequence[str], usual: np.ndarray, others: np.ndarray) -> list[LevelFinding]:
    """One finding per channel; none where there is nothing to compare.

    Args:
        usual: (n, channel) means of windows or of stretches as long, of the training rows.
        others: (m, channel) of the other rows.
    """
    if not len(usual) or not len(others):
        return []
    low, high = np.quantile(usual, [0.01, 0.99], axis=0)
    beyond = np.maximum(low - others, others - high) / ((high - low) / 2 + 1e-6)
    away = (beyond > MARGIN).mean(axis=0)
    return [LevelFinding(name, float(share)) for name, share in zip(names, away, strict=True)]


def of_windows(item_set: ItemSet, teaching: np.ndarray) -> list[LevelFinding]:
    """The findings of a frame of windows, of which those at these positions teach."""
    rest = np.setdiff1d(np.arange(len(item_set)), teaching)
    return level_findings(item_set.shape.parts.names, _means(item_set, teaching), _means(item_set, rest))


def _means(item_set: ItemSet, index: np.ndarray) -> np.ndarray:
    """(len(index), channel) mean of each window."""
    found = [b.x.mean(2).numpy() for b in item_set.batches(index, item_set.items_at_a_time)]
    return np.concatenate(found) if found else np.zeros((0, item_set.shape.size[0]))
