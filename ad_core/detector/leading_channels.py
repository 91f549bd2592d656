"""Which channels led an event: whose score rose first above its reference level, and how long before the peak.

A model with part scores gives each channel a score over time: the mean of its part scores over the windows that cover a
time stamp. The reference level of a channel is the 99 % quantile of that score on calibration windows. In an event, a
channel leads from where its score rose above the level for the last time before the peak, short dips aside. One time
stamp in a hundred exceeds the level by chance, so an excess must reach into the event, and rise there further than any
channel rises in 95 % of the normal stretches of that length.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from ad_core.data.item_set import ItemSet
from ad_core.data.overlap import covering_sums
from ad_core.data.recordings.timeline import in_words
from ad_core.detector.usual_parts import CHANCE, UsualParts
from ad_core.methods.scorer import ScoreModel

WINDOWS, RUN = 256, 32
"""Maximum number of calibration windows for the levels, and number of neighbouring ones taken together."""

LOOK_BACK, WINDOWS_OF_EVENT = 8, 128
"""Number of window lengths before the peak of an event that are searched, and maximum number of windows for it."""

DIP = 8
"""A dip below the level of at most a window's length divided by this does not end what led up to the peak."""

NAMED = 3

NO_LEAD = "none beyond chance"
"""Stands in place of the channels where none passes the test."""


@dataclass(frozen=True)
class Lead:
    """A channel that rose above its level before the peak of an event."""

    channel: str
    samples: int
    """How long before the peak [samples]."""
    row: int
    """The row where it rose, a position in `ItemSet.rows`."""
    size: float
    """Highest value in the event up to the peak, in robust standard deviations above the median of normal windows; NaN
    in bundles of older versions.
    """
    p: float
    """Probability that some channel rises as far by chance, see `UsualParts.chance`; NaN as above."""


def usual_parts(model: ScoreModel, item_set: ItemSet, index: np.ndarray, device: torch.device) -> UsualParts | None:
    """What each channel's part score usually is among the time stamps of normal windows.

    Args:
        index: positions of calibration windows.

    Returns:
        None where the model does not say where its surprise sits, or there is no window.
    """
    if len(index) > WINDOWS:
        begin = np.linspace(0, len(index) - RUN, WINDOWS // RUN).astype(np.int64)
        index = np.unique(np.asarray(index)[(begin[:, None] + np.arange(RUN)).ravel()])
    found = _channel_scores(model, item_set, index, device)
    if found is None:
        return None
    first, signals = found
    return UsualParts.of(signals, item_set.items["start"].to_numpy()[index] - first, item_set.span)


def leads(
    model: ScoreModel, item_set: ItemSet, usual: UsualParts, event: tuple[int, int], device: torch.device
) -> list[Lead]:
    """The channels that led an event, the earliest first; those that may have risen by chance are left out.

    Args:
        event: samples of its start and its peak.
    """
    start, peak = event
    low = max(start - item_set.span, peak - LOOK_BACK * item_set.span, 0)
    index = _windows(item_set, low, peak)
    found = _channel_scores(model, item_set, index, device) if len(index) else None
    if found is None:
        return []
    first, signals = found
    signals = signals[max(0, low - first) : peak + 1 - first]
    first, rows = max(first, low), item_set.row_of_sample()
    led, windows, deviations = [], (peak - start + 1) / item_set.span, usual.deviations(signals)
    for c, name in enumerate(item_set.shape.parts.names):
        begin = _rise(signals[:, c] > usual.levels[c], start - first, max(1, item_set.span // DIP))
        if begin is not None:
            in_event = deviations[max(begin, start - first) :, c]
            size = float(np.nanmax(in_event)) if np.isfinite(in_event).any() else float("nan")
            p = usual.chance(size, windows)
            if not p > CHANCE:
                led.append(Lead(name, peak - first - begin, int(rows[first + begin]), size, p))
    return sorted(led, key=lambda lead: (-lead.samples, -lead.size))


def in_words_of(led: list[Lead], item_set: ItemSet, peak_row: int, *, is_clock: bool) -> str:
    """`pressure, 40 s before the peak (9.1 SD); flow, 12 s (5.2 SD)`: the first three, with their sizes in robust
    standard deviations.
    """
    if not led:
        return NO_LEAD
    texts: list[str] = []
    for lead in led[:NAMED]:
        before = item_set.rows["time"].iloc[peak_row] - item_set.rows["time"].iloc[lead.row]
        seconds = before.total_seconds() if isinstance(before, pd.Timedelta) else float(before)
        long = in_words(seconds) if is_clock else f"{lead.samples} samples"
        size = "" if np.isnan(lead.size) else f" ({lead.size:,.{1 if lead.size < 10 else 0}f} SD)"
        when = "at the peak" if lead.samples == 0 else f"{long}{' before the peak' if not texts else ''}"
        texts.append(f"{lead.channel}, {when}{size}")
    return "; ".join(texts)


def _windows(item_set: ItemSet, low: int, high: int) -> np.ndarray:
    """Positions of windows of one recording that cover some of these samples, evenly thinned."""
    start = item_set.items["start"].to_numpy()
    index = np.flatnonzero((start + item_set.span > low) & (start <= high))
    if "entity" in item_set.items and len(index):
        entity = item_set.items["entity"].to_numpy()
        covering = index[start[index] + item_set.span > high]
        index = index[entity[index] == entity[covering[0] if len(covering) else index[-1]]]
    if len(index) > WINDOWS_OF_EVENT:
        index = index[np.linspace(0, len(index) - 1, WINDOWS_OF_EVENT).astype(np.int64)]
    return index


def _channel_scores(
    model: ScoreModel, item_set: ItemSet, index: np.ndarray, device: torch.device
) -> tuple[int, np.ndarray] | None:
    """First sample, and (samples, channel) mean part score over these windows, NaN where none of them covers."""
    if not len(index):
        return None
    start = item_set.items["start"].to_numpy()[index]
    first, samples = int(start.min()), int(start.max() - start.min()) + item_set.span
    parts = []
    with torch.no_grad():
        for batch in item_set.batches(index, min(64, item_set.items_at_a_time)):
            own = model.part_scores(batch.x.to(device))
            if own is None:
                return None
            parts.append(own.double().cpu().numpy())
    scores = np.concatenate(parts)  # (n, channel) or (n, channel, time)
    signals = np.empty((samples, scores.shape[1]))
    for c in range(scores.shape[1]):
        total, count = covering_sums(start - first, scores[:, c], item_set.span, samples)
        signals[:, c] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return first, signals


def _rise(above: np.ndarray, start: int, dip: int) -> int | None:
    """Where the last time above began, with dips of at most `dip` samples; None where it ended before the event."""
    at = np.flatnonzero(above)
    if not len(at) or at[-1] < start:
        return None
    breaks = np.flatnonzero(np.diff(at) > dip + 1)
    return int(at[breaks[-1] + 1] if len(breaks) else at[0])
