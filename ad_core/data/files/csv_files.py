"""Reading a text table fast and in little memory.

pyarrow reads block by block; each block's columns are stored in the smallest exact type before the next is read.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ad_core.data.files.csv_dialect import MISSING, Dialect, find_dialect, ragged_line
from ad_core.data.files.line_stream import has_strays, rewritten
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.files.stray_lines import MOST, Stray
from ad_core.data.files.swallowed_rows import refuse_swallowed
from ad_core.errors import DataError

BLOCK_BYTES = 1_048_576
LARGE_BYTES = 33_554_432
"""From this file size on, numbers that fit are kept in 32 bits and repeating texts as pandas categories."""
RETRIES = 5

_Chunk: TypeAlias = Any  # a numpy array, or a pyarrow array, which has no types
_WIDER = {
    pa.null(): pa.float64(),
    pa.int64(): pa.float64(),
    pa.date32(): pa.timestamp("s"),
    pa.timestamp("s"): pa.timestamp("ns"),
}


@dataclass
class _Source:
    """The bytes of a table: the file itself, or its rows, rewritten while they are read."""

    path: Path
    dialect: Dialect
    is_rewritten: bool
    every_line: bool = False
    stray: Stray | None = None

    def open(self, types: dict[str, pa.DataType]) -> Any:
        """A reader of its blocks."""
        return csv.open_csv(self._input(), **_options(self.dialect, types, is_rewritten=self.is_rewritten))

    def table(self, types: dict[str, pa.DataType]) -> Any:
        """All of it at once; types are widened where needed, at the price of memory."""
        return csv.read_csv(self._input(), **_options(self.dialect, types, is_rewritten=self.is_rewritten))

    def _input(self) -> Any:
        if not self.is_rewritten:
            return self.path
        self.stray = None if self.every_line else Stray(self.dialect.layout)
        return rewritten(self.path, self.dialect, self.stray)


def read_csv(path: Path, rows: int | None = None, reading: Reading = PLAIN) -> tuple[pd.DataFrame, list[str]]:
    """A text table as a data frame with the header's column names, and notices about how it was read.

    Args:
        rows: maximum number of rows from the beginning (of the first block of the file); None = all.

    Returns:
        Numbers as int64 / float64 (large files: also int32 up to 32,767 and float32 where that is exact), ISO dates as
        datetime64, true/false as bool, the rest as text (large files: category where values repeat). Units that a line
        of the file gives are in `attrs["units"]`.

    Raises:
        DataError: not a text table, a row has more or fewer cells than the header, or a quotation mark is not closed.
    """
    dialect = find_dialect(path, reading)
    is_large = path.stat().st_size >= LARGE_BYTES
    must = dialect.cutting.is_aligned or dialect.is_one_line
    source = _Source(path, dialect, must or (not reading.every_line and has_strays(path, dialect)), reading.every_line)
    columns = _read(source, is_large, rows)
    if not columns or not len(next(iter(columns.values()))):
        raise DataError(
            f"{path.name} has a header ({len(dialect.names)} columns) but no rows. Choose a file with rows."
        )
    frame = pd.DataFrame(columns, copy=False)
    pa.default_memory_pool().release_unused()  # otherwise the process keeps the memory of the blocks
    frame = frame.head(rows) if rows else frame
    refuse_swallowed(frame, dialect, path.name)
    frame.columns = pd.Index(dialect.names, dtype=object)
    frame.attrs["units"] = dialect.layout.units
    return frame, [*dialect.notices, *(source.stray.sentences(path.name) if source.stray else ())]


def _read(source: _Source, is_large: bool, rows: int | None) -> dict[str, Any]:
    """All columns; where a line does not fit, once more without the lines that are no rows."""
    try:
        columns = _columns(source, is_large, rows)
    except pa.ArrowInvalid as error:
        if source.is_rewritten or source.every_line:
            raise _not_rectangular(source.path, source.dialect, error) from None
        source.is_rewritten = True
        try:
            columns = _columns(source, is_large, rows)
        except pa.ArrowInvalid:
            raise _not_rectangular(source.path, source.dialect, error) from None
    have = len(next(iter(columns.values()), ()))
    if source.stray is not None and source.stray.count > max(5, MOST * have):
        line, cells = ragged_line(source.path, source.dialect) or (source.dialect.skip + 1, len(source.dialect.names))
        raise DataError(
            f"{source.stray.count} lines of {source.path.name} are no rows, besides {have} rows (line {line} has "
            f"{cells} cells). Take the table out of the file, or export it again."
        )
    return columns


def _columns(source: _Source, is_large: bool, rows: int | None) -> dict[str, Any]:
    """All columns, keyed by position; types come from the first block and are widened where a later one needs it."""
    dialect = source.dialect
    types = {str(i): pa.string() for i in dialect.texts}
    with source.open(types) as reader:
        schema = reader.schema
    types |= {field.name: pa.string() for field in schema if pa.types.is_time(field.type)}
    for _ in range(RETRIES):
        try:
            return _stream(source, types, is_large, rows)
        except pa.ArrowInvalid as error:
            failed = re.search(r"In CSV column #(\d+):.* conversion error", str(error))
            if not failed:
                raise
            key = failed.group(1)
            types[key] = _WIDER.get(types.get(key, schema.field(key).type), pa.string())
    texts = {key: kind for key, kind in types.items() if kind == pa.string()}
    table = source.table(texts)
    return {
        name: _joined([_small(c, dialect.spaced, is_large) for c in table[name].chunks]) for name in table.column_names
    }


def _options(dialect: Dialect, types: dict[str, pa.DataType], *, is_rewritten: bool) -> dict[str, object]:
    keys = [str(i) for i in range(len(dialect.names))]  # unique, whatever the header says
    is_utf8 = is_rewritten or dialect.encoding.startswith("utf-8")
    encoding = "utf8" if is_utf8 else dialect.encoding  # drops a byte order mark by itself
    return {
        "read_options": csv.ReadOptions(
            column_names=keys,
            skip_rows=0 if is_rewritten else dialect.skip,
            encoding=encoding,
            block_size=max(BLOCK_BYTES, 16 * dialect.line_bytes),
        ),
        "parse_options": csv.ParseOptions(
            delimiter=dialect.cutting.delimiter,
            quote_char=dialect.cutting.quote,
            newlines_in_values=dialect.quoted,
            ignore_empty_lines=len(keys) > 1,
        ),
        "convert_options": csv.ConvertOptions(
            null_values=list(MISSING), strings_can_be_null=True, decimal_point=dialect.decimal, column_types=types
        ),
    }


def _stream(source: _Source, types: dict[str, pa.DataType], is_large: bool, rows: int | None) -> dict[str, Any]:
    dialect = source.dialect
    chunks: dict[str, list[_Chunk]] = {str(i): [] for i in range(len(dialect.names))}
    with source.open(types) as reader:
        for batch in reader:
            for have, column in zip(chunks.values(), batch.columns, strict=True):
                _append(have, _small(column, dialect.spaced, is_large))
            if rows:
                break
    return {key: _joined(chunks.pop(key)) for key in list(chunks)}


def _small(column: pa.Array, spaced: bool, is_large: bool) -> _Chunk:
    """A block's column in the smallest form that keeps every value."""
    if pa.types.is_integer(column.type) and not column.null_count:
        numbers = column.to_numpy(zero_copy_only=False)
        fits = is_large and len(numbers) and numbers.min() >= -32_768 and numbers.max() <= 32_767
        return numbers.astype(np.int32) if fits else numbers.copy()  # 32 bits leave room to calculate with such values
    if pa.types.is_floating(column.type) or (pa.types.is_integer(column.type) and _is_exact(column)):
        numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        half = numbers.astype(np.float32) if is_large else numbers
        return half if is_large and np.array_equal(half, numbers, equal_nan=True) else numbers.copy()
    if pa.types.is_integer(column.type):
        return column.cast(pa.string())  # float64, which missing cells need, would lose digits
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan, dtype=np.float32 if is_large else np.float64)
    if pa.types.is_boolean(column.type) and not column.null_count:
        return column.to_numpy(zero_copy_only=False)
    if pa.types.is_string(column.type) and spaced:
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.is_in(column, value_set=pa.array(MISSING)), None, column)
    if pa.types.is_string(column.type) and is_large:
        encoded = column.dictionary_encode()
        return encoded if len(encoded.dictionary) <= 0.5 * len(column) else column
    return column


def _is_exact(column: pa.Array | np.ndarray) -> bool:
    """Whether every whole number survives as float64."""
    bounds = pc.min_max(column).as_py()
    return bounds["min"] is None or max(-bounds["min"], bounds["max"]) <= 2**53


def _append(have: list[_Chunk], chunk: _Chunk) -> None:
    """Numbers grow in place, so that a column never exists twice."""
    last = have[-1] if have else None
    if not (
        isinstance(last, np.ndarray) and isinstance(chunk, np.ndarray) and (last.dtype == bool) == (chunk.dtype == bool)
    ):
        have.append(chunk)
        return
    kind = np.result_type(last, chunk)
    if last.dtype == np.int64 and kind.kind == "f" and not _is_exact(last):
        have[-1:] = [pa.array(last).cast(pa.string()), pc.cast(pa.array(chunk, from_pandas=True), pa.string())]
        return
    grown = last if last.dtype == kind and last.flags.owndata else last.astype(kind)
    grown.resize(len(last) + len(chunk), refcheck=False)
    grown[-len(chunk) or len(grown) :] = chunk
    have[-1] = grown


def _joined(chunks: list[_Chunk]) -> Any:
    """One pandas column out of a column's blocks."""
    if not chunks:
        return np.empty(0)
    if len(chunks) == 1 and isinstance(chunks[0], np.ndarray):
        return chunks[0]
    arrays = [pa.array(c, from_pandas=True) if isinstance(c, np.ndarray) else c for c in chunks]
    if any(pa.types.is_dictionary(a.type) for a in arrays):
        arrays = [a if pa.types.is_dictionary(a.type) else a.cast(pa.string()).dictionary_encode() for a in arrays]
        column = pa.chunked_array(arrays).unify_dictionaries()
        if len(column.chunk(0).dictionary) <= 0.25 * len(column):
            return column.to_pandas()
        arrays = column.cast(pa.string()).chunks
    if len({a.type for a in arrays}) > 1:
        arrays = [a.cast(pa.string()) for a in arrays]
    column = pa.chunked_array(arrays)
    if pa.types.is_boolean(column.type):
        return pd.Series(column.to_pandas(), dtype="boolean")
    return column.to_pandas(date_as_object=False)


def _not_rectangular(path: Path, dialect: Dialect, error: pa.ArrowInvalid) -> DataError:
    if ragged := ragged_line(path, dialect):
        line, cells = ragged
        where = "blanks" if dialect.cutting.is_aligned else repr(dialect.cutting.delimiter)
        return DataError(
            f"Line {line} of {path.name} has {cells} cells, but the first line has {len(dialect.names)} "
            f"(cut at {where}). Repair that line, or export the table again."
        )
    why = str(error).splitlines()[0][:200]
    return DataError(f"{path.name} can't be read as a table: {why}. Export it again as CSV or Parquet.")
