"""Metrics for labelled ranges of a recording: volume under the surface (VUS) and event recall.

A labelled range is a run of anomalous rows. Metrics per row reward exact edges of a range, but labels are seldom exact
there. VUS lets the label fade out over a buffer around the range and averages over the buffer length. Metrics with
point adjustment, which count all rows of a range as found once one of them is, are left out on purpose: random scores
get excellent values (Kim et al. 2022, arXiv:2109.05257).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

ROWS_PER_DAY = 1440.0
"""Number of rows that count as a day if a recording has no clock (one per minute)."""

ALARM_TIME = 0.1
"""Maximum share of the time outside labelled events that alarms may take; otherwise a detector in permanent alarm would
find all events with one false alarm."""


class Volumes(NamedTuple):
    """Areas under the range-aware curves, averaged over the buffer lengths; both in 0..1, higher is better."""

    pr: float
    roc: float


class EventRecall(NamedTuple):
    """Event recall at the lowest threshold with rare false alarms; `threshold` is None if there is none."""

    recall: float
    events: int
    false_alarms: int
    threshold: float | None


def volumes(label: npt.ArrayLike, score: npt.ArrayLike, *, longest_buffer: int = 100, thresholds: int = 250) -> Volumes:
    """VUS-PR and VUS-ROC of one recording.

    With a buffer of w rows the label of a row at distance d <= w // 2 from a labelled range is sqrt(1 - d / w); that of
    a row near two ranges is 1. Recall is multiplied by the share of ranges (with their buffers, joined where these
    overlap) that contain an alarm. Needs memory for a few copies of the scores.

    Args:
        label: (n,) over 0 = anomalous, in order of time; some rows are and some are not.
        score: (n,) higher = more anomalous, without NaN.
        longest_buffer: maximum buffer length [rows]; the mean is over the lengths from 0 to this.
        thresholds: number of thresholds, evenly spread over the sorted scores.

    Raises:
        ValueError: the two differ in length, a score is NaN, or all rows have the same label.

    Source:
        Paparrizos et al. 2022, "Volume Under the Surface", PVLDB 15(11), in the form used by the TSB-AD benchmark (Liu
        & Paparrizos 2024), in which rows within a buffer count only as far as they are in alarm.
    """
    y, s = _checked(label, score)
    if y.all() or not y.any():
        raise ValueError("ranges can't be evaluated if all rows have the same label")
    n, positives = len(s), int(y.sum())
    cuts = -np.sort(-s)[np.linspace(0, n - 1, thresholds).astype(int)]
    level = np.searchsorted(-cuts, -s)  # (n,) first threshold at which a row is an alarm
    alarms = np.bincount(level, minlength=thresholds).cumsum()
    hits = np.bincount(level[y], minlength=thresholds).cumsum()
    first, last = runs(y)
    faded = _faded(y, first, last, level, longest_buffer, thresholds)  # (buffers, thresholds)
    found = np.stack([_ranges_found(first, last, level, w // 2, thresholds) for w in range(longest_buffer + 1)])
    true, possible = hits + faded, positives + faded / 2
    recall = np.minimum(true / possible, 1) * found
    precision, false = true / alarms, (alarms - true) / (n - possible)
    steps = np.diff(recall, axis=1, prepend=0)
    width = np.diff(false, axis=1, prepend=0, append=1)
    height = np.pad(recall, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    roc = (width * (height[:, 1:] + height[:, :-1]) / 2).sum(axis=1)
    return Volumes(float((steps * precision).sum(axis=1).mean()), float(roc.mean()))


def runs(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last position of every run of True."""
    edges = np.diff(y.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def _faded(
    y: np.ndarray, first: np.ndarray, last: np.ndarray, level: np.ndarray, longest: int, thresholds: int
) -> np.ndarray:
    """(buffers, thresholds) sum of the labels of the alarms inside the buffers.

    Within a buffer a label is at least sqrt(1/2), and overlapping labels are added and cut off at 1. So two labels give
    1, and only the two nearest ranges matter.
    """
    far, row = len(y) + longest, np.flatnonzero(~y)
    ends, starts = np.append([-2 * far, -far], last), np.append(first, [2 * far, 3 * far])
    before = np.searchsorted(last, row)  # ranges that ended before the row; the next one starts after it
    left, right = row - ends[before + 1], starts[before] - row
    nearest = np.minimum(left, right)
    second = np.minimum(np.maximum(left, right), np.minimum(row - ends[before], starts[before + 1] - row))
    near = nearest <= longest // 2
    nearest, second, level = nearest[near], second[near], level[row[near]]
    sums = np.zeros((longest + 1, thresholds))
    for w in range(2, longest + 1):
        inside = nearest <= w // 2
        fading = np.where(second[inside] <= w // 2, 1.0, np.sqrt(1 - nearest[inside] / w))
        sums[w] = np.bincount(level[inside], fading, thresholds).cumsum()
    return sums


def _ranges_found(first: np.ndarray, last: np.ndarray, level: np.ndarray, margin: int, thresholds: int) -> np.ndarray:
    """(thresholds,) share of the ranges with an alarm; they are widened by a margin and joined where they touch."""
    apart = first[1:] - last[:-1] > 2 * margin
    start = np.maximum(first[np.append(True, apart)] - margin, 0)
    stop = np.minimum(last[np.append(apart, True)] + margin, len(level) - 1)
    soonest = _reduced(np.minimum, level, start, stop)
    return np.bincount(soonest, minlength=thresholds).cumsum() / len(start)


def event_recall(
    label: npt.ArrayLike, score: npt.ArrayLike, *, rows_per_day: float = ROWS_PER_DAY, false_alarms_per_day: float = 1.0
) -> EventRecall:
    """Share of labelled events with an alarm, at a threshold that keeps false alarms rare.

    A false alarm is a run of alarms that touches no labelled event. The threshold is the lowest one with at most one
    false alarm per day (of the time outside labelled events, so with none if that is less than a day) and with alarms
    in at most a tenth of that time. Without such a threshold the recall is 0.

    Args:
        label: (n,) over 0 = anomalous, in order of time; a run of such rows is one event, and there is at least one.
        score: (n,) higher = more anomalous, without NaN.
        rows_per_day: number of rows in a day, see `rows_per_day`.
        false_alarms_per_day: maximum number of false alarms per day.

    Raises:
        ValueError: the two differ in length, a score is NaN, or no row is anomalous.
    """
    y, s = _checked(label, score)
    first, last = runs(y)
    if not len(first):
        raise ValueError("events can't be evaluated if no row is labelled as anomalous")
    cuts = np.unique(s)  # each is a threshold: rows from there on are alarms
    outside = _at_least(s[~y], cuts)
    allowed = false_alarms_per_day * (~y).sum() / rows_per_day
    false_alarms = _false_alarms(y, s, first, last, cuts)
    fit = np.flatnonzero((false_alarms <= allowed) & (outside <= ALARM_TIME * (~y).sum()))
    if not len(fit):
        return EventRecall(0.0, len(first), 0, None)
    threshold = cuts[fit[0]]
    recall = float((_reduced(np.maximum, s, first, last) >= threshold).mean())
    return EventRecall(recall, len(first), int(false_alarms[fit[0]]), float(threshold))


def _false_alarms(y: np.ndarray, s: np.ndarray, first: np.ndarray, last: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """(cuts,) runs of alarms that touch no event.

    The number of runs is the number of alarms minus the number of adjacent pairs of alarms. Runs that touch events are
    counted in the same way inside the events, minus the gaps between two events that are in alarm throughout, since
    such a gap joins two runs to one.
    """
    pairs = np.minimum(s[1:], s[:-1])
    runs = _at_least(s, cuts) - _at_least(pairs, cuts)
    bridges = _reduced(np.minimum, s, last[:-1], first[1:])
    inside = _at_least(s[y], cuts) - _at_least(pairs[y[1:] & y[:-1]], cuts)
    false: np.ndarray = runs - inside + _at_least(bridges, cuts)
    return false


def _at_least(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """(cuts,) number of values at or above each cut."""
    reached: np.ndarray = len(values) - np.searchsorted(np.sort(values), cuts)
    return reached


def _reduced(how: np.ufunc, values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """(ranges,) minimum or maximum from each first to its last position, both included."""
    if not len(first):
        return values[:0]
    edges = np.column_stack([first, last + 1]).ravel()
    reduced: np.ndarray = how.reduceat(values, edges[:-1] if edges[-1] == len(values) else edges)
    return reduced[::2]


def rows_per_day(time: pd.Series | None) -> float:
    """Number of rows in a day at the median time step of a recording; 1,440 if it has no clock.

    Args:
        time: (n,) dates or seconds; steps back and repeated times are left out. None = no clock.
    """
    if time is None:
        return ROWS_PER_DAY
    steps = time.diff()
    seconds = steps.dt.total_seconds() if pd.api.types.is_timedelta64_dtype(steps) else steps.astype(np.float64)
    forward = seconds[seconds > 0]
    return float(86_400 / forward.median()) if len(forward) else ROWS_PER_DAY


def _checked(label: npt.ArrayLike, score: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y, s = np.asarray(label, dtype=np.float64) > 0, np.asarray(score, dtype=np.float64)
    if y.shape != s.shape or y.ndim != 1:
        raise ValueError(f"a label and a score per row are needed, got {y.shape} and {s.shape}")
    if np.isnan(s).any():
        raise ValueError("scores must not be NaN: leave out rows that could not be scored")
    return y, s
