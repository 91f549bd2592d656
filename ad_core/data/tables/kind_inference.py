"""What is in one column of a table: its kind, and caveats that it has by itself."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Role
from ad_core.data.tables.text_encoding import words_repeat
from ad_core.data.tables.values import (
    Coded,
    coded,
    date_format,
    is_boolean,
    is_number_type,
    known_of,
    numbers,
    numbers_of,
    parse_dates,
)
from ad_core.errors import DataError

UNIT = re.compile(r"\S\s*(?:\[\s*([^\[\]]{1,20}?)\s*\]|\(\s*([^()]{1,20}?)\s*\))\s*$")
FEW_LEVELS = 20
LONG_TEXT = 60
TEXT_SAMPLE = 1000


@dataclass
class ColumnTraits:
    """What is found in one column before roles are given."""

    name: str
    values: pd.Series
    kind: ColumnKind
    missing: float
    distinct: int
    role: Role = Role.FEATURE
    grade: str = "A"
    reasons: list[str] = field(default_factory=list)
    is_unique: bool = False
    is_sequence: bool = False
    is_mixed: bool = False
    """Mostly numbers, with some text."""
    is_wording: bool = False
    """Free text whose words repeat."""

    def lower(self, grade: str, reason: str, role: Role | None = None) -> None:
        """Note a caveat; a grade never rises."""
        self.grade = max(self.grade, grade)
        self.reasons.append(reason)
        self.role = role or self.role

    def column(self) -> Column:
        """As the schema keeps it."""
        return Column(
            name=self.name,
            role=self.role,
            kind=self.kind,
            unit=unit_of(self.name),
            missing=round(self.missing, 6),
            distinct=self.distinct,
            grade=self.grade,
            reason=" ".join(self.reasons),
        )


def unit_of(name: str) -> str | None:
    """The unit in a header such as `speed [m/s]` or `temp (°C)`."""
    found = UNIT.search(name)
    return (found.group(1) or found.group(2)) if found else None


def check_kind(values: pd.Series, kind: ColumnKind) -> None:
    """Whether a column can be read as a kind that somebody chose for it.

    Raises:
        DataError: it has cells that can't; the text names the first.
    """
    wanted, bad = "", np.zeros(len(values), dtype=bool)
    if kind is ColumnKind.NUMBER:
        wanted, bad = "text", numbers(values)[1]
    elif kind is ColumnKind.DATE and not pd.api.types.is_datetime64_any_dtype(values):
        column = coded(values)
        form, _ = date_format(column.levels)
        unread = parse_dates(values, form).isna().to_numpy() & ~column.missing()
        wanted, bad = "something other than a date of one form", unread if form is None else np.zeros_like(unread)
    elif kind is ColumnKind.BOOLEAN and len(coded(values).levels) > 2:
        raise DataError(
            f"Column {values.name!r} has {len(coded(values).levels)} different values, so it is not true or false. "
            f"Mark it as a category on the Data page, or leave it out."
        )
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"Column {values.name!r} has {wanted} in {bad.sum()} of {len(values)} rows, first in row {row + 1} "
            f"({str(values.iloc[row])[:40]!r}). Mark it as a category on the Data page, or leave it out."
        )


def look_at(values: pd.Series, kind: ColumnKind | None) -> ColumnTraits:
    """One column by itself; `kind` where somebody has chosen it."""
    name = str(values.name)
    if is_number_type(values) and kind in (None, ColumnKind.NUMBER):
        found, _ = numbers(values)
        there = known_of(found)
        ordered = np.sort(there)  # a hash table of millions of different numbers would be larger than the file
        distinct = int((ordered[1:] != ordered[:-1]).sum()) + bool(len(ordered))
        look = ColumnTraits(name, values, ColumnKind.NUMBER, 1 - len(there) / max(len(values), 1), distinct)
        look.kind = ColumnKind.BOOLEAN if kind is None and distinct == 2 and is_boolean(values) else ColumnKind.NUMBER
        look.is_unique = distinct == len(values)
        whole = look.is_unique and bool((there == np.floor(there)).all())
        look.is_sequence = whole and distinct > 1 and bool(ordered[-1] == ordered[0] + distinct - 1)
        return look
    if pd.api.types.is_datetime64_any_dtype(values) and kind in (None, ColumnKind.DATE):
        distinct = len(pd.unique(values.dropna()))
        look = ColumnTraits(name, values, ColumnKind.DATE, float(values.isna().mean()), distinct)
        look.is_unique = distinct == len(values)
        return look
    column = coded(values)
    look = ColumnTraits(name, values, kind or ColumnKind.CATEGORY, float(column.missing().mean()), len(column.levels))
    look.is_unique = len(column.levels) == len(values)
    if kind is None:
        _find_kind(look, column)
    return look


def _find_kind(look: ColumnTraits, column: Coded) -> None:
    """The kind of a column that pandas does not hold as numbers."""
    levels = column.levels
    if not levels:
        return
    if is_boolean(look.values, levels):
        look.kind = ColumnKind.BOOLEAN
        return
    form, is_ambiguous = date_format(levels)
    if form:
        look.kind = ColumnKind.DATE
        if is_ambiguous:
            look.lower("B", f"Dates are read as {form}; day and month could be the other way round.")
        return
    keeps_zeros = any(re.fullmatch(r"0\d+", level) for level in levels)
    _, bad = numbers_of(column)
    cells = max(int((~column.missing()).sum()), 1)
    if not bad.any() and not keeps_zeros:
        look.kind = ColumnKind.NUMBER
        return
    length = float(np.mean([len(level) for level in levels[:1000]]))
    is_category = len(levels) <= FEW_LEVELS or (len(levels) <= 0.5 * cells and length <= LONG_TEXT)
    look.kind = ColumnKind.CATEGORY if is_category else ColumnKind.TEXT
    if look.kind is ColumnKind.TEXT:
        look.is_wording = words_repeat(levels[:: max(1, len(levels) // TEXT_SAMPLE)])
    if bad.sum() <= 0.5 * cells and not keeps_zeros:
        _mixed(look, bad, cells)


def _mixed(look: ColumnTraits, bad: np.ndarray, cells: int) -> None:
    row = int(np.flatnonzero(bad)[0])
    value = str(look.values.iloc[row])[:40]
    look.is_mixed = True
    what = f"Mostly numbers, but text in {bad.sum()} of {cells} cells, first in row {row + 1} ({value!r})"
    if look.distinct <= FEW_LEVELS:
        look.lower("B", f"{what}: taken as a category.")
    else:
        look.kind = ColumnKind.TEXT
        look.lower("C", f"{what}: left out. Repair those cells, or mark it as a category.", Role.IGNORE)
