"""What may stand in a column of a table, by what the detector learnt of it."""

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.category_encoding import FrequencyEncoding, OneHotEncoding
from ad_core.data.tables.date_encoding import DateEncoding
from ad_core.data.tables.encoding import ColumnEncoding, word
from ad_core.data.tables.number_encoding import BooleanEncoding, NumberEncoding
from ad_core.data.tables.values import known_of, level_text, numbers, parse_dates
from ad_core.errors import DataError

DAY = 86_400
MOST_DECIMALS = 6
LOOKED_AT = 2000
"""So many cells of a column tell how many decimals it has."""


class Allowed(BaseModel):
    """The values that a cell of one column can take."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: ColumnKind
    levels: tuple[str, ...] = ()
    """Where the column is a choice, all that there is to choose from."""
    low: float | None = None
    high: float | None = None
    """Range of the training rows: numbers in the user's unit, dates in seconds since 1970."""
    decimals: int | None = None
    """Of numbers: digits after the point, 0 = whole numbers; None = any."""
    missing: bool = False
    """Whether a cell may be empty: some were, among the training rows."""
    whole_days: bool = False
    """Of dates: none has a time of day."""
    date_format: str | None = None
    """How a text is a date; None where pandas holds dates."""

    def read(self, text: Any) -> Any:
        """A value as somebody typed it, as it would stand in the data: None, a number, a level, or a date.

        Raises:
            DataError: it can't stand in this column.
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
        """A number with the digits that this column has."""
        return value if self.decimals is None else round(value, self.decimals) + 0.0

    def moment(self, seconds: float) -> Any:
        """A date, or a date with its time of day, as it stands in the column."""
        unit = DAY if self.whole_days else 1
        return self.date_cell(pd.Timestamp(round(seconds / unit) * unit, unit="s"))

    def moment_of(self, cell: Any) -> pd.Timestamp | None:
        """A cell of a column of dates as a moment in UTC; None where it is empty or no date."""
        found = parse_dates(pd.Series([cell], dtype="object").infer_objects(), self.date_format).iloc[0]
        return None if pd.isna(found) else pd.Timestamp(found)

    def same(self, cell: Any, text: Any) -> bool:
        """Whether a value as somebody typed it is what stands in a cell already."""
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
        same = word if self.kind is ColumnKind.BOOLEAN else str
        return bool(same(level_text(cell)) == same(level_text(typed)))

    def date_cell(self, moment: pd.Timestamp) -> Any:
        """A date as it stands in the column: a text of its format, or as pandas holds it."""
        if self.date_format is None:
            return moment
        if self.date_format != "ISO8601":
            return moment.strftime(self.date_format)
        return moment.date().isoformat() if self.whole_days else moment.isoformat(" ")

    def _level(self, text: Any) -> str:
        wanted = level_text(text)
        same = word if self.kind is ColumnKind.BOOLEAN else str
        for level in self.levels:
            if same(level) == same(wanted):
                return level
        close = difflib.get_close_matches(wanted, self.levels, n=1)
        shown = ", ".join(self.levels[:8]) + (", ..." if len(self.levels) > 8 else "")
        hint = f"Did you mean {close[0]!r}?" if close else f"There is: {shown}."
        raise DataError(f"{wanted!r} is no value of {self.name!r} that the detector knows. {hint}")

    def _number(self, text: Any) -> float:
        try:
            value = float(str(text).strip())
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise DataError(f"{str(text)!r} is no number, which column {self.name!r} needs.")
        if self.decimals == 0 and value != int(value):
            raise DataError(f"Column {self.name!r} holds whole numbers only; {text} is none. Round it.")
        return value

    def _date(self, text: Any) -> Any:
        moment = pd.to_datetime(text, errors="coerce", utc=True)
        if pd.isna(moment):
            raise DataError(
                f"{str(text)!r} is no date, which column {self.name!r} needs. Write it as 2026-01-31 14:05."
            )
        return self.date_cell(moment.tz_localize(None))


def allowed_in(codes: Sequence[ColumnEncoding], data: pd.DataFrame) -> dict[str, Allowed]:
    """What may stand in each column that the detector uses, by name.

    Args:
        data: rows as the user has them; numbers have as many decimals as there.

    Raises:
        DataError: a column is not there any more.
    """
    if gone := [code.name for code in codes if code.name not in data]:
        raise DataError(
            f"The detector needs {', '.join(map(repr, gone))}, which these data do not have. Bring back the file that "
            f"was scored."
        )
    return {code.name: _of(code, data[code.name]) for code in codes}


def _of(code: ColumnEncoding, column: pd.Series) -> Allowed:
    facts: dict[str, Any] = {"name": code.name, "kind": code.kind, "missing": code.has_missing}
    if isinstance(code, OneHotEncoding):
        return Allowed(**facts, levels=code.levels)
    if isinstance(code, BooleanEncoding):
        return Allowed(**facts, levels=tuple(dict.fromkeys((code.zero, code.one))))
    if isinstance(code, FrequencyEncoding):
        return Allowed(**facts, levels=tuple(code.counts))
    if isinstance(code, NumberEncoding):
        return Allowed(**facts, low=code.low, high=code.high, decimals=_decimals(column))
    if isinstance(code, DateEncoding):
        form = None if pd.api.types.is_datetime64_any_dtype(column) else code.date_format or "ISO8601"
        whole = "hour" not in code.cycles and code.low % DAY == 0
        return Allowed(**facts, low=code.low, high=code.high, date_format=form, whole_days=whole)
    return Allowed(**facts)


def _decimals(column: pd.Series) -> int | None:
    """Digits after the point that all of these numbers make do with; None where they need more than a few."""
    step = max(1, len(column) // LOOKED_AT)
    known = known_of(numbers(column.iloc[::step])[0])
    for digits in range(MOST_DECIMALS + 1):
        scaled = known * 10.0**digits
        if np.allclose(scaled, np.round(scaled), rtol=1e-12, atol=1e-6 if digits else 0.0):
            return digits
    return None
