"""Candidate changes of a window: segments of single channels, to those of the nearest normal windows."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ad_core.explain.counterfactual.search import Move
from ad_core.types import Parts

EIGHTHS = ((1, 1), (2, 1), (4, 2), (8, 8))
"""Lengths of segments, and distances between their beginnings, in eighths of the window."""

MOST_CHANNELS = 8
"""Maximum number of channels that are tried: those whose replacement as a whole lowers the score most."""

BLENDED = 8
"""Old and new values are blended over 1 / BLENDED of a segment at its ends, as a jump would be anomalous too."""


def window_moves(x: Tensor, donors: Tensor, donor_ids: Sequence[str], parts: Parts, fixed: Sequence[str]) -> list[Move]:
    """Every segment of every channel, with the values of each donor.

    Args:
        x: (entry, time).
        donors: (k, entry, time).
        parts: the channels, and the entries of each.
        fixed: channels that must stay.
    """
    time, found = x.shape[-1], []
    for c, name in enumerate(parts.names):
        if name in fixed:
            continue
        at = parts.entries(c)
        for donor, donor_id in zip(donors, donor_ids, strict=True):
            for low, high in _segments(time):
                values = _blended(x[at], donor[at], low, high)
                if not torch.equal(values, x[at, low:high]):
                    to = {"low": low, "high": high, "as_in": donor_id}
                    found.append(Move(name, (at, slice(low, high)), values, (high - low) / time, to))
    return found


def best_channels(
    x: Tensor, donors: Tensor, score: Callable[[Tensor], np.ndarray], fixed: Sequence[str], parts: Parts
) -> list[int]:
    """Positions of the channels whose replacement as a whole lowers the score most."""
    free = [c for c, name in enumerate(parts.names) if name not in fixed]
    if len(free) <= MOST_CHANNELS:
        return free
    lowest = []
    for c in free:
        changed = x[None].repeat(len(donors), 1, 1)
        at = parts.entries(c)
        changed[:, at] = donors[:, at]
        lowest.append(score(changed).min())
    return sorted(free[i] for i in np.argsort(lowest, kind="stable")[:MOST_CHANNELS])


def _segments(time: int) -> list[tuple[int, int]]:
    pieces = min(8, time)
    edges = [round(i * time / pieces) for i in range(pieces + 1)]
    return [
        (edges[i], edges[i + length])
        for length, apart in EIGHTHS
        if length <= pieces
        for i in range(0, pieces - length + 1, apart)
    ]


def _blended(old: Tensor, new: Tensor, low: int, high: int) -> Tensor:
    ramp = (high - low) // BLENDED
    weight = torch.ones(high - low)
    rise = torch.arange(1, ramp + 1) / (ramp + 1)
    if low > 0 and ramp:
        weight[:ramp] = rise
    if high < old.shape[-1] and ramp:
        weight[-ramp:] = torch.minimum(weight[-ramp:], rise.flip(0))
    return old[:, low:high] * (1 - weight) + new[:, low:high] * weight
