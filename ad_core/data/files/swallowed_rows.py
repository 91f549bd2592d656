"""Rows that a quotation mark which is never closed has joined into one cell."""

import csv
from collections.abc import Iterator

import pandas as pd

from ad_core.data.files.cell_forms import fitting
from ad_core.data.files.csv_dialect import Dialect
from ad_core.errors import DataError

LOOKED_AT = 200
"""Maximum number of cells with line breaks that are looked at in a column: the longest ones."""


def refuse_swallowed(frame: pd.DataFrame, dialect: Dialect, file: str) -> None:
    """Refuse a table with a cell whose lines are rows; a text of several lines is none.

    Raises:
        DataError: it names the row, the column, and the number of lines.
    """
    if not dialect.quoted or dialect.cutting.is_aligned or len(dialect.names) < 2:
        return
    for at, name in enumerate(dialect.names):
        for row, cell in _of_several_lines(frame.iloc[:, at]):
            if rows := _rows_in(cell, dialect):
                raise DataError(
                    f"The cell of {name!r} in row {row + 1} of {file} begins with a quotation mark that is not closed, "
                    f"so {rows} lines that look like rows became part of it. Close or remove the quotation mark."
                )


def _of_several_lines(column: pd.Series) -> list[tuple[int, str]]:
    """Position and text of the longest cells with a line break."""
    if not isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype):
        return []
    cells = column.reset_index(drop=True)
    found = cells[cells.astype("str").str.contains(r"[\r\n]", na=False)].astype("str")
    longest = found.str.len().sort_values(ascending=False, kind="stable").index[:LOOKED_AT]
    return [(int(at), str(found[at])) for at in longest]


def _rows_in(cell: str, dialect: Dialect) -> int:
    """Number of the lines of a cell after its first that are rows; 0 where most are none."""
    lines = [line for line in cell.splitlines()[1:] if line.strip()]
    rows = sum(_is_row(cells, dialect) for cells in _cut(lines, dialect))
    return rows if rows > 0.5 * len(lines) else 0


def _cut(lines: list[str], dialect: Dialect) -> Iterator[list[str]]:
    for line in lines:
        try:
            yield next(csv.reader([line], delimiter=dialect.cutting.delimiter, quotechar=dialect.cutting.quote), [])
        except csv.Error:
            yield []


def _is_row(cells: list[str], dialect: Dialect) -> bool:
    if len(cells) != len(dialect.names):
        return False
    fit, misfit, _ = fitting([cell.strip() for cell in cells], dialect.layout.forms)
    return fit > 0 and misfit == 0
