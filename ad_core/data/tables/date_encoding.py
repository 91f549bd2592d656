"""Dates as entries of an item."""

from typing import Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.limits import EntryLimits
from ad_core.data.tables.encoding import MISSING, ColumnEncoding, cells_of
from ad_core.data.tables.values import coded, parse_dates

_DAY = 86_400.0
LATER = 10 * 365.25 * _DAY
"""How long after the last training row a date is usual: longer than a detector is in use [s]."""
_CYCLES = ("hour", "weekday", "month")


class DateEncoding(ColumnEncoding):
    """Elapsed time as a z-score, and hour, weekday and month as sine and cosine where they vary.

    A method sees elapsed time clipped to the range of the training rows. Outside, the score rises with the distance in
    ranges of the training rows, slowly at first. Earlier dates count from the first of the training rows on. Later ones
    count only from LATER, or one range, after the last: rows are not anomalous because they are later, as time moves
    on, but a date of another century is.
    """

    form: Literal["date"] = "date"
    date_format: str | None
    mean: float
    scale: float
    low: float
    high: float
    """Seconds since 1970."""
    cycles: tuple[str, ...]

    @property
    def entries(self) -> int:
        return 1 + 2 * len(self.cycles) + self.has_missing

    def encode(self, values: pd.Series) -> np.ndarray:
        dates = parse_dates(values, self.date_format)
        seconds = seconds_of(dates)
        missing = np.isnan(seconds)
        held = np.where(missing, self.mean, seconds)
        columns = [(held - self.mean) / self.scale]
        for cycle in self.cycles:
            angle = 2 * np.pi * phase(dates, seconds, cycle)
            columns += [np.where(missing, 0.0, np.sin(angle)), np.where(missing, 0.0, np.cos(angle))]
        return np.column_stack([*columns, missing] if self.has_missing else columns)

    def limits(self, clip: float) -> list[EntryLimits]:
        low, high = ((end - self.mean) / self.scale for end in (self.low, self.high))
        found = super().limits(clip)
        span = (high - low) or _DAY
        later = max(span, LATER / self.scale)
        found[0] = EntryLimits(max(low, -clip), min(high, clip), low, high + later, span, certain=False)
        return found

    def decode(self, entries: np.ndarray) -> list[str | float]:
        seconds = np.asarray(entries, dtype=np.float64)[:, 0] * self.scale + self.mean
        gone = entries[:, -1] > 0.5 if self.has_missing else np.zeros(len(seconds), dtype=bool)
        has_time = "hour" in self.cycles or self.low % _DAY != 0  # a constant hour is that of `low`
        texts = _iso(seconds, "s" if has_time else "D")
        return [MISSING if absent else text for text, absent in zip(texts, gone, strict=True)]

    def bad(self, values: pd.Series) -> np.ndarray:
        return np.asarray(parse_dates(values, self.date_format).isna().to_numpy() & ~coded(values).missing())

    def differences(self, values: pd.Series) -> list[str]:
        seconds = seconds_of(parse_dates(values, self.date_format))
        outside = np.flatnonzero((seconds < self.low) | (seconds > self.high))
        told = super().differences(values) + self.unreadable(values)
        if not len(outside):
            return told
        ends = " to ".join(_iso(np.array([self.low, self.high]), "D"))
        farthest = outside[np.argsort(-np.maximum(self.low - seconds, seconds - self.high)[outside], kind="stable")]
        share = len(outside) / len(values)
        return [
            *told,
            f"{share:.0%} of {self.name!r} lies outside {ends}, the time of the training rows, farthest first in "
            f"{cells_of(values, farthest)}.",
        ]


def seconds_of(dates: pd.Series) -> np.ndarray:
    """(rows,) float64 seconds since 1970, NaN where missing."""
    stamps = dates.to_numpy(dtype="datetime64[us]")  # nanoseconds would end in 2262, and tables have a "valid until"
    return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)


def _iso(seconds: np.ndarray, unit: Literal["s", "D"]) -> list[str]:
    """Seconds since 1970 as ISO texts, to the second or to the day."""
    stamps = np.round(seconds).astype(np.int64).astype("datetime64[s]")
    return [str(text) for text in np.datetime_as_string(stamps, unit=unit, casting="unsafe")]


def phase(dates: pd.Series, seconds: np.ndarray, cycle: str) -> np.ndarray:
    """(rows,) phase in the cycle, 0..1, by whole weekdays or months."""
    if cycle == "hour":
        return np.asarray((seconds % _DAY) / _DAY)
    if cycle == "weekday":
        return np.asarray(dates.dt.day_of_week.to_numpy(dtype=np.float64) / 7)
    return np.asarray((dates.dt.month.to_numpy(dtype=np.float64) - 1) / 12)


def learn_date(name: str, unit: str | None, values: pd.Series, form: str | None) -> DateEncoding | None:
    """Fit to the training rows; None where all dates are the same or missing. `form` is as in `parse_dates`."""
    dates = parse_dates(values, form)
    seconds = seconds_of(dates)
    known = seconds[~np.isnan(seconds)]
    has_missing = len(known) < len(seconds)
    if not len(known) or (known.min() == known.max() and not has_missing):
        return None
    present = dates.notna().to_numpy()
    cycles = tuple(c for c in _CYCLES if len(np.unique(phase(dates[present], known, c))) > 1)
    return DateEncoding(
        name=name,
        kind=ColumnKind.DATE,
        unit=unit,
        has_missing=has_missing,
        date_format=form,
        mean=float(known.mean()),
        scale=float(known.std()) or 1.0,
        low=float(known.min()),
        high=float(known.max()),
        cycles=cycles,
    )
