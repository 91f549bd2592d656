"""What may be changed in a recording: stretches of single channels, to those of the nearest normal windows."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ad_core.counterfactual_search import Move
from ad_core.detector import Detector
from ad_core.scorer import finest_scores
from ad_core.types import Frame

EIGHTHS = ((1, 1), (2, 1), (4, 2), (8, 8))
"""Lengths of stretches in eighths of the window, and how far apart those of one length begin."""

MOST_CHANNELS = 8
"""Of more channels, those whose whole replacement lowers the score most are looked at."""

BLENDED = 8
"""Over this share of a stretch, at ends within the window, the one goes over into the other: a jump is unusual too."""


class RowScore:
    """The score of one row when the item that stands for it is changed.

    In recordings all windows that cover the time stamp see the change, as they would if it stood in the data.
    """

    def __init__(self, detector: Detector, frame: Frame, item: int, row: int) -> None:
        self._model, self._device, self._span = detector.model, detector.device, frame.span
        start, self._at = frame.items["start"].to_numpy(), int(frame.rows["sample"].iloc[row])
        covering = np.flatnonzero((start <= self._at) & (self._at < start + frame.span))
        self._windows = frame.take(covering)  # (w, channel, time)
        self._starts, self._own = start[covering], int(start[item])

    @property
    def windows(self) -> int:
        """How many windows each change is seen by."""
        return len(self._starts)

    def __call__(self, x: Tensor) -> np.ndarray:
        """(c, *item) -> (c,) float64."""
        if self._span == 1:
            with torch.no_grad():
                return np.asarray(self._model.score(x.to(self._device)).double().cpu())
        windows = self._windows[None].repeat(len(x), 1, 1, 1)
        for w, start in enumerate(self._starts):
            low, high = max(start, self._own), min(start, self._own) + self._span
            windows[:, w, :, low - start : high - start] = x[:, :, low - self._own : high - self._own]
        with torch.no_grad():
            found = finest_scores(self._model, windows.flatten(0, 1).to(self._device)).double().cpu()
        found = found.unflatten(0, (len(x), self.windows))
        if found.ndim == 3:  # the model tells the samples apart
            offset = torch.from_numpy(self._at - self._starts)
            found = found[:, torch.arange(self.windows), offset]
        return np.asarray(found.mean(1))


def window_moves(
    x: Tensor, donors: Tensor, donor_ids: Sequence[str], channels: Sequence[str], fixed: Sequence[str]
) -> list[Move]:
    """Every stretch of every channel, as it is in each of the donors.

    Args:
        x: (channel, time).
        donors: (k, channel, time).
        channels: their names.
        fixed: channels that must stay.
    """
    time, found = x.shape[-1], []
    for c, name in enumerate(channels):
        if name in fixed:
            continue
        for donor, donor_id in zip(donors, donor_ids, strict=True):
            for low, high in _stretches(time):
                values = _blended(x[c], donor[c], low, high)
                if not torch.equal(values, x[c, low:high]):
                    to = {"low": low, "high": high, "as_in": donor_id}
                    found.append(Move(name, (c, slice(low, high)), values, (high - low) / time, to))
    return found


def best_channels(
    x: Tensor, donors: Tensor, score: RowScore, fixed: Sequence[str], channels: Sequence[str]
) -> list[int]:
    """Positions of the channels whose replacement as a whole lowers the score most."""
    free = [c for c, name in enumerate(channels) if name not in fixed]
    if len(free) <= MOST_CHANNELS:
        return free
    lowest = []
    for c in free:
        changed = x[None].repeat(len(donors), 1, 1)
        changed[:, c] = donors[:, c]
        lowest.append(score(changed).min())
    return sorted(free[i] for i in np.argsort(lowest, kind="stable")[:MOST_CHANNELS])


def _stretches(time: int) -> list[tuple[int, int]]:
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
    if high < len(old) and ramp:
        weight[-ramp:] = torch.minimum(weight[-ramp:], rise.flip(0))
    return old[low:high] * (1 - weight) + new[low:high] * weight
