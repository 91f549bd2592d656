"""The values that a column of a table can have, by the detector's encoding of it."""

import difflib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.calendar_encoding import CalendarEncoding
from ad_core.data.tables.category_encoding import FrequencyEncoding, OneHotEncoding
from ad_core.data.tables.date_encoding import DateEncoding
from ad_core.data.tables.encoding import ColumnEncoding
from ad_core.data.tables.known_levels import KnownLevels
from ad_core.data.tables.number_encoding import BooleanEncoding, NumberEncoding
from ad_core.data.tables.values import known_of, level_text, numbers, parse_dates
from ad_core.data.tables.watched_encoding import WatchedEncoding
from ad_core.errors import DataError

DAY = 86_400
MOST_DECIMALS = 6
LOOKED_AT = 2000
"""Approximate number of cells of a column from which its number of decimals is inferred."""


class Allowed(BaseModel):
    """The values that a cell of one column can take."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: ColumnKind
    levels: tuple[str, ...] = ()
    """For categories: all levels."""
    low: float | None = None
    high: float | None = None
    """Range of the training rows: numbers in the user's unit, dates in seconds since 1970."""
    decimals: int | None = None
    """For numbers: digits after the point, 0 = whole numbers; None = any."""
    missing: bool = False
    """Whether a cell may be empty, as some were in the training rows."""
    whole_days: bool = False
    """For dates: none has a time of day."""
    date_format: str | None = None
    """Format of dates that are texts; None where pandas holds dates."""

    def read(self, text: Any) -> Any:
        """Convert typed input to a value of the column: None, a number, a level, or a date.

        Raises:
            DataError: the column can't have this value.
        """
        if text is None or text is pd.NaT or (isinstance(text, float) and np.isnan(text)) or str(text).strip() == "":
            if not self.missing:
                raise DataError(f"Column {self.name!r} was never empty in the training rows. Give it a value.")
            return None
        if self.levels:
            return self._level(text)
        if self.kind is ColumnKind.NUMBER:
            return self._number(text)
        if self.kind is ColumnKind.DATE:
            return self._date(text)
        return str(text)

    def rounded(self, value: float) -> float:
        """A number rounded to the decimals of this column."""
        return value if self.decimals is None else round(value, self.decimals) + 0.0

    def moment(self, seconds: float) -> Any:
        """A date, or a date with its time of day, as a cell of the column."""
        unit = DAY if self.whole_days else 1
        return self.date_cell(pd.Timestamp(round(seconds / unit) * unit, unit="s"))

    def moment_of(self, cell: Any) -> pd.Timestamp | None:
        """A cell of a column of dates as a time in UTC; None where it is empty or not a date."""
        date = parse_dates(pd.Series([cell], dtype="object").infer_objects(), self.date_format).iloc[0]
        return None if pd.isna(date) else pd.Timestamp(date)

    def same(self, cell: Any, text: Any) -> bool:
        """Whether typed input equals the current value of a cell."""
        typed = None if text is None or not str(text).strip() else str(text)
        if typed is None or pd.isna(cell):
            return typed is None and bool(pd.isna(cell))
        if self.kind is ColumnKind.NUMBER and not self.levels:
            try:
                return float(typed) == self.rounded(float(cell))
            except ValueError:
                return False
        if self.kind is ColumnKind.DATE:
            return bool(self.moment_of(cell) == pd.to_datetime(typed, errors="coerce", utc=True).tz_localize(None))
        cell, typed = level_text(cell), level_text(typed)
        at = self._known.position(cell)
        return cell == typed or (at >= 0 and at == self._known.position(typed))

    def date_cell(self, moment: pd.Timestamp) -> Any:
        """A date as a cell of the column: a text in its format, or a pandas time stamp."""
        if self.date_format is None:
            return moment
        if self.date_format != "ISO8601":
            return moment.strftime(self.date_format)
        return moment.date().isoformat() if self.whole_days else moment.isoformat(" ")

    @cached_property
    def _known(self) -> KnownLevels:
        return KnownLevels(self.levels, is_truth=self.kind is ColumnKind.BOOLEAN)

    def _level(self, text: Any) -> str:
        wanted = level_text(text)
        if (at := self._known.position(wanted)) >= 0:
            return self.levels[at]
        close = difflib.get_close_matches(wanted, self.levels, n=1)
        shown = ", ".join(self.levels[:8]) + (", ..." if len(self.levels) > 8 else "")
        hint = f"Did you mean {close[0]!r}?" if close else f"There is: {shown}."
        raise DataError(f"{wanted!r} is not a value of {self.name!r} that the detector knows. {hint}")

    def _number(self, text: Any) -> float:
        try:
            value = float(str(text).strip())
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise DataError(f"{str(text)!r} is not a number, which column {self.name!r} needs.")
        if self.decimals == 0 and value != int(value):
            raise DataError(f"Column {self.name!r} holds whole numbers only, but {text} is not one. Round it.")
        return value

    def _date(self, text: Any) -> Any:
        moment = pd.to_datetime(text, errors="coerce", utc=True)
        if pd.isna(moment):
            raise DataError(
                f"{str(text)!r} is not a date, which column {self.name!r} needs. Write it as 2026-01-31 14:05."
            )
        return self.date_cell(moment.tz_localize(None))


def allowed_in(codes: Sequence[ColumnEncoding], data: pd.DataFrame) -> dict[str, Allowed]:
    """The allowed values of each column that the detector uses, by name.

    Args:
        data: the user's rows, from which the decimals of numbers are inferred.

    Raises:
        DataError: a column is missing.
    """
    codes = [code for code in codes if code.name in data or not isinstance(code, WatchedEncoding)]
    if gone := [code.name for code in codes if code.name not in data]:
        raise DataError(
            f"The detector needs {', '.join(map(repr, gone))}, which these data do not have. Open the file that "
            f"was scored."
        )
    return {code.name: _of(code, data[code.name]) for code in codes}


def _of(code: ColumnEncoding, column: pd.Series) -> Allowed:
    facts: dict[str, Any] = {"name": code.name, "kind": code.kind, "missing": code.has_missing}
    if isinstance(code, WatchedEncoding):
        facts["missing"] = True
        if code.kind is ColumnKind.DATE:
            return Allowed(**facts, low=code.low, high=code.high, date_format=_form(code.date_format, column))
        if code.kind is not ColumnKind.NUMBER:
            return Allowed(**facts)
        return Allowed(**facts, low=code.low, high=code.high, decimals=_decimals(column))
    if isinstance(code, OneHotEncoding):
        return Allowed(**facts, levels=code.levels)
    if isinstance(code, BooleanEncoding):
        return Allowed(**facts, levels=tuple(dict.fromkeys((code.zero, code.one))))
    if isinstance(code, FrequencyEncoding):
        return Allowed(**facts, levels=tuple(code.counts))
    if isinstance(code, NumberEncoding):
        return Allowed(**facts, low=code.low, high=code.high, decimals=_decimals(column))
    if isinstance(code, CalendarEncoding) and code.is_number:
        return Allowed(**facts, low=code.low, high=code.high, decimals=_decimals(column))
    if isinstance(code, DateEncoding | CalendarEncoding):
        form = _form(code.date_format, column)
        whole = "hour" not in code.cycles and code.low % DAY == 0
        return Allowed(**facts, low=code.low, high=code.high, date_format=form, whole_days=whole)
    return Allowed(**facts)


def _form(date_format: str | None, column: pd.Series) -> str | None:
    """The format of a column's dates that are texts."""
    return None if pd.api.types.is_datetime64_any_dtype(column) else date_format or "ISO8601"


def _decimals(column: pd.Series) -> int | None:
    """Decimals that represent all of these numbers; None where more than MOST_DECIMALS are needed."""
    step = max(1, len(column) // LOOKED_AT)
    known = known_of(numbers(column.iloc[::step])[0])
    for digits in range(MOST_DECIMALS + 1):
        scaled = known * 10.0**digits
        if np.allclose(scaled, np.round(scaled), rtol=1e-12, atol=1e-6 if digits else 0.0):
            return digits
    return None
