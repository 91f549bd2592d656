"""From samples to windows: filling holes, and where windows start. Windows are views and are never copied out."""

import numpy as np

from ad_core.data.recordings.timeline import Timeline
from ad_core.errors import DataError

SHORTEST = 8
"""Samples in the shortest window that is allowed."""

SHORT_HOLE = 8
"""A hole of at most a window's length divided by this is bridged by a straight line."""

TOO_MANY_MISSING = 0.5
"""Windows in which a larger share of cells was neither measured nor bridged get no score."""

HARDLY_MEASURED = "More than half of the cells around it are missing."

TRIED = (128, 64, 32, 16, 8)
"""Lengths that are tried when the analyst chose none: longer windows found more on labelled recordings, mainly because
labelled faults last long and each time stamp is judged by all windows that cover it."""

ENOUGH = 20
"""So many windows must fit into the training rows for a length to be taken."""


def fill(values: np.ndarray, segment: np.ndarray, seconds: np.ndarray, short: int) -> tuple[np.ndarray, np.ndarray]:
    """One channel without short holes.

    A short hole is bridged in a straight line over time; at the begin of a segment it takes the value after it. A long
    one keeps the last value known before it in the segment, and is left NaN where there is none: what comes much later
    says nothing of the time before, and a stream could not wait for it.

    Args:
        values: (samples,) float64, NaN where missing.
        segment: (samples,) the stretch without a gap that each belongs to, ascending.
        seconds: (samples,) float64, ascending within a segment.
        short: longest hole that is bridged [samples].

    Returns:
        (samples,) filled values, and (samples,) bool: cells that were not measured and not bridged.
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


def too_short(samples: int, window: int) -> str:
    """The note of a row whose stretch is shorter than a window."""
    return f"Its stretch without a gap has {samples} samples, fewer than the {window} of a window."


def short_hole(window: int) -> int:
    """The longest hole that is bridged [samples]."""
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
    """The longest of the tried lengths that fits often enough, else the shortest."""
    return next((w for w in TRIED if count(bounds, w, stride_of(w, stride)) >= ENOUGH), TRIED[-1])


def fitting(stretches: np.ndarray, window: int, stride: int) -> tuple[int, int, list[str]]:
    """Length and stride of the windows, and a sentence where the usual length does not fit.

    Args:
        stretches: (stretches, 2) begin and end of the samples that teach.
        window, stride: as set; 0 = as fits.

    Raises:
        DataError: no stretch is as long as a window.
    """
    found = window or choose_window(stretches, stride)
    step = stride_of(found, stride)
    longest = int(np.diff(stretches, axis=1).max(initial=0))
    if longest < found:
        raise DataError(
            f"The longest stretch without a gap among the rows to learn from has {longest} samples, but a window "
            f"takes {found}. Bring a longer recording, choose more training rows, or set a shorter window "
            f"(at least {SHORTEST})."
        )
    if window or found == TRIED[0]:
        return found, step, []
    return (
        found,
        step,
        [
            f"A window has {found} samples instead of {TRIED[0]}, because the training rows are few: "
            f"{count(stretches, found, step)} windows fit into them."
        ],
    )
