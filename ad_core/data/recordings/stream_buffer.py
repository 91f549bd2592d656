"""One recording of a stream: ticks in, the windows that a reader would cut from the whole recording out.

Only the newest samples are kept, so memory does not grow. Within a segment windows start at multiples of the stride,
and the last one ends with the segment. A hole is a run of missing cells. A sample is settled once its holes are
interpolated, or too long for that; a window is cut once all its samples are settled; a sample's score is final once no
later window can cover it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ad_core.data.overlap import covering_sums
from ad_core.data.recordings.resampling import Feed
from ad_core.data.recordings.ring_buffer import RingBuffer
from ad_core.data.recordings.windows import HARDLY_MEASURED, TOO_MANY_MISSING, fill, too_short


@dataclass(frozen=True)
class Cut:
    """How windows are cut."""

    window: int
    stride: int
    gap_s: float
    """A longer interval between two ticks is a gap, which ends the segment [s]."""
    short: int
    """Maximum length of a hole that is interpolated [samples]."""
    channels: int
    """Number of the user's channels; `scaled` may return fewer."""
    scaled: Callable[[np.ndarray, np.ndarray], np.ndarray]
    """(samples, channel) float64 without missing cells, and (samples, channel + apart) as measured -> (samples, item
    channel) float32."""
    step_s: float = 0.0
    """Interval to which irregular sampling is resampled [s]; 0 = no resampling."""
    limit_s: float = 0.0
    """When resampling: no interpolation between values further apart [s]."""
    apart: int = 0
    """Number of values behind those of the channels that are never missing: how new a channel's value is that methods
    don't learn from."""


@dataclass(frozen=True)
class Settled:
    """The scores of some ticks of a recording."""

    times: list[Any]
    scores: np.ndarray
    """(k,) float64, NaN = no window covers the tick."""
    note: str = ""
    """Why there is no score."""


class StreamBuffer:
    """The current segment of a recording."""

    raw: RingBuffer
    """(sample, channel) as measured."""
    seconds: RingBuffer
    base: RingBuffer
    """(sample, item channel) settled samples, interpolated and scaled."""
    absent: RingBuffer
    """(sample,) number of cells that were neither measured nor interpolated."""
    total: RingBuffer
    count: RingBuffer
    next_start: int

    def __init__(self, cut: Cut, item_channels: int) -> None:
        self.cut, self.item_channels = cut, item_channels
        self.newest = -np.inf
        """Time of the newest tick [s]."""
        self._begin()

    def extend(self, seconds: np.ndarray, values: np.ndarray, times: list[Any]) -> None:
        """Add ticks that follow the newest one without a gap.

        Args:
            seconds: (k,) float64, ascending.
            values: (k, channel) float64, NaN where missing.
            times: (k,) the ticks' own times, returned with their scores.
        """
        self.newest = float(seconds[-1])
        if self.feed is None:
            self._append(seconds, values, [[time] for time in times])
        else:
            self.feed.extend(seconds, values, times)
            self._append_even(self.feed)

    def finish(self) -> None:
        """End the segment: holes at its end are not interpolated, and one more window may fit."""
        self.ended = True
        if self.feed is not None:
            self._append_even(self.feed)
        self._settle(self.raw.end)

    def windows(self, together: int = 1) -> np.ndarray:
        """(k,) int64: first samples of the windows that have become complete, ascending.

        Args:
            together: minimum number of windows; fewer wait for more until the segment ends.
        """
        window, stride, end = self.cut.window, self.cut.stride, self.base.end
        start = np.arange(self.next_start, end - window + 1, stride)
        if len(start) < together and not self.ended:
            return start[:0]
        if len(start):
            self.next_start = int(start[-1]) + stride
        if self.ended and end >= window and (end - window) % stride:
            start = np.append(start, end - window)
        if not len(start):
            return start
        missing = np.concatenate([[0], np.cumsum(self.absent.rows)])
        at = start - self.absent.first
        share = (missing[at + window] - missing[at]) / (window * self.cut.channels)
        return np.asarray(start[share <= TOO_MANY_MISSING])

    def items(self, start: np.ndarray) -> np.ndarray:
        """(k, item channel, time) float32: the windows that begin at these samples."""
        views = np.lib.stride_tricks.sliding_window_view(self.base.rows, self.cut.window, axis=0)
        return np.ascontiguousarray(views[start - self.base.first])

    def add(self, start: np.ndarray, scores: np.ndarray) -> tuple[int, int]:
        """Add the scores of windows to the samples that they cover; returns the first and the last + 1 of these.

        Args:
            start: (k,) as `windows` gave, k > 0.
            scores: (k,) or (k, window).
        """
        first, end = int(start[0]), int(start[-1]) + self.cut.window
        total, count = covering_sums(start - first, scores, self.cut.window, end - first)
        covered = slice(first - self.total.first, end - self.total.first)
        self.total.rows[covered] += total
        self.count.rows[covered] += count
        return first, end

    def final(self) -> Settled:
        """The samples whose scores are final; they are dropped from the buffer."""
        first = self.total.first
        known = max(0, self._final_until() - first)
        settled = self._scores(0, known)
        self.total.drop(first + known)
        self.count.drop(first + known)
        for _ in range(known):
            self.times.popleft()
        self.base.drop(min(self.next_start, self.base.end - self.cut.window))
        self.absent.drop(self.base.first)
        if self.ended:
            self._begin()
        return settled

    def provisional(self, first: int, end: int) -> Settled:
        """The provisional scores of these samples, without the final ones."""
        return self._scores(max(0, first - self.total.first), max(0, end - self.total.first))

    def _begin(self) -> None:
        self.ended, self.next_start = False, 0
        self.feed = Feed(self.cut.channels, self.cut.step_s, self.cut.limit_s) if self.cut.step_s else None
        self.times: deque[list[Any]] = deque()
        """The ticks that belong to each sample that is not final."""
        width = self.cut.channels + self.cut.apart
        self.raw, self.seconds = RingBuffer((width,), np.float64), RingBuffer((), np.float64)
        self.base, self.absent = RingBuffer((self.item_channels,), np.float32), RingBuffer((), np.int64)
        self.total, self.count = RingBuffer((), np.float64), RingBuffer((), np.int64)
        self.held = np.full(width, np.nan)
        """(channel,) the last value known before the samples in `raw`."""

    def _append(self, seconds: np.ndarray, values: np.ndarray, times: list[list[Any]]) -> None:
        if len(seconds):
            self.seconds.append(seconds)
            self.raw.append(values)
            self.times.extend(times)
            self.total.append(np.zeros(len(seconds)))
            self.count.append(np.zeros(len(seconds), dtype=np.int64))
            self._settle(self._settled_until())

    def _append_even(self, feed: Feed) -> None:
        seconds, values = feed.ready(ending=self.ended)
        self._append(seconds, values, [[] for _ in seconds])
        for sample, time in feed.placed(self.raw.end, ending=self.ended):
            self.times[sample - self.total.first].append(time)

    def _settled_until(self) -> int:
        """The first sample with a hole that the next tick may still close."""
        if np.isfinite(self.raw.rows[-1]).all():
            return self.raw.end
        known = np.isfinite(self.raw.rows)
        newest_first = known[::-1]
        hole = np.where(known.any(axis=0), newest_first.argmax(axis=0), len(known))  # (channel,) length of the open one
        return self.raw.end - int(np.where(hole <= self.cut.short, hole, 0).max())

    def _settle(self, until: int) -> None:
        """Interpolate holes and scale, up to this sample."""
        begin = self.base.end - self.raw.first
        values, end = self.raw.rows, until - self.raw.first
        absent = np.zeros(max(0, end - begin), dtype=np.int64)
        if end <= begin:
            return
        fresh = values[begin:end]
        if not np.isfinite(fresh).all():
            fresh, absent = self._filled(values, begin, end)
        self.base.append(self.cut.scaled(fresh[:, : self.cut.channels], values[begin:end]))
        self.absent.append(absent)
        if begin > 8 * (self.cut.short + 1):
            self._forget(until - self.cut.short - 1)

    def _filled(self, values: np.ndarray, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """As `windows.fill`; a hole that began before `values` is too long, and keeps the last known value."""
        same = np.zeros(len(values), dtype=np.int64)
        filled, absent = np.empty((end - begin, values.shape[1])), np.zeros(end - begin, dtype=np.int64)
        for c in range(values.shape[1]):
            signal, unknown = fill(values[:, c], same, self.seconds.rows, self.cut.short)
            filled[:, c] = signal[begin:end]
            absent += unknown[begin:end]
        return np.where(np.isnan(filled), self.held, filled), absent

    def _forget(self, until: int) -> None:
        gone = self.raw.rows[: until - self.raw.first]
        known = np.isfinite(gone)
        last = len(gone) - 1 - known[::-1].argmax(axis=0)
        self.held = np.where(known.any(axis=0), gone[last, np.arange(gone.shape[1])], self.held)
        self.raw.drop(until)
        self.seconds.drop(until)

    def _final_until(self) -> int:
        """No later window covers a sample before this one.

        Neither a regular window nor the last one of the segment, which may end with the newest tick or later.
        """
        if self.ended:
            return self.raw.end
        last_fit = self.raw.end - self.cut.window
        return min(self.next_start, last_fit + (last_fit % self.cut.stride == 0))

    def _scores(self, begin: int, end: int) -> Settled:
        total, count = self.total.rows[begin:end], self.count.rows[begin:end]
        scores = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        samples, window = self.raw.end, self.cut.window
        note = too_short(samples, window) if self.ended and samples < window else HARDLY_MEASURED
        ticks = list(islice(self.times, begin, end))
        if self.feed is not None:
            scores = np.repeat(scores, [len(times) for times in ticks])
        return Settled([time for times in ticks for time in times], scores, note)
