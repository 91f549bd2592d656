"""Running clocks as entries of an item: time of day, weekday and month, but not the elapsed time."""

from typing import Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.date_encoding import phase, seconds_of
from ad_core.data.tables.encoding import MISSING, ColumnEncoding
from ad_core.data.tables.values import coded, is_number_type, numbers, parse_dates

DAY = 86_400.0
LENGTHS = {"hour": DAY, "weekday": 7 * DAY, "month": 365 * DAY}
"""A cycle is used where the training rows cover it twice: half a cycle is elapsed time by another name."""
LATER = 365 * DAY
"""A date is no longer only a later one where it lies this far beyond the last training row [s], or the time that the
training rows cover, if that is longer."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class CalendarEncoding(ColumnEncoding):
    """Hour, weekday and month as sine and cosine where they vary and repeat; later rows look like the training rows.

    One more entry is 0 for all training rows and for all rows that are merely later. It is the distance from them for
    dates before the first training row and for those far in the future, such as a wrong year.
    """

    form: Literal["calendar"] = "calendar"
    date_format: str | None
    is_number: bool
    """The clock is a number of unknown unit."""
    scale: float
    low: float
    high: float
    """Seconds since 1970, or the number itself."""
    cycles: tuple[str, ...]

    @property
    def entries(self) -> int:
        return 1 + 2 * len(self.cycles) + self.has_missing

    def encode(self, values: pd.Series) -> np.ndarray:
        dates = None if self.is_number else parse_dates(values, self.date_format)
        moments = numbers(values)[0] if dates is None else seconds_of(dates)
        missing = np.isnan(moments)
        latest = self.high + max(self.high - self.low, 0.0 if self.is_number else LATER)
        away = np.minimum(moments - self.low, 0.0) + np.maximum(moments - latest, 0.0)
        columns = [np.where(missing, 0.0, away / self.scale)]
        for cycle in self.cycles:
            angle = 2 * np.pi * phase(dates, moments, cycle)
            columns += [np.where(missing, 0.0, np.sin(angle)), np.where(missing, 0.0, np.cos(angle))]
        return np.column_stack([*columns, missing] if self.has_missing else columns)

    def decode(self, entries: np.ndarray) -> list[str | float]:
        gone = entries[:, -1] > 0.5 if self.has_missing else np.zeros(len(entries), dtype=bool)
        phases = self._phases(np.asarray(entries, dtype=np.float64))
        return [MISSING if absent else self._in_words(one) for absent, one in zip(gone, phases, strict=True)]

    def moments(self, entries: np.ndarray) -> np.ndarray:
        """(k,) a time within the training rows that has the hour and the weekday of these entries."""
        if self.is_number or not {"hour", "weekday"} & set(self.cycles):
            return np.full(len(entries), self.high)
        found = []
        for phases in self._phases(np.asarray(entries, dtype=np.float64)):
            day = np.floor(self.high / DAY)
            weekday = round(phases["weekday"] * 7) % 7 if "weekday" in phases else None
            while weekday is not None and (day + 3) % 7 != weekday:  # 1970-01-01 was a Thursday
                day -= 1
            found.append((day + phases.get("hour", (self.high % DAY) / DAY)) * DAY)
        return np.array(found)

    def bad(self, values: pd.Series) -> np.ndarray:
        if self.is_number:
            return numbers(values)[1]
        return np.asarray(parse_dates(values, self.date_format).isna().to_numpy() & ~coded(values).missing())

    def _phases(self, entries: np.ndarray) -> list[dict[str, float]]:
        """For each item the phase in each cycle, 0..1."""
        at = {cycle: 1 + 2 * i for i, cycle in enumerate(self.cycles)}
        turns = {c: (np.arctan2(entries[:, i], entries[:, i + 1]) / (2 * np.pi)) % 1 for c, i in at.items()}
        return [{c: float(turns[c][k]) for c in self.cycles} for k in range(len(entries))]

    def _in_words(self, phases: dict[str, float]) -> str:
        words = []
        if "month" in phases:
            words.append(MONTHS[round(phases["month"] * 12) % 12])
        if "weekday" in phases:
            words.append(WEEKDAYS[round(phases["weekday"] * 7) % 7])
        if "hour" in phases:
            minutes = round(phases["hour"] * 1440) % 1440
            words.append(f"{minutes // 60:02d}:{minutes % 60:02d}")
        first = f"{self.low:g}" if self.is_number else str(pd.Timestamp(self.low, unit="s").date())
        return " ".join(words) or f"from {first} on"


def learn_calendar(name: str, unit: str | None, values: pd.Series, form: str | None) -> CalendarEncoding | None:
    """Fit to the training rows; None where all cells are equal or missing. `form` is as in `parse_dates`."""
    is_number = is_number_type(values)
    dates = None if is_number else parse_dates(values, form)
    moments = numbers(values)[0] if dates is None else seconds_of(dates)
    present = ~np.isnan(moments)
    known = moments[present]
    if not len(known) or (known.min() == known.max() and present.all()):
        return None
    covered, cycles = float(known.max() - known.min()), tuple[str, ...]()
    if dates is not None:
        fitting = (cycle for cycle, length in LENGTHS.items() if covered >= 2 * length)
        cycles = tuple(c for c in fitting if len(np.unique(phase(dates[present], known, c))) > 1)
    return CalendarEncoding(
        name=name,
        kind=ColumnKind.NUMBER if is_number else ColumnKind.DATE,
        unit=unit,
        has_missing=not present.all(),
        date_format=form,
        is_number=is_number,
        scale=float(known.std()) or 1.0,
        low=float(known.min()),
        high=float(known.max()),
        cycles=cycles,
    )
