"""Time columns: ISO and other texts, dates, epoch numbers or plain seconds, read into one clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product

import numpy as np
import pandas as pd

from ad_core.data.written_numbers import written
from ad_core.errors import DataError

EPOCH_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
EPOCH_RANGE = (6e8, 5e9)
"""Seconds since 1970 that are read as a date, 1989 to 2128; smaller ones are seconds on the recording's own clock."""

DAYS = ("%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y")
HOURS = (" %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", "")
ZONE = r"\d(?:Z|[+-]\d{2}:?\d{2})\s*$"
SAMPLE = 500
"""Maximum number of values, evenly spaced in the file, from which the format of a text column is inferred."""


class ClockKind(StrEnum):
    """Type of the times of a recording."""

    DATE = "date"
    SECONDS = "seconds"
    ROW = "row"


@dataclass(frozen=True)
class Clock:
    """The times of all rows of a recording."""

    kind: ClockKind
    time: pd.Series
    """datetime64 in UTC without a zone, float64 seconds, or int64 row numbers; missing where it can't be read."""
    notes: np.ndarray
    """(rows,) texts, "" where the time is fine."""
    notices: tuple[str, ...] = ()
    is_local: bool = False
    """Dates that were written without a zone: perhaps those of a wall clock."""


def row_clock(entity: pd.Series | None, n: int) -> Clock:
    """The row number, counted from 0 within each recording, as the time."""
    time = pd.Series(np.arange(n)) if entity is None else entity.groupby(entity.to_numpy(), dropna=False).cumcount()
    notice = "There is no time column: the row number is used as the time."
    return Clock(ClockKind.ROW, time.reset_index(drop=True).astype("int64"), np.full(n, "", dtype=object), (notice,))


def read_clock(values: pd.Series, name: str) -> Clock:
    """Read a time column.

    Args:
        values: dates, texts, epoch seconds / ms / us / ns, or plain seconds.
        name: of the column, for messages.

    Raises:
        DataError: more than half of the values can't be read.
    """
    values = values.reset_index(drop=True)
    time, notices, is_local = _read(values)
    bad = time.isna().to_numpy()
    if len(values) and bad.mean() > 0.5:
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"Column {name!r} can't be used as time: {bad.sum()} of {len(values)} values can't be read, first in row "
            f"{row + 1} ({_shown(values[row])}). Choose another time column, or none."
        )
    notes = np.full(len(values), "", dtype=object)
    for at in np.flatnonzero(bad):
        value = values[at]
        notes[at] = "The time is missing." if pd.isna(value) else f"The time {_shown(value)} can't be read."
    if bad.any():
        notices.append(
            f"{bad.sum()} of {len(values)} rows have no readable time, first row {int(np.flatnonzero(bad)[0]) + 1}; "
            f"they get no score."
        )
    kind = ClockKind.DATE if pd.api.types.is_datetime64_dtype(time) else ClockKind.SECONDS
    if kind is ClockKind.DATE and time.max().as_unit("us") - time.min().as_unit("us") > pd.Timedelta.max:
        time = time.dt.as_unit("us")  # intervals of 292 years, to a wrong date, do not fit in nanoseconds
    return Clock(kind, time, notes, tuple(notices), is_local)


def read_time(value: object, kind: ClockKind) -> tuple[pd.Timestamp | float, bool]:
    """Read one time as `read_clock` reads a column; a text must be ISO 8601.

    Returns:
        The time, and whether it is a date without a zone.

    Raises:
        DataError: it can't be read as a time of this kind.
    """
    try:
        if kind is not ClockKind.DATE:
            seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)  # type: ignore[arg-type]
            if np.isfinite(seconds):
                return float(seconds), False
            raise ValueError
        if isinstance(value, int | float | np.number):
            return _epoch(float(value)), False
        stamp = pd.Timestamp(datetime.fromisoformat(value) if isinstance(value, str) else value)
        if not pd.isna(stamp):
            has_zone = stamp.tzinfo is not None
            return (stamp.tz_convert("UTC").tz_localize(None) if has_zone else stamp), not has_zone
    except (TypeError, ValueError, OverflowError):
        pass
    what = "a date such as 2024-03-01T08:00:00" if kind is ClockKind.DATE else "a number of seconds"
    raise DataError(f"The time {_shown(value)} can't be read. Give {what}.")


def _epoch(number: float) -> pd.Timestamp:
    """A date from seconds, ms, us or ns since 1970; the unit is inferred from the size of the number."""
    for per_second in EPOCH_UNITS.values():
        if EPOCH_RANGE[0] * per_second <= number <= EPOCH_RANGE[1] * per_second:
            return pd.Timestamp(round(number * (1e6 / per_second)), unit="us")
    raise ValueError(number)


def time_texts(time: pd.Series) -> pd.Series:
    """Times as written in row ids: ISO 8601 for dates, the number otherwise."""
    if pd.api.types.is_datetime64_dtype(time):
        unit = "us" if bool((time.dropna().dt.microsecond != 0).any()) else "s"
        texts = np.datetime_as_string(time.to_numpy().astype(f"datetime64[{unit}]")).astype(object)
    else:
        texts = np.array(
            [str(int(t)) if t == t // 1 and abs(t) < 1e15 else repr(t) for t in time.tolist()], dtype=object
        )
    return pd.Series(np.where(time.isna(), "no time", texts), index=time.index).astype("str")


def _read(values: pd.Series) -> tuple[pd.Series, list[str], bool]:
    """The times, sentences about them, and whether they are dates without a zone."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        utc = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return utc, [f"Times were converted from {values.dt.tz} to UTC."], False
    if pd.api.types.is_datetime64_dtype(values):
        return values, [], True
    if pd.api.types.is_timedelta64_dtype(values):
        return values.dt.total_seconds(), [], False
    if pd.api.types.is_bool_dtype(values):
        return pd.Series(np.full(len(values), np.nan)), [], False
    if pd.api.types.is_numeric_dtype(values):
        return *_from_numbers(values), False
    numbers = pd.to_numeric(values.where(values.notna(), None), errors="coerce")
    if numbers.notna().mean() > 0.5:
        return *_from_numbers(numbers), False
    return _from_texts(values)


def _from_numbers(values: pd.Series) -> tuple[pd.Series, list[str]]:
    """Epoch numbers become dates by their size; the rest are seconds."""
    exact = values.dropna()
    numbers = values.astype("float64").replace([np.inf, -np.inf], np.nan)
    known = numbers.dropna()
    if known.empty:
        return numbers, []
    low, high = known.quantile([0.05, 0.95])
    for unit, per_second in EPOCH_UNITS.items():
        if EPOCH_RANGE[0] * per_second <= low and high <= EPOCH_RANGE[1] * per_second:
            far = (numbers < 0) | (numbers > EPOCH_RANGE[1] * per_second)
            if pd.api.types.is_integer_dtype(exact):  # nanoseconds do not fit in a float64
                whole = pd.to_datetime(exact[~far[exact.index]], unit=unit)
            else:
                whole = pd.to_datetime((numbers[~far] * (1e6 / per_second)).round().dropna().astype("int64"), unit="us")
            return whole.reindex(values.index), [f"Times are read as {unit} since 1970, in UTC."]
    if values.dtype == np.float32:  # the shortest decimal: float64 would add meaningless digits to the row ids
        numbers = pd.Series(values.to_numpy().astype(str).astype(np.float64)).replace([np.inf, -np.inf], np.nan)
    return numbers, []


def _from_texts(values: pd.Series) -> tuple[pd.Series, list[str], bool]:
    known = values.dropna()
    sample = (
        known.iloc[np.unique(np.linspace(0, len(known) - 1, min(len(known), SAMPLE)).astype(int))]
        if len(known)
        else known
    )
    best, notices = _format_of(sample)
    time = _parse(values, best).dt.tz_localize(None)
    has_zone = best == "ISO8601" and sample.astype(str).str.contains(ZONE, regex=True).any()
    if has_zone:
        notices.append("Times with a zone were converted to UTC.")
    return time, notices, not has_zone


def _format_of(sample: pd.Series) -> tuple[str, list[str]]:
    """The format that reads most values; between day and month first, the one in which time runs forward."""
    if _parse(sample, "ISO8601").notna().mean() > 0.9:
        return "ISO8601", []
    ranked = []
    for form in ("ISO8601", *(day + hour for day, hour in product(DAYS, HOURS))):
        time = _parse(sample, form)
        steps = time.dropna().diff().dropna()
        forward = float((steps >= pd.Timedelta(0)).mean()) if len(steps) else 0.0
        ranked.append((float(time.notna().mean()), forward, form))
    best = max(ranked, key=lambda candidate: candidate[:2])
    rivals = [form for share, _, form in ranked if share == best[0] > 0 and form != best[2]]
    notices = (
        []
        if best[0] == 0 or best[2] == "ISO8601"
        else [f"Times such as {sample.iloc[0]!r} are read as {_in_words(best[2])}."]
    )
    if rivals and notices:
        notices.append(
            f"They could also be read as {_in_words(rivals[0])}; the order in which time runs forward was used."
        )
    return best[2], notices


def _in_words(form: str) -> str:
    for code, word in {
        "%Y": "YYYY",
        "%y": "YY",
        "%m": "MM",
        "%d": "DD",
        "%H": "hh",
        "%I": "hh",
        "%M": "mm",
        "%S": "ss",
        ".%f": ".ffffff",
        "%p": "AM/PM",
    }.items():
        form = form.replace(code, word)
    return form


def _parse(values: pd.Series, form: str) -> pd.Series:
    return pd.to_datetime(written(values), format=form, utc=True, errors="coerce")


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
