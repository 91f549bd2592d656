"""Reading Excel and OpenDocument workbooks into plain pandas columns."""

from pathlib import Path
from typing import Any

import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook

from ad_core.data.files.csv_dialect import MISSING
from ad_core.errors import DataError


def read_excel(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The first filled sheet of a workbook as a data frame, and notices about how it was read.

    Raises:
        DataError: it can't be read, is protected, or has no rows.
    """
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=True) for name in book.sheet_names}
    except CalamineError as error:
        raise DataError(
            f"{path.name} can't be read as an Excel workbook ({error}). Save it again as .xlsx or as CSV."
        ) from None
    filled = {name: rows for name, rows in sheets.items() if rows and any(rows[0])}
    if not filled:
        raise DataError(f"{path.name} has no sheet with content. Choose a file with a header line and rows.")
    name, rows = next(iter(filled.items()))
    if len(rows) == 1:
        raise DataError(
            f"Sheet {name!r} of {path.name} has a header ({len(rows[0])} columns) but no rows. Choose a file with rows."
        )
    notices = (
        [f"{path.name} has {len(filled)} filled sheets; the first, {name!r}, was read."] if len(filled) > 1 else []
    )
    columns = [_excel_column([row[i] for row in rows[1:]]) for i in range(len(rows[0]))]
    frame = pd.concat(columns, axis=1, ignore_index=True)
    frame.columns = pd.Index(rows[0], dtype=object)
    return frame, notices


def _excel_column(values: list[Any]) -> pd.Series:
    values = [None if isinstance(v, str) and v.strip() in MISSING else v for v in values]
    kinds = {type(v) for v in values if v is not None}
    if str in kinds and len(kinds) > 1:  # numbers among texts look as they did in the sheet
        values = [
            str(int(v)) if isinstance(v, float) and v.is_integer() else None if v is None else str(v) for v in values
        ]
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
