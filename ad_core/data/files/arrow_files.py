"""Feather, Arrow, ORC and JSON files into plain pandas columns, as Arrow reads them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.json
import pyarrow.orc

from ad_core.data.files.parquet_files import plain_frame
from ad_core.errors import DataError

FIRST = 65_536


def arrow_kind(head: bytes, suffix: str) -> str:
    """The name of the format, "" where it is none of these.

    Args:
        head: the first bytes of the file.
    """
    if head.startswith((b"ARROW1", b"FEA1")):
        return "Feather"
    if head.startswith(b"ORC"):
        return "ORC"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if suffix in {".json", ".jsonl", ".ndjson"} and start[:1] in (b"{", b"["):
        return "JSON"
    return "JSON" if _is_object(start) or start.startswith((b"[{", b"[\n", b"[\r\n")) else ""


def read_arrow(path: Path, kind: str, rows: int | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A file of one of these formats as a data frame with the file's column names, and notices about how it was read.

    Args:
        kind: as `arrow_kind` names it.

    Raises:
        DataError: it is damaged, holds something other than a table, or has no rows or no columns.
    """
    try:
        table = _json(path) if kind == "JSON" else _table(path, kind)
    except (pa.ArrowException, OSError, ValueError) as error:
        why = str(error).splitlines()[0][:150]
        raise DataError(f"{path.name} can't be read as {kind} ({why}). Export it again, or as CSV.") from None
    table = table.slice(0, rows) if rows else table
    return plain_frame(path.name, table.column_names, iter(table.columns))


def _table(path: Path, kind: str) -> Any:
    return pyarrow.feather.read_table(path, memory_map=False) if kind == "Feather" else pyarrow.orc.read_table(path)


def _json(path: Path) -> Any:
    """Lines of one object each, or one list of objects."""
    with path.open("rb") as file:
        head = file.read(FIRST)
    if _is_object(head.removeprefix(b"\xef\xbb\xbf").lstrip()):
        try:
            return pyarrow.json.read_json(path)
        except pa.ArrowInvalid as error:
            if " changed from " not in str(error):
                raise
        with path.open(encoding="utf-8-sig") as text:  # slower, but a column may hold numbers and words
            return _table_of([json.loads(line) for line in text if line.strip()])
    whole = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(whole, list) and whole and all(isinstance(row, dict) for row in whole):
        return _table_of(whole)
    raise DataError(
        f"{path.name} is JSON, but no table: it needs one object per line, or one list of objects with a row each."
    )


def _table_of(rows: list[dict[str, Any]]) -> Any:
    """A column for each key of any row; Arrow itself would take the keys of the first row only."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.Table.from_arrays([_array([row.get(name) for row in rows]) for name in names], names)


def _array(values: list[Any]) -> Any:
    """Values of one type, else their texts."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string())


def _is_object(start: bytes) -> bool:
    """Whether the first line is a JSON object."""
    line = start.split(b"\n", 1)[0].strip()
    if line[:1] != b"{":
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
