"""Scores while a recording is made: ticks in, one final score per time stamp out, equal to that of the whole file.

A time stamp's score is the mean over all windows that cover it, so it is final once the last of them has ended: a
window's length of samples later (one sample less where the stride is 1). Missing cells wait for the value after them,
which takes up to an eighth of a window longer, the longest hole that is interpolated. Until then a score is
provisional: the mean over the windows that have ended. Memory does not grow with time: about two windows of each
recording are kept.

A stream can't look ahead over a whole file, so three things differ from scoring a file: the training recordings say
what counts as a gap; a tick that is older than the newest one gets no score; training rows are scored like any other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ad_core.data.item_set import NUMBERS_AT_A_TIME
from ad_core.data.recordings.clock_changes import HOUR, clock_change
from ad_core.data.recordings.rows import plain
from ad_core.data.recordings.stream_buffer import Settled, StreamBuffer
from ad_core.data.recordings.timestamps import ClockKind, read_time
from ad_core.errors import DataError
from ad_core.methods.scorer import finest_scores

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector

AT_A_TIME = 1024
"""Maximum number of ticks of one recording that are handled together; longer blocks are handled in parts."""

LATE = "It is older than the newest tick of its recording, and was left out."
NO_ENTITY = "The entity is missing."


class StreamScore(NamedTuple):
    """The score of a time stamp."""

    entity: str | None
    time: Any
    """`Timestamp` in UTC without a zone, seconds, or the row number, as in the scores of a file."""
    score: float
    """NaN where the time stamp gets no score; `note` says why."""
    percentile: float
    p_value: float
    is_final: bool
    """False: windows that have not ended yet will change it, and it will be returned again."""
    note: str


@dataclass
class _Recording:
    """A recording whose stream has begun and not ended."""

    buffer: StreamBuffer
    begun: Any
    """Its first time stamp."""
    next_row: int = 0
    written: Any = None
    """The last time stamp of a local clock, as written."""
    behind: Any = field(default_factory=lambda: pd.Timedelta(0))
    """How far a local clock was put forward since the beginning."""

    def evened(self, stamp: Any, interval_s: float) -> Any:
        """The time by the clock as it was at the beginning of the recording, see `clock_changes`."""
        before, self.written = self.written, stamp
        if before is not None and not 0 < (stamp - before).total_seconds() <= 1800:
            self.behind += clock_change(before, stamp, interval_s) * HOUR
        return stamp - self.behind

    def seconds(self, stamps: list[Any]) -> np.ndarray:
        """(k,) float64 since the first time stamp."""
        if isinstance(self.begun, pd.Timestamp):
            return np.array([(stamp - self.begun).total_seconds() for stamp in stamps])
        return np.asarray(np.array(stamps, dtype=np.float64) - self.begun)


class Stream:
    """Takes ticks of one or several recordings, in order of time within each.

    A tick that repeats the newest time stamp of its recording is the same sample; it gets no second score.

    Args:
        detector: one of recordings.
        gap_s, together: see `Detector.stream`.
    """

    def __init__(self, detector: "Detector", gap_s: float | None = None, together: int = 1) -> None:
        from ad_core.data.readers.sensor import Sensor

        if not isinstance(detector.reader, Sensor):
            raise DataError(f"Only recordings can be scored as a stream; this detector takes {detector.modality} data.")
        self._detector, self._reader = detector, detector.reader
        self._gap_s, self._together = gap_s, together
        self._recordings: dict[str | None, _Recording] = {}
        if isinstance(detector.model, torch.nn.Module):
            detector.model.eval()

    def push(self, time: Any, values: Mapping[str, Any], entity: Any = None) -> list[StreamScore]:
        """Take one tick.

        Args:
            time: a datetime or an ISO text (a zone is converted to UTC), an epoch number, or seconds, as in the
                training recordings; None where these had no time column.
            values: channel -> value; a channel that is absent, None or NaN is missing. Other names are ignored.
            entity: the recording that the tick belongs to.

        Returns:
            The scores that this tick made final, then the provisional ones that it changed.

        Raises:
            DataError: the time can't be read, or no channel is among the values.
        """
        channels = self._reader.channels
        if not any(channel.name in values for channel in channels):
            raise DataError(
                f"No channel is among the values, which are called {', '.join(map(str, values)) or 'nothing'}. "
                f"The detector knows {', '.join(channel.name for channel in channels)}."
            )
        apart = [one.of_cell(values.get(one.name)) for one in self._reader.apart]
        row = np.array([[*(channel.number(values.get(channel.name)) for channel in channels), *apart]])
        name = None if entity is None else plain(entity)
        return self._taken(name, [self._stamp(name, time)], row)

    def push_table(self, ticks: pd.DataFrame) -> pd.DataFrame:
        """Take a block of ticks with the columns of the training recordings: channels, time, entity.

        Returns:
            One line per `StreamScore`, with its fields as columns.

        Raises:
            DataError: a channel or the time column is missing.
        """
        declared = self._detector.info.declared
        time = None if self._reader.clock is ClockKind.ROW else declared.time
        needed = [*(channel.name for channel in self._reader.channels), *([time] if time else [])]
        if missing := [name for name in needed if name not in ticks.columns]:
            raise DataError(
                f"The ticks have no {' and no '.join(map(repr, missing))}. Bring all channels and the time."
            )
        apart = [one.in_rows(ticks, self._reader.channels) for one in self._reader.apart]
        numbers = [channel.numbers(ticks[channel.name]) for channel in self._reader.channels]
        every = np.column_stack([*numbers, *apart])
        times = ticks[time].tolist() if time else [None] * len(ticks)
        entities = ticks[declared.entity].tolist() if declared.entity in ticks.columns else [None] * len(ticks)
        found: list[StreamScore] = []
        members: dict[str | None, list[int]] = {}
        for i, entity in enumerate(entities):
            if entity is not None and pd.isna(entity):
                found.append(_without(None, times[i], NO_ENTITY))
            else:
                members.setdefault(None if entity is None else plain(entity), []).append(i)
        for name, rows in members.items():
            for begin in range(0, len(rows), AT_A_TIME):
                found += self._block(name, times, every, rows[begin : begin + AT_A_TIME])
        return as_table(found)

    def close(self, entity: Any = None) -> list[StreamScore]:
        """End a recording, or all of them where none is named: provisional scores become final."""
        names = list(self._recordings) if entity is None else [plain(entity)]
        found: list[StreamScore] = []
        for name in names:
            if name in self._recordings:
                found += self._ended(name, self._recordings.pop(name).buffer)
        return found

    def _block(self, name: str | None, times: list[Any], numbers: np.ndarray, rows: list[int]) -> list[StreamScore]:
        """Scores for ticks of one recording; a tick whose time can't be read gets a note instead."""
        found, stamps, readable = [], [], []
        for i in rows:
            try:
                stamps.append(self._stamp(name, times[i]))
                readable.append(i)
            except DataError as error:
                found.append(_without(name, times[i], str(error)))
        return found + (self._taken(name, stamps, numbers[readable]) if stamps else [])

    def _stamp(self, name: str | None, time: Any) -> Any:
        """The time of a tick as the reader would read it; the next row number where there is no clock."""
        recording = self._recordings.get(name)
        is_row = self._reader.clock is ClockKind.ROW
        if is_row and time is None:
            time = 0 if recording is None else recording.next_row
        stamp, is_local = (int(time), False) if is_row else read_time(time, self._reader.clock)
        if recording is None:
            buffer = StreamBuffer(self._reader.cut(self._gap_s, name), self._reader.shape.size[0])
            recording = self._recordings[name] = _Recording(buffer, stamp)
        recording.next_row = int(stamp) + 1 if is_row else 0
        return recording.evened(stamp, self._reader.interval_s) if is_local else stamp

    def _taken(self, name: str | None, stamps: list[Any], numbers: np.ndarray) -> list[StreamScore]:
        """Give late ticks a note, skip repeated ones, end the segment at each gap, and score the windows that ended."""
        recording = self._recordings[name]
        buffer, seconds = recording.buffer, recording.seconds(stamps)
        newest = np.maximum.accumulate(np.append(buffer.newest, seconds[:-1]))
        found = [_without(name, stamps[i], LATE) for i in np.flatnonzero(seconds < newest)]
        new = np.flatnonzero(seconds > newest)
        is_gap = (seconds - newest)[new] > buffer.cut.gap_s
        for ticks in np.split(new, np.flatnonzero(is_gap)):
            if len(ticks):
                if seconds[ticks[0]] - buffer.newest > buffer.cut.gap_s:
                    found += self._ended(name, buffer)
                buffer.extend(seconds[ticks], numbers[ticks], [stamps[i] for i in ticks])
                found += self._progressed(name, buffer)
        return found

    def _progressed(self, name: str | None, buffer: StreamBuffer) -> list[StreamScore]:
        changed = self._scored(buffer)
        final = self._answers(name, buffer.final(), is_final=True)
        return final + (self._answers(name, buffer.provisional(*changed), is_final=False) if changed else [])

    def _ended(self, name: str | None, buffer: StreamBuffer) -> list[StreamScore]:
        buffer.finish()
        self._scored(buffer)
        return self._answers(name, buffer.final(), is_final=True)

    def _scored(self, buffer: StreamBuffer) -> tuple[int, int] | None:
        """Score the windows that have ended; returns the range of samples that they cover, None without any."""
        start = buffer.windows(self._together)
        if not len(start):
            return None
        size = max(1, NUMBERS_AT_A_TIME // self._reader.shape.entries)
        scores = []
        with torch.no_grad():  # no `inference_mode`: a score may take a gradient inside
            for begin in range(0, len(start), size):
                x = torch.from_numpy(buffer.items(start[begin : begin + size])).to(self._detector.device)
                scores.append(finest_scores(self._detector.model, x).double().cpu().numpy())
        return buffer.add(start, np.concatenate(scores))

    def _answers(self, name: str | None, settled: Settled, *, is_final: bool) -> list[StreamScore]:
        """Calibrated scores; a provisional one that does not exist yet is left out."""
        if not settled.times:
            return []
        calibration, scores = self._detector.calibration, settled.scores
        columns = (scores, calibration.percentile(scores), calibration.p_value(scores))
        lines = zip(settled.times, *(column.tolist() for column in columns), strict=True)
        return [
            StreamScore(name, time, score, percentile, p, is_final, "" if score == score else settled.note)
            for time, score, percentile, p in lines
            if is_final or score == score
        ]


def as_table(scores: Iterable[StreamScore]) -> pd.DataFrame:
    """One line per score, with the fields of `StreamScore` as columns."""
    table = pd.DataFrame(list(scores), columns=list(StreamScore._fields))
    return table.astype({"score": float, "percentile": float, "p_value": float, "is_final": bool})


def _without(name: str | None, time: Any, note: str) -> StreamScore:
    return StreamScore(name, time, float("nan"), float("nan"), float("nan"), True, note)
