"""Reading Excel and OpenDocument workbooks into plain pandas columns."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from ad_core.data.files.cell_forms import MISSING, Form
from ad_core.data.files.csv_dialect import SAMPLE_LINES
from ad_core.data.files.excel_errors import error_cells
from ad_core.data.files.header import Layout, find_layout
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.files.stray_lines import TAIL, Stray
from ad_core.errors import DataError

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
"""Endings of the names of workbooks."""
_Rows = list[list[Any]]


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook, by its first bytes: many programs name a text or a web page .xls."""
    with path.open("rb") as file:
        head = file.read(8)
    suffix = path.suffix.lower()
    return head.startswith(b"\xd0\xcf\x11\xe0") or (
        head.startswith(b"PK") and (suffix in SUFFIXES or suffix not in {".zip", ".npz"})
    )


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook in its order; none where the file is no workbook or can't be read."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file() or not is_workbook(path):
        return []
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            return list(book.sheet_names)
    except CalamineError:
        return []


def read_excel(path: Path, reading: Reading = PLAIN) -> tuple[pd.DataFrame, list[str]]:
    """One sheet of a workbook as a data frame, and notices about how it was read.

    The sheet is the one that was declared, else the first filled one that is visible. Durations are numbers in seconds.

    Raises:
        DataError: it can't be read, is protected, has no rows, or has no such sheet.
    """
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            name, first_line, rows, notices = _sheet(path, book, reading)
    except CalamineError as error:
        raise DataError(
            f"{path.name} can't be read as an Excel workbook ({error}). Save it again as .xlsx or as CSV."
        ) from None
    texts = [[_text(cell) for cell in row] for row in rows]
    if reading.header:
        reading = replace(reading, header=max(1, reading.header - first_line))
    layout = find_layout(texts[:SAMPLE_LINES], len(rows[0]), path.name, reading)
    kept, strays = _body(rows, texts, layout, first_line, reading)
    if not kept:
        raise DataError(
            f"Sheet {name!r} of {path.name} has a header ({len(rows[0])} columns) but no rows. Choose a file with rows."
        )
    columns = [_excel_column([row[i] for row in kept]) for i in range(len(rows[0]))]
    frame = pd.concat(columns, axis=1, ignore_index=True)
    frame.columns = pd.Index(layout.names, dtype=object)
    in_seconds = [layout.names[i] for i, column in enumerate(columns) if column.attrs.get("unit") == "s"]
    frame.attrs = {"units": layout.units | dict.fromkeys(in_seconds, "s")}
    if in_seconds:
        notices.append(f"Durations in {path.name} were read in seconds: {', '.join(map(repr, in_seconds[:10]))}.")
    has_gaps = any(cell == "" for row in kept for cell in row)
    return frame, [
        *notices,
        *layout.notices,
        *strays.sentences(path.name),
        *(error_cells(path, name) if has_gaps else []),
    ]


def _sheet(path: Path, book: CalamineWorkbook, reading: Reading) -> tuple[str, int, _Rows, list[str]]:
    """Name, lines above the used area, cells of the used area, and what to say of the choice."""
    names = list(book.sheet_names)
    if reading.sheet is not None and reading.sheet not in names:
        raise DataError(
            f"{path.name} has no sheet {reading.sheet!r}. Its sheets are: {', '.join(map(repr, names[:20]))}."
        )
    filled: dict[str, tuple[int, _Rows]] = {}
    hidden = {meta.name for meta in book.sheets_metadata if meta.visible != SheetVisibleEnum.Visible}
    for name in [reading.sheet] if reading.sheet is not None else names:
        sheet = book.get_sheet_by_name(name)
        rows = sheet.to_python(skip_empty_area=True)
        if rows and any(map(any, rows)):
            filled[name] = (sheet.start or (0, 0))[0], rows
    if not filled:
        where = f"sheet {reading.sheet!r} of {path.name}" if reading.sheet else path.name
        raise DataError(
            f"{where} has no sheet with content. Choose a file with a header line and rows."
            if not reading.sheet
            else f"There is nothing in {where}. Its sheets are: {', '.join(map(repr, names[:20]))}."
        )
    chosen = next((name for name in filled if name not in hidden), next(iter(filled)))
    notices = []
    if reading.sheet is not None and len(names) > 1:
        notices.append(f"Sheet {chosen!r} of {path.name} was read, one of {len(names)}.")
    elif len(filled) > 1:
        which = "first" if chosen == next(iter(filled)) else "first visible one"
        others = ", ".join(repr(name) for name in list(filled)[:10] if name != chosen)
        notices.append(
            f"{path.name} has {len(filled)} filled sheets; the {which}, {chosen!r}, was read. To read another one "
            f"({others}), choose it on the Data page, or give `--sheet NAME`, in Python `sheet=NAME`."
        )
    return chosen, *filled[chosen], notices


def _body(
    rows: _Rows, texts: Sequence[Sequence[str]], layout: Layout, first_line: int, reading: Reading
) -> tuple[_Rows, Stray]:
    """The rows below the header, without lines that are no rows and without empty ones at the end."""
    stray = Stray(layout)
    typed = [at for at, form in enumerate(layout.forms) if form in (Form.NUMBER, Form.DATE)]
    last_filled = max((at for at, row in enumerate(texts) if any(row)), default=-1)
    kept: _Rows = []
    for at in range(layout.body_at, last_filled + 1):
        last = at > last_filled - TAIL
        is_looked_at = last or any(isinstance(rows[at][i], str) and rows[at][i] for i in typed)
        cells = [cell.strip() for cell in texts[at]]
        if reading.every_line or not is_looked_at or stray.is_row(cells, first_line + at + 1, last=last):
            kept.append(rows[at])
    while kept and not any(cell != "" for cell in kept[-1]):
        kept.pop()
    return kept, stray


def _text(cell: Any) -> str:
    """A cell as a text table would have it."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.timedelta):
        return str(cell.total_seconds())
    return str(cell).strip()


def _excel_column(values: list[Any]) -> pd.Series:
    values = [None if isinstance(v, str) and v.strip() in MISSING else v for v in values]
    kinds = {type(v) for v in values if v is not None}
    if kinds & {dt.timedelta} and kinds <= {dt.timedelta, dt.time, int, float}:
        return _seconds(values)
    if str in kinds and len(kinds) > 1:  # numbers among texts look as they did in the sheet
        values = [None if v is None else _text(v) for v in values]
    series = pd.Series(values, dtype=None if kinds else "float64")
    if kinds and kinds <= {int, float}:
        series = series.astype("float64")
        whole = series.notna().all() and bool((series % 1 == 0).all() and series.abs().max() < 2**53)
        return series.astype("int64") if whole else series
    if kinds == {bool} and series.isna().any():
        return series.astype("boolean")
    if series.dtype == object:
        dates = bool(kinds) and all(hasattr(v, "year") for v in values if v is not None)
        return pd.to_datetime(series) if dates else series.map(str, na_action="ignore").astype("str")
    return series


def _seconds(values: Sequence[Any]) -> pd.Series:
    """Durations as numbers [s]; below 24 hours a sheet may hold them as clocks, and 0 as a number (of days)."""

    def seconds(value: Any) -> float:
        if isinstance(value, dt.timedelta):
            return value.total_seconds()
        if isinstance(value, dt.time):
            return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
        return float("nan") if value is None else 86_400.0 * value

    series = pd.Series([seconds(value) for value in values], dtype="float64")
    series.attrs["unit"] = "s"
    return series
