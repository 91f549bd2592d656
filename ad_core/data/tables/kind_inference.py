"""Infer the kind of one column of a table, and its caveats."""

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
    holds_categories,
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
MOSTLY = 0.9
"""Minimum share of numbers for a column of texts to be read as numbers; the other cells count as missing."""


@dataclass
class ColumnTraits:
    """Properties of one column before roles are assigned."""

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
    asked: str = ""
    """See `Column`."""
    is_numbered: bool = False
    """The file has no names: its columns are called column 1, column 2, ..."""

    def lower(self, grade: str, reason: str, role: Role | None = None) -> None:
        """Add a caveat; a grade never gets better."""
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
            asked=self.asked,
        )


def unit_of(name: str) -> str | None:
    """The unit in a header such as `speed [m/s]` or `temp (°C)`."""
    match = UNIT.search(name)
    return (match.group(1) or match.group(2)) if match else None


def check_kind(values: pd.Series, kind: ColumnKind) -> None:
    """Check that a column can be read as the kind chosen for it.

    Raises:
        DataError: it has cells that can't; the text names the first.
    """
    wanted, bad = "", np.zeros(len(values), dtype=bool)
    if kind is ColumnKind.NUMBER:
        wanted, bad = "text", numbers(values)[1]
    elif kind is ColumnKind.CALENDAR and is_number_type(values):
        return
    elif kind in (ColumnKind.DATE, ColumnKind.CALENDAR) and not pd.api.types.is_datetime64_any_dtype(values):
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


def traits_of(values: pd.Series, kind: ColumnKind | None) -> ColumnTraits:
    """Properties of one column; `kind` if the user chose it."""
    if kind is ColumnKind.CALENDAR:  # a date or a number, read as a calendar
        traits = traits_of(values, None)
        traits.kind = kind
        return traits
    name = str(values.name)
    if is_number_type(values) and kind in (None, ColumnKind.NUMBER):
        parsed, _ = numbers(values)
        known = known_of(parsed)
        ordered = np.sort(known)  # a hash table of millions of different numbers would be larger than the file
        distinct = int((ordered[1:] != ordered[:-1]).sum()) + bool(len(ordered))
        traits = ColumnTraits(name, values, ColumnKind.NUMBER, 1 - len(known) / max(len(values), 1), distinct)
        traits.kind = ColumnKind.BOOLEAN if kind is None and distinct == 2 and is_boolean(values) else ColumnKind.NUMBER
        traits.is_unique = distinct == len(values)
        whole = traits.is_unique and bool((known == np.floor(known)).all())
        traits.is_sequence = whole and distinct > 1 and bool(ordered[-1] == ordered[0] + distinct - 1)
        return traits
    if pd.api.types.is_datetime64_any_dtype(values) and kind in (None, ColumnKind.DATE):
        distinct = len(pd.unique(values.dropna()))
        traits = ColumnTraits(name, values, ColumnKind.DATE, float(values.isna().mean()), distinct)
        traits.is_unique = distinct == len(values)
        return traits
    column = coded(values)
    traits = ColumnTraits(name, values, kind or ColumnKind.CATEGORY, float(column.missing().mean()), len(column.levels))
    traits.is_unique = len(column.levels) == len(values)
    if kind is None:
        _find_kind(traits, column)
    return traits


def _find_kind(traits: ColumnTraits, column: Coded) -> None:
    """The kind of a column that pandas does not hold as numbers."""
    levels = column.levels
    if not levels:
        return
    if holds_categories(traits.values) and not is_boolean(traits.values, levels):
        traits.lower("A", "Its numbers are categories, as the data say.")
        return
    if is_boolean(traits.values, levels):
        traits.kind = ColumnKind.BOOLEAN
        return
    form, is_ambiguous = date_format(levels)
    if form:
        traits.kind = ColumnKind.DATE
        if is_ambiguous:
            traits.lower("B", f"Dates are read as {form}; day and month could be swapped.")
        return
    keeps_zeros = any(re.fullmatch(r"0\d+", level) for level in levels)
    _, bad = numbers_of(column)
    cells = max(int((~column.missing()).sum()), 1)
    if not bad.any() and not keeps_zeros:
        traits.kind = ColumnKind.NUMBER
        return
    length = float(np.mean([len(level) for level in levels[:1000]]))
    is_category = len(levels) <= FEW_LEVELS or (len(levels) <= 0.5 * cells and length <= LONG_TEXT)
    traits.kind = ColumnKind.CATEGORY if is_category else ColumnKind.TEXT
    if traits.kind is ColumnKind.TEXT:
        traits.is_wording = words_repeat(levels[:: max(1, len(levels) // TEXT_SAMPLE)])
    if bad.sum() <= 0.5 * cells and not keeps_zeros:
        _mixed(traits, bad, cells)


def _mixed(traits: ColumnTraits, bad: np.ndarray, cells: int) -> None:
    row = int(np.flatnonzero(bad)[0])
    value = str(traits.values.iloc[row])[:40]
    traits.is_mixed = True
    what = f"Mostly numbers, but text in {bad.sum()} of {cells} cells, first in row {row + 1} ({value!r})"
    if traits.distinct <= FEW_LEVELS:
        traits.lower("B", f"{what}: used as a category.")
    elif bad.sum() <= (1 - MOSTLY) * cells:
        traits.kind, traits.is_mixed, traits.is_wording = ColumnKind.NUMBER, False, False
        traits.lower(
            "B",
            f"{what}: used as a number; {'that cell counts' if bad.sum() == 1 else 'those cells count'} as missing.",
        )
    else:
        traits.kind = ColumnKind.TEXT
        traits.lower("C", f"{what}: left out. Repair those cells, or mark it as a category.", Role.IGNORE)
