"""Reading Parquet into plain pandas columns, in little memory."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ad_core.errors import DataError


def read_parquet(path: Path, rows: int | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A Parquet file as a frame with the column names of the file, and what should be known about it.

    Args:
        rows: only so many from the beginning; None = all.

    Raises:
        DataError: it is damaged, or has no rows or no columns.
    """
    try:
        file = pq.ParquetFile(path)
        first = [] if rows is None else [next(file.iter_batches(batch_size=rows), None)]
        table = file.read() if rows is None else pa.Table.from_batches([b for b in first if b], file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0][:150]
        raise DataError(f"{path.name} can't be read as Parquet ({why}). It may be cut off: export it again.") from None
    if not table.num_rows or not table.num_columns:
        raise DataError(
            f"{path.name} has {table.num_columns} columns and {table.num_rows} rows. Choose a file with rows."
        )
    notices, arrays = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        arrays.append(_plain(column))
        if pa.types.is_nested(column.type):
            notices.append(f"Each cell of {name!r} in {path.name} holds several values; they are kept as one text.")
    names = table.column_names
    del table
    plain = pa.table(arrays, names=[str(i) for i in range(len(names))])
    del arrays
    frame = plain.to_pandas(split_blocks=True, self_destruct=True, date_as_object=False)
    frame.columns = pd.Index(names, dtype=object)
    return frame, notices


def _plain(column: Any) -> Any:
    """Arrow types that pandas has no plain form for, in the nearest that it has."""
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
