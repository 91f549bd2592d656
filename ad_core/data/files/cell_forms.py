"""The form of cells in a text table: number, date or text; and of the columns that they make up."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from ad_core.data.files.quantity import quantity

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "<NA>", "-", "--", "?")
"""Cells that stand for "no value" in a text file."""
_MISSING = frozenset(MISSING)

MOSTLY = 0.75
"""Minimum share of the cells of a sample that have a column's form."""
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})([ T].*)?"
    r"|\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{2,4}.*|\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?( ?[AaPp][Mm])?"
    r"|\d{2}\.\d{2}\.\d{2}|\d{8}T\d{4,6}.*"
)
_FLOAT = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(inf|Inf|INF|infinity|Infinity)")
ERROR = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)")
"""An Excel error as text."""
_COMMENT = re.compile(r"#\s*[^\s#]|(//|%|!|;|--)\s*[^\s\d.,#/%!;-]")


class Form(StrEnum):
    """What the cells of a column look like."""

    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    EMPTY = "empty"


def is_missing(cell: str) -> bool:
    """Whether a cell stands for "no value"."""
    return cell in _MISSING


def form_of(cell: str) -> Form:
    """The form of one cell without surrounding blanks."""
    if cell in _MISSING:
        return Form.EMPTY
    if _FLOAT.fullmatch(cell):
        return Form.NUMBER
    if _DATE.fullmatch(cell):
        return Form.DATE
    return Form.NUMBER if quantity(cell) is not None else Form.TEXT


def column_forms(rows: Sequence[Sequence[str]], width: int) -> list[Form]:
    """The form of each column of a sample of rows; text where no form has a clear majority."""
    forms = []
    for at in range(width):
        found: list[Form] = [form_of(row[at]) for row in rows if at < len(row)]
        cells: list[Form] = [form for form in found if form != Form.EMPTY]
        of_most = max(Form, key=cells.count) if cells else Form.EMPTY
        forms.append(of_most if not cells or cells.count(of_most) >= MOSTLY * len(cells) else Form.TEXT)
    return forms


def fitting(cells: Sequence[str], forms: Sequence[Form]) -> tuple[int, int, bool]:
    """In the columns of numbers and dates: cells that fit, cells that do not, and whether a date fits."""
    fit = misfit = 0
    date_fits = False
    for cell, form in zip(cells, forms, strict=False):
        if form not in (Form.NUMBER, Form.DATE) or (own := form_of(cell)) is Form.EMPTY:
            continue
        fit += own is form
        misfit += own is not form
        date_fits = date_fits or (own is form is Form.DATE)
    return fit, misfit, date_fits


def is_comment(cells: Sequence[str]) -> bool:
    """Whether a line starts with the sign of a comment; a lone sign or an Excel error is no comment."""
    first = cells[0] if cells else ""
    return bool(_COMMENT.match(first)) and not ERROR.match(first)


def filled(cells: Iterable[str]) -> int:
    """Number of cells with any text."""
    return sum(bool(cell) for cell in cells)
