"""From samples to windows: fill holes (runs of missing cells), and choose where windows start. Windows are views."""

import numpy as np

from ad_core.data.recordings.timeline import Timeline
from ad_core.errors import DataError

SHORTEST = 8
"""Minimum number of samples in a window."""

SHORT_HOLE = 8
"""A hole of at most a window's length divided by this is interpolated linearly."""

TOO_MANY_MISSING = 0.5
"""Maximum share of cells that were neither measured nor interpolated in a window that is scored."""

HARDLY_MEASURED = "More than half of the cells around it are missing."

TRIED = (128, 64, 32, 16, 8)
"""Lengths that are tried if the analyst chose none. Longer windows detected more on labelled recordings, mainly because
labelled faults last long and each time stamp is scored by all windows that cover it."""

ENOUGH = 20
"""Minimum number of windows that must fit into the training rows for a length to be chosen."""


def fill(values: np.ndarray, segment: np.ndarray, seconds: np.ndarray, short: int) -> tuple[np.ndarray, np.ndarray]:
    """Fill the holes of one channel.

    A short hole is interpolated linearly over time; at the beginning of a segment it takes the value after it. A long
    one keeps the last value known before it in the segment, and stays NaN where there is none: a value much later is
    no evidence for the time before, and a stream could not wait for it.

    Args:
        values: (samples,) float64, NaN where missing.
        segment: (samples,) the segment of each, ascending.
        seconds: (samples,) float64, ascending within a segment.
        short: maximum length of a hole that is interpolated [samples].

    Returns:
        (samples,) filled values, and (samples,) bool: cells that were neither measured nor interpolated.
    """
    known = np.isfinite(values)
    if known.all():
        return values, ~known
    n, at = len(values), np.arange(len(values))
    new = np.ones(n, dtype=bool)
    new[1:] = np.diff(segment) != 0
    begin = np.maximum.accumulate(np.where(new, at, 0))
    before = np.maximum.accumulate(np.where(known, at, -1))
    after = np.minimum.accumulate(np.where(known, at, n)[::-1])[::-1]
    has_before = before >= begin
    has_after = segment[np.minimum(after, n - 1)] == segment
    has_after &= after < n
    before, after = np.maximum(before, 0), np.minimum(after, n - 1)
    is_short = ~known & has_after & (after - np.where(has_before, before + 1, begin) <= short)
    bridged = is_short & has_before
    filled = np.where(has_before, values[before], np.where(is_short, values[after], np.nan))
    a, b, m = before[bridged], after[bridged], at[bridged]
    weight = (seconds[m] - seconds[a]) / (seconds[b] - seconds[a])
    filled[bridged] = values[a] * (1 - weight) + values[b] * weight
    return filled, ~known & ~bridged


def runs(chosen: np.ndarray, line: Timeline) -> np.ndarray:
    """(runs, 2) begin and end of each run of chosen samples within one segment.

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
    """First samples of the windows: every `stride` samples in each segment, and always the last that fits.

    Args:
        bounds: (segments, 2) begin and end.
    """
    starts_in = [
        np.append(np.arange(begin, end - window, stride), end - window)
        for begin, end in bounds
        if end - begin >= window
    ]
    return np.concatenate(starts_in).astype(np.int64) if starts_in else np.zeros(0, dtype=np.int64)


def count(bounds: np.ndarray, window: int, stride: int) -> int:
    """Number of windows that `starts` returns."""
    room = np.diff(bounds, axis=1)[:, 0] - window
    return int((-(-room[room >= 0] // stride) + 1).sum())


def too_short(samples: int, window: int) -> str:
    """The note of a row whose segment is shorter than a window."""
    return f"Its segment without a gap has {samples} samples, fewer than the {window} of a window."


def short_hole(window: int) -> int:
    """Maximum length of a hole that is interpolated [samples]."""
    return max(1, window // SHORT_HOLE)


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
    """The longest of the tried lengths of which enough windows fit, else the shortest."""
    return next((w for w in TRIED if count(bounds, w, stride_of(w, stride)) >= ENOUGH), TRIED[-1])


def fitting(segments: np.ndarray, window: int, stride: int) -> tuple[int, int, list[str]]:
    """Length and stride of the windows, and a notice where the default length does not fit.

    Args:
        segments: (segments, 2) begin and end of runs of training samples.
        window, stride: as set; 0 = chosen automatically.

    Raises:
        DataError: no segment is as long as a window.
    """
    length = window or choose_window(segments, stride)
    step = stride_of(length, stride)
    longest = int(np.diff(segments, axis=1).max(initial=0))
    if longest < length:
        raise DataError(
            f"The longest segment without a gap among the training rows has {longest} samples, but a window "
            f"takes {length}. Open a longer recording, choose more training rows, or set a shorter window "
            f"(at least {SHORTEST})."
        )
    if window or length == TRIED[0]:
        return length, step, []
    return (
        length,
        step,
        [
            f"A window has {length} samples instead of {TRIED[0]}, because there are few training rows: "
            f"{count(segments, length, step)} windows fit into them."
        ],
    )
