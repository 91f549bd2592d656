"""Does the level of a channel carry information, or only its shape? A test without labels, and its reason in words.

If the level of a channel drifts, a detector that compares levels scores every later window as anomalous; a detector
that compares only shapes misses a fault that changes only the level. Only the analyst knows which is wanted. Without a
choice, the level is ignored only if it left the range of the training rows for most of the recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ad_core.data.item_set import ItemSet

AWAY = 0.6
"""Minimum share of windows outside the range for a drifted level: an anomaly would not last so long."""

MARGIN = 0.5
"""A window lies outside the range if its mean exceeds it by more than this share of half the range's width."""


@dataclass(frozen=True)
class LevelFinding:
    """How the level of one channel in the other windows compares with the training rows."""

    channel: str
    away: float
    """Share of the other windows whose mean lies clearly outside the range of the training windows."""

    @property
    def drifted(self) -> bool:
        """Whether the level has left its range permanently."""
        return self.away > AWAY

    @property
    def reason(self) -> str:
        """One sentence for the analyst."""
        return (
            f"The level of {self.channel!r} lies outside the range of the training rows in {self.away:.0%} of the "
            f"other windows."
        )


def level_findings(names: Sequence[str], training: np.ndarray, others: np.ndarray) -> list[LevelFinding]:
    """One finding per channel; none where there is nothing to compare.

    Args:
        training: (n, channel) means of windows, or of segments of similar length, of the training rows.
        others: (m, channel) of the other rows.
    """
    if not len(training) or not len(others):
        return []
    low, high = np.quantile(training, [0.01, 0.99], axis=0)
    beyond = np.maximum(low - others, others - high) / ((high - low) / 2 + 1e-6)
    away = (beyond > MARGIN).mean(axis=0)
    return [LevelFinding(name, float(share)) for name, share in zip(names, away, strict=True)]


def of_windows(item_set: ItemSet, training: np.ndarray) -> list[LevelFinding]:
    """The findings for an item set of windows; the training windows are those at these positions."""
    rest = np.setdiff1d(np.arange(len(item_set)), training)
    return level_findings(item_set.shape.parts.names, _means(item_set, training), _means(item_set, rest))


def _means(item_set: ItemSet, index: np.ndarray) -> np.ndarray:
    """(len(index), channel) mean of each window."""
    means = [b.x.mean(2).numpy() for b in item_set.batches(index, item_set.items_at_a_time)]
    return np.concatenate(means) if means else np.zeros((0, item_set.shape.size[0]))
