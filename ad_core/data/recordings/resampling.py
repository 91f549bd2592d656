"""Resample irregular recordings to a regular grid by linear interpolation between measured values.

Values are interpolated only if they are at most a few typical intervals apart, and never across a gap; otherwise the
cell counts as missing. Every row of the file belongs to the grid sample that is nearest in time, and shares its score.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.recordings.ring_buffer import RingBuffer
from ad_core.data.recordings.timeline import Timeline, in_words
from ad_core.errors import DataError

FEW = 3.0
"""Maximum distance of two values to interpolate between, in typical intervals or grid samples, whichever is longer."""
MOST_TIMES = 20
"""Maximum number of grid samples per row: an interval that makes more is a mistake, and costs memory."""
SAME = 1e-6
"""A grid sample that is nearer to a row than this share of the interpolation limit has the row's time."""


@dataclass(frozen=True)
class Grid:
    """Evenly spaced samples over the segments of a timeline."""

    measured: Timeline
    line: Timeline
    """The same rows on the grid samples; `first` is the row nearest to each in time."""
    before: np.ndarray
    """(samples,) the last measured sample that is not later, in the same segment."""
    nearest: np.ndarray
    """(samples,) the measured sample nearest in time, in the same segment."""
    step_s: float
    limit_s: float
    """No interpolation between values further apart [s]."""

    def values(self, measured: np.ndarray) -> np.ndarray:
        """(samples,) values of a channel, NaN where nothing is interpolated.

        Args:
            measured: (measured samples,) float64, NaN where missing.
        """
        return between(
            measured, self.measured.seconds, self.before, self.line.seconds, self.limit_s, self.measured.segment
        )

    def notice(self) -> str:
        """The resampling in one sentence."""
        return (
            f"The recordings are resampled to one sample every {in_words(self.step_s)} (reader setting resample), by "
            f"linear interpolation between values that are at most {in_words(self.limit_s)} apart."
        )

    def times(self, rows: pd.DataFrame) -> pd.Series:
        """(samples,) the samples' own times, on the clock of `Dataset.rows`."""
        time = rows["time"]
        if pd.api.types.is_datetime64_dtype(time):
            return time.min() + pd.Series(pd.to_timedelta(self.line.seconds, unit="s"))
        return pd.Series(self.line.seconds + float(np.nanmin(time.to_numpy(dtype=np.float64))))


def resampled(measured: Timeline, step_s: float, limit_s: float) -> Grid:
    """A grid sample every `step_s` seconds, from the first row of each segment on.

    Raises:
        DataError: the grid would have far more samples than there are rows.
    """
    bounds = measured.bounds
    begin, lasts = measured.seconds[bounds[:, 0]], measured.seconds[bounds[:, 1] - 1] - measured.seconds[bounds[:, 0]]
    count = samples_in(lasts, step_s)
    if count.sum() > MOST_TIMES * max(len(measured.first), 100):
        typical = in_words(float(np.nanmedian(measured.interval)))
        raise DataError(
            f"One sample every {in_words(step_s)} makes {count.sum():,} samples of {len(measured.first):,} rows. "
            f"Set reader.resample to an interval nearer to the typical one, {typical}."
        )
    segment = np.repeat(np.arange(len(count)), count)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else np.zeros(0, dtype=np.int64)
    seconds = begin[segment] + step_s * (np.arange(len(segment)) - first[segment])
    before = _last_not_later(measured, bounds, segment, seconds, SAME * limit_s)
    after = np.minimum(before + 1, bounds[segment, 1] - 1)
    is_after = measured.seconds[after] - seconds < seconds - measured.seconds[before]
    nearest = np.where(is_after, after, before)
    position = nearest_sample(measured.seconds - begin[measured.segment], step_s)
    of_sample = first[measured.segment] + np.minimum(position, count[measured.segment] - 1)
    line = Timeline(
        sample=np.append(of_sample, -1)[measured.sample],
        first=measured.first[nearest],
        seconds=seconds,
        entity=measured.entity[bounds[segment, 0]],
        segment=segment,
        interval=np.where(np.isfinite(measured.interval), step_s, np.nan),
        gap=measured.gap,
    )
    return Grid(measured, line, before, nearest, step_s, limit_s)


def between(
    values: np.ndarray, seconds: np.ndarray, before: np.ndarray, at: np.ndarray, limit_s: float, segment: np.ndarray
) -> np.ndarray:
    """(samples,) values at these times, by linear interpolation between the known values around them.

    Args:
        values, seconds, segment: (measured samples,).
        before: (samples,) the last measured sample that is not later than each, in its segment.
        at: (samples,) times [s].
        limit_s: no interpolation between known values further apart.
    """
    known, n, position = np.isfinite(values), len(values), np.arange(len(values))
    left = np.maximum.accumulate(np.where(known, position, -1))[before]
    right = np.append(np.minimum.accumulate(np.where(known, position, n)[::-1])[::-1], n)[before + 1]
    has_left = (left >= 0) & (segment[left] == segment[before])
    exact = has_left & (left == before) & (at - seconds[before] <= SAME * limit_s)
    connected = has_left & ~exact & (right < n)
    right = np.minimum(right, n - 1)
    connected &= (segment[right] == segment[before]) & (seconds[right] - seconds[left] <= limit_s)
    result = np.where(exact, values[left], np.nan)
    a, b = left[connected], right[connected]
    weight = (at[connected] - seconds[a]) / (seconds[b] - seconds[a])
    result[connected] = values[a] * (1 - weight) + values[b] * weight
    return result


def samples_in(lasts: np.ndarray, step_s: float) -> np.ndarray:
    """Number of grid samples of a segment of this duration [s]."""
    return np.asarray(np.floor(lasts / step_s + SAME).astype(np.int64) + 1)


def nearest_sample(since: np.ndarray, step_s: float) -> np.ndarray:
    """Index of the grid sample nearest to a time since the beginning of the segment [s]; the last one may not exist."""
    return np.asarray(np.floor(since / step_s + 0.5).astype(np.int64))


def _last_not_later(
    measured: Timeline, bounds: np.ndarray, segment: np.ndarray, at: np.ndarray, tolerance: float
) -> np.ndarray:
    last = np.zeros(len(at), dtype=np.int64)
    edges = np.searchsorted(segment, np.arange(len(bounds) + 1))
    for s, (begin, end) in enumerate(bounds):
        here = slice(edges[s], edges[s + 1])
        last[here] = begin + np.searchsorted(measured.seconds[begin:end], at[here] + tolerance, side="right") - 1
    return last


class Feed:
    """Resampling of a stream: ticks of one segment in, grid samples out as soon as their values are final."""

    def __init__(self, channels: int, step_s: float, limit_s: float) -> None:
        self.step_s, self.limit_s = step_s, limit_s
        self.seconds, self.values = RingBuffer((), np.float64), RingBuffer((channels,), np.float64)
        self.begin, self.next = 0.0, 0
        self.waiting: deque[tuple[int, Any]] = deque()
        """Ticks whose grid sample does not exist yet: the number of the sample, and the tick's time."""

    def extend(self, seconds: np.ndarray, values: np.ndarray, times: list[Any]) -> None:
        """Add ticks; arguments as in `StreamBuffer.extend`."""
        if not self.seconds.end:
            self.begin = float(seconds[0])
        self.seconds.append(seconds)
        self.values.append(values)
        self.waiting.extend(zip(nearest_sample(seconds - self.begin, self.step_s).tolist(), times, strict=True))

    def ready(self, *, ending: bool) -> tuple[np.ndarray, np.ndarray]:
        """(k,) times [s] and (k, channel) values of the samples that have become final."""
        seconds, values = self.seconds.rows, self.values.rows
        if not len(seconds):
            return seconds, values
        count = int(samples_in(seconds[-1:] - self.begin, self.step_s)[0])
        at = self.begin + self.step_s * np.arange(self.next, count)
        before = np.searchsorted(seconds, at + SAME * self.limit_s, side="right") - 1
        same = np.zeros(len(seconds), dtype=np.int64)
        result = np.column_stack(
            [between(values[:, c], seconds, before, at, self.limit_s, same) for c in range(values.shape[1])]
        )
        certain = len(at) if ending else self._certain(seconds, values, at)
        self.next += certain
        oldest = self.begin + self.step_s * self.next - self.limit_s
        self._forget(int(np.searchsorted(seconds, oldest)) - 1)
        return at[:certain], result[:certain]

    def placed(self, end: int, *, ending: bool) -> list[tuple[int, Any]]:
        """The ticks that belong to samples before this one, each with its sample's number; all when `ending`."""
        result = []
        while self.waiting and (ending or self.waiting[0][0] < end):
            sample, time = self.waiting.popleft()
            result.append((min(sample, end - 1), time))
        return result

    def _certain(self, seconds: np.ndarray, values: np.ndarray, at: np.ndarray) -> int:
        """Number of samples that no later tick can change.

        For each channel its last value is too old to interpolate from, or has the sample's own time.
        """
        known = np.isfinite(values)
        last = len(known) - 1 - known[::-1].argmax(axis=0)  # (channel,) of the ticks
        open_since = np.where(known.any(axis=0) & (seconds[-1] - seconds[last] <= self.limit_s), seconds[last], np.inf)
        later = at > float(open_since.min()) + SAME * self.limit_s
        return int(np.argmax(later)) if later.any() else len(at)

    def _forget(self, gone: int) -> None:
        self.seconds.drop(self.seconds.first + max(0, gone))
        self.values.drop(self.values.first + max(0, gone))
