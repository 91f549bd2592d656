"""From samples to windows: filling holes, and where windows start. Windows are views and are never copied out."""

import numpy as np

from ad_core.recordings.timeline import Timeline

SHORT_HOLE = 8
"""A hole of at most a window's length divided by this is bridged by a straight line."""

TRIED = (128, 64, 32, 16, 8)
"""Lengths that are tried when the analyst chose none: longer windows found more on labelled recordings, mainly because
labelled faults last long and each time stamp is judged by all windows that cover it."""

ENOUGH = 20
"""So many windows must fit into the reference rows for a length to be taken."""


def fill(values: np.ndarray, line: Timeline, short: int) -> tuple[np.ndarray, np.ndarray]:
    """One channel without holes.

    Short holes are bridged in a straight line over time. Longer ones keep the last value known before them in the
    segment (the next one at its begin); a segment without any value is left NaN.

    Args:
        values: (samples,) float64, NaN where missing.
        short: longest hole that is bridged [samples].

    Returns:
        (samples,) filled values, and (samples,) bool: cells that were not measured and not bridged.
    """
    known = np.isfinite(values)
    if known.all():
        return values, ~known
    n, at = len(values), np.arange(len(values))
    before = np.maximum.accumulate(np.where(known, at, -1))
    after = np.minimum.accumulate(np.where(known, at, n)[::-1])[::-1]
    has_before = (before >= 0) & (line.segment[before] == line.segment)
    has_after = (after < n) & (line.segment[np.minimum(after, n - 1)] == line.segment)
    before, after = np.maximum(before, 0), np.minimum(after, n - 1)
    bridged = ~known & has_before & has_after & (after - before - 1 <= short)
    filled = np.where(has_before, values[before], np.where(has_after, values[after], np.nan))
    a, b, m = before[bridged], after[bridged], at[bridged]
    weight = (line.seconds[m] - line.seconds[a]) / (line.seconds[b] - line.seconds[a])
    filled[bridged] = values[a] * (1 - weight) + values[b] * weight
    return filled, ~known & ~bridged


def runs(chosen: np.ndarray, line: Timeline) -> np.ndarray:
    """(runs, 2) begin and end of each stretch of chosen samples that lies in one segment.

    Args:
        chosen: (samples,) bool.
    """
    if not len(chosen):
        return np.zeros((0, 2), dtype=np.int64)
    new = np.ones(len(chosen), dtype=bool)
    new[1:] = (np.diff(line.segment) != 0) | (chosen[1:] != chosen[:-1])
    begin = np.flatnonzero(new)
    end = np.append(begin[1:], len(chosen))
    return np.asarray(np.stack([begin, end], axis=1)[chosen[begin]], dtype=np.int64)


def starts(bounds: np.ndarray, window: int, stride: int) -> np.ndarray:
    """First samples of the windows: every `stride` samples in each stretch, and always the last that fits.

    Args:
        bounds: (stretches, 2) begin and end.
    """
    found = [
        np.append(np.arange(begin, end - window, stride), end - window)
        for begin, end in bounds
        if end - begin >= window
    ]
    return np.concatenate(found).astype(np.int64) if found else np.zeros(0, dtype=np.int64)


def count(bounds: np.ndarray, window: int, stride: int) -> int:
    """How many windows `starts` gives."""
    room = np.diff(bounds, axis=1)[:, 0] - window
    return int((-(-room[room >= 0] // stride) + 1).sum())


def covered(start: np.ndarray, window: int, samples: int) -> np.ndarray:
    """(samples,) bool: the samples that lie in a window."""
    steps = np.zeros(samples + 1, dtype=np.int64)
    np.add.at(steps, start, 1)
    np.add.at(steps, start + window, -1)
    return np.cumsum(steps[:-1]) > 0


def stride_of(window: int, stride: int) -> int:
    """The stride as set, or an eighth of the window. Never longer than the window, so that no sample is left out."""
    return min(stride or max(1, window // 8), window)


def choose_window(bounds: np.ndarray, stride: int) -> int:
    """The longest of the tried lengths that fits often enough, else the shortest."""
    return next((w for w in TRIED if count(bounds, w, stride_of(w, stride)) >= ENOUGH), TRIED[-1])
