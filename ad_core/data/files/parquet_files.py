"""Reading Parquet into plain pandas columns, in little memory."""

import re
from collections.abc import Iterator, Sequence
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
        file = pq.ParquetFile(path)
        if rows is None:
            names, arrays = file.schema_arrow.names, _columns(file)
        else:
            first = [batch] if (batch := next(file.iter_batches(batch_size=rows), None)) else []
            table = pa.Table.from_batches(first, file.schema_arrow)
            names, arrays = table.column_names, iter(table.columns)
        return plain_frame(path.name, names, arrays)
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0][:150]
        raise DataError(f"{path.name} can't be read as Parquet ({why}). It may be cut off: export it again.") from None


def plain_frame(file: str, names: Sequence[str], arrays: Iterator[Any]) -> tuple[pd.DataFrame, list[str]]:
    """Columns of Arrow as a data frame of plain types, and notices.

    Raises:
        DataError: there are no rows or no columns.
    """
    notices, columns = [], {}
    for position, (name, column) in enumerate(zip(names, arrays, strict=True)):
        if pa.types.is_nested(column.type):
            notices.append(f"Each cell of {name!r} in {file} holds several values; they are kept as one text.")
        columns[position] = _plain(column).to_pandas(date_as_object=False)
        del column
    frame = pd.DataFrame(columns, copy=False)
    pa.default_memory_pool().release_unused()  # otherwise the process keeps the memory of the columns
    if not len(frame) or not len(frame.columns):
        raise DataError(f"{file} has {len(names)} columns and {len(frame)} rows. Choose a file with rows.")
    frame.columns = pd.Index(names, dtype=object)
    return frame, notices


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
    if pa.types.is_time(column.type):
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
