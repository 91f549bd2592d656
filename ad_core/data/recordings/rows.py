"""One line per row of a recording: its id, its time and entity, its label, and whether it can be used."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind, Role, Schema, row_ids
from ad_core.data.recordings import windows
from ad_core.data.recordings.channels import as_numbers
from ad_core.data.recordings.clock_changes import without_clock_change
from ad_core.data.recordings.exclusion import excluded
from ad_core.data.recordings.seasonality import seasonal_period
from ad_core.data.recordings.timeline import Timeline, in_words, timeline, typical_interval
from ad_core.data.recordings.timestamps import Clock, ClockKind, read_clock, row_clock, time_texts
from ad_core.data.tables.labels import read_labels
from ad_core.data.tables.row_identity import ids_from_column, ids_over_files

MAX_SEARCHED = 20_000
"""Maximum number of samples of the longest segment that are searched for a period, in at most 20 channels."""


def rows_of(
    data: pd.DataFrame,
    schema: Schema,
    exclude: Sequence[Sequence[str]] = (),
    files: Sequence[tuple[str, int]] = (),
) -> tuple[pd.DataFrame, Clock, pd.Series, list[str]]:
    """`Dataset.rows` of a recording, the clock that was read, the times as they are shown, and notices about labels.

    `row_id` is the user's id column, else `entity|time`, else the time.

    Args:
        exclude: `Declared.exclude`.
        files: name and number of rows of each file, where ids that occur in several of them say which one.

    Raises:
        DataError: the time column or a range of time can't be read.
    """
    id_name, time_name, entity_name = schema.one(Role.ID), schema.one(Role.TIME), schema.one(Role.ENTITY)
    entity = None if entity_name is None else data[entity_name].astype(object).map(plain, na_action="ignore")
    clock = row_clock(entity, len(data)) if time_name is None else read_clock(data[time_name], time_name)
    notes, times = clock.notes.copy(), time_texts(clock.time)
    out = excluded(clock.time, entity, exclude, clock.kind) if exclude else None
    if clock.is_local:
        time, changes = without_clock_change(clock.time, entity)
        clock = replace(clock, time=time, notices=(*clock.notices, *changes))
    texts = times
    if entity is not None:
        notes[(notes == "") & entity.isna().to_numpy()] = f"The entity ({entity_name!r}) is missing."
        texts = entity.astype(object).fillna("no entity").astype("str") + "|" + times
    ids = _ids(texts if id_name is None else data[id_name], files, row_ids if id_name is None else ids_from_column)
    rows = pd.DataFrame({"row_id": ids, "note": notes})
    if entity is not None:
        rows["entity"] = entity.astype("str")
    rows["time"] = clock.time
    notices: list[str] = []
    if (label := schema.one(Role.LABEL)) is not None:
        truth, notices = read_labels(data[label], label)
        if truth is not None:
            rows["label"] = truth
    if (cls := schema.one(Role.CLASS)) is not None:
        rows["cls"] = data[cls].astype(object).map(plain, na_action="ignore").astype("str")
    if out is not None:
        rows["excluded"] = out
    return rows, clock, times, notices


def _ids(values: pd.Series, files: Sequence[tuple[str, int]], unique: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Row ids from texts or from the cells of the id column."""
    if not files:
        return unique(values)
    ends = np.cumsum([rows for _, rows in files])
    parts = [unique(values.iloc[end - rows : end]) for end, (_, rows) in zip(ends, files, strict=True)]
    return ids_over_files(parts, [name for name, _ in files])


def clock_kind(rows: pd.DataFrame, schema: Schema) -> ClockKind:
    """Type of the times in `Dataset.rows`."""
    if schema.one(Role.TIME) is None:
        return ClockKind.ROW
    return ClockKind.DATE if pd.api.types.is_datetime64_dtype(rows["time"]) else ClockKind.SECONDS


def clock_times(rows: pd.DataFrame, schema: Schema) -> pd.Series | None:
    """The times of all rows, dates or seconds; None where rows only have numbers."""
    return None if clock_kind(rows, schema) is ClockKind.ROW else rows["time"]


def other_clock(rows: pd.DataFrame, schema: Schema, learnt: ClockKind, interval_s: float) -> list[str]:
    """A sentence if the kind of time or the sampling interval differs from the training data."""
    kind = clock_kind(rows, schema)
    names = {ClockKind.DATE: "dates", ClockKind.SECONDS: "seconds", ClockKind.ROW: "row numbers"}
    if kind is not learnt:
        return [f"The time here is in {names[kind]}, but the training data have {names[learnt]}."]
    typical = typical_interval(timeline(rows))
    if np.isfinite(typical) and np.isfinite(interval_s) and not 2 / 3 <= typical / interval_s <= 1.5:
        return [
            f"A sample is taken every {in_words(typical)} here, but every {in_words(interval_s)} "
            f"in the training data: windows have a different duration."
        ]
    return []


def noted(rows: pd.DataFrame, line: Timeline, start: np.ndarray, window: int) -> pd.DataFrame:
    """`ItemSet.rows`: rows that no window covers get a note with the reason.

    Args:
        rows: `Dataset.rows`.
        start: (n,) first samples of the windows.
    """
    covered = windows.covered(start, window, len(line.first))
    length = np.diff(line.bounds, axis=1)[:, 0][line.segment]
    kept = rows[[c for c in ("row_id", "note", "entity", "time", "label", "excluded") if c in rows]].copy()
    left_out = np.flatnonzero((line.sample >= 0) & ~covered[line.sample])
    lengths = length[line.sample[left_out]]
    notes = kept["note"].to_numpy(dtype=object).copy()
    for n in np.unique(lengths[lengths < window]):
        notes[left_out[lengths == n]] = windows.too_short(n, window)
    notes[left_out[lengths >= window]] = windows.HARDLY_MEASURED
    kept["note"] = notes
    kept["sample"] = np.where(notes == "", line.sample, -1)
    return kept


def repeats(data: pd.DataFrame, schema: Schema, line: Timeline, kind: ClockKind) -> list[str]:
    """A sentence about the most clearly periodic channel, searched for in the longest segment."""
    bounds = line.bounds
    if not len(bounds):
        return []
    begin, end = bounds[np.argmax(np.diff(bounds, axis=1)[:, 0])]
    first = line.first[begin : min(end, begin + MAX_SEARCHED)]
    best: tuple[float, int, str] | None = None
    for column in [
        c for c in schema.columns if c.role is Role.FEATURE and c.kind in (ColumnKind.NUMBER, ColumnKind.BOOLEAN)
    ][:20]:
        numbers = pd.Series(as_numbers(data[column.name].iloc[first])).interpolate(limit_direction="both").to_numpy()
        period = seasonal_period(numbers) if np.isfinite(numbers).all() else None
        if period is not None and (best is None or period[1] > best[0]):
            best = (period[1], period[0], column.name)
    if best is None:
        return []
    interval = float(line.interval[line.entity[begin]])
    lasts = "" if kind is ClockKind.ROW else f" ({in_words(best[1] * interval)})"
    return [
        f"{best[2]!r} repeats about every {best[1]} samples{lasts}, autocorrelation {best[0]:.2f}: a hint for "
        f"the length of the window."
    ]


def plain(value: object) -> str:
    """The text of an entity or a class: whole numbers without the .0 that missing cells in the column gave them."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
