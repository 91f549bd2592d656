"""Reading Parquet into plain pandas columns, in little memory."""

import base64
import json
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from ad_core.errors import DataError


def read_parquet(path: Path, rows: int | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A Parquet file as a data frame with the file's column names, and notices about how it was read.

    Args:
        rows: maximum number of rows from the beginning; None = all.

    Raises:
        DataError: it is damaged, or has no rows or no columns.
    """
    try:
        file = pq.ParquetFile(path, coerce_int96_timestamp_unit="us")  # in nanoseconds 9999-12-31 would become 1816
        categories = _categories(file)
        if rows is None:
            names, arrays = file.schema_arrow.names, _columns(file)
        else:
            first = [batch] if (batch := next(file.iter_batches(batch_size=rows), None)) else []
            table = pa.Table.from_batches(first, file.schema_arrow)
            names, arrays = table.column_names, iter(table.columns)
        return plain_frame(path.name, names, arrays, categories)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        why = str(error).splitlines()[0][:150]
        raise DataError(f"{path.name} can't be read as Parquet ({why}). It may be cut off: export it again.") from None


def plain_frame(
    file: str, names: Sequence[str], arrays: Iterator[Any], categories: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Columns of Arrow as a data frame of plain types, and notices.

    Args:
        categories: names of columns that stay categories though they hold numbers.

    Raises:
        DataError: there are no rows or no columns, or cells can't be read, such as a text that is not UTF-8.
    """
    notices, columns = [], {}
    for position, (name, column) in enumerate(zip(names, arrays, strict=True)):
        if pa.types.is_nested(column.type):
            notices.append(f"Each cell of {name!r} in {file} holds several values; they are kept as one text.")
        if name in categories and _is_number(column.type):
            column = column.dictionary_encode()
        columns[position] = _to_pandas(column, name, file)
        del column
    frame = pd.DataFrame(columns, copy=False)
    pa.default_memory_pool().release_unused()  # otherwise the process keeps the memory of the columns
    if not len(frame) or not len(frame.columns):
        raise DataError(f"{file} has {len(names)} columns and {len(frame)} rows. Choose a file with rows.")
    frame.columns = pd.Index(names, dtype=object)
    return frame, notices


def _to_pandas(column: Any, name: str, file: str) -> pd.Series:
    try:
        if not pa.types.is_primitive(column.type):
            column.validate(full=True)  # also texts within lists and categories, which fail only later
    except pa.ArrowInvalid as error:
        why = str(error).splitlines()[0][:150]
        raise DataError(f"Column {name!r} of {file} holds bytes that are no text ({why}). Export it again.") from None
    try:
        return _plain(column).to_pandas(date_as_object=False)
    except (pa.ArrowException, ValueError, OverflowError, LookupError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0][:150]
        raise DataError(f"Column {name!r} of {file} ({column.type}) can't be read ({why}). Export it again.") from None


def _categories(file: pq.ParquetFile) -> set[str]:
    """Names of the columns that were categories when the file was written: Parquet keeps only texts as such.

    Both Arrow and pandas say so in the file's metadata; what can't be read there says nothing.
    """
    said = file.metadata.metadata or {}
    names: set[str] = set()
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(said.get(b"ARROW:schema", b""))))
        names |= {field.name for field in schema if pa.types.is_dictionary(field.type)}
    except (pa.ArrowException, ValueError, OSError):
        pass
    try:
        columns = json.loads(said.get(b"pandas", b"{}")).get("columns", ())
        names |= {str(c["name"]) for c in columns if c.get("pandas_type") == "categorical"}
    except (ValueError, TypeError, AttributeError, KeyError):
        pass
    return names


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_partitioned(folder: Path) -> bool:
    """Whether a folder holds one table in sub-folders such as `day=1`."""
    parts = [part for part in folder.iterdir() if part.is_dir() and re.fullmatch(r"[^=]+=.*", part.name)]
    return any(next(part.rglob("*.parquet"), None) for part in parts)


def read_partitioned(folder: Path, rows: int | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A table in sub-folders such as `day=1`; what their names say becomes a column.

    Raises:
        DataError: it is damaged, its files differ, or there are no rows.
    """
    try:
        table = pads.dataset(folder, format="parquet", partitioning="hive")
        content = table.head(rows) if rows else table.to_table()
    except (pa.ArrowException, OSError, ValueError) as error:
        why = str(error).splitlines()[0][:150]
        raise DataError(f"{folder.name} can't be read as Parquet files in sub-folders ({why}).") from None
    named = sorted({part.name.partition("=")[0] for part in folder.rglob("*=*") if part.is_dir()})
    frame, notices = plain_frame(folder.name, content.column_names, iter(content.columns))
    return frame, [*notices, f"The names of the sub-folders of {folder.name} became columns: {', '.join(named)}."]


def _columns(file: pq.ParquetFile) -> Iterator[Any]:
    """One column after the other, so that only one is in memory twice; all at once where names are ambiguous."""
    names = file.schema_arrow.names
    if len(set(names)) < len(names) or any(pa.types.is_nested(field.type) for field in file.schema_arrow):
        yield from file.read().columns
        return
    for name in names:
        yield file.read(columns=[name]).column(0)


def _plain(column: Any) -> Any:
    """Arrow types without a plain pandas type, cast to the nearest one."""
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_duration(column.type):
        return pa.chunked_array([pa.array(column.to_pandas().dt.total_seconds())])
    if pa.types.is_time(column.type) or pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    if (
        pa.types.is_binary(column.type)
        or pa.types.is_large_binary(column.type)
        or pa.types.is_fixed_size_binary(column.type)
    ):
        return pa.chunked_array([pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())])
    return column
