"""Row ids of tables: the user's id column, or a hash of the row's content."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ad_core.data.dataset import SOURCE_END, row_ids
from ad_core.data.tables.values import level_text

CHUNK, BLOCK = 20_000, 500_000
"""Number of rows that are written as JSON at a time, and of integers that are converted to text at a time."""
NO_ID = "(no id)"


def ids_from_column(values: pd.Series) -> pd.Series:
    """Texts of an id column, unique: repeats get `#2`, `#3`, ... in input order; empty cells are `(no id)`."""
    values = values.reset_index(drop=True)
    if pd.api.types.is_integer_dtype(values) and not values.isna().any():
        return _integer_ids(values)
    codes, uniques = pd.factorize(values)
    levels = [*map(level_text, uniques), NO_ID]
    texts = pd.Series(np.array(levels, dtype=object)[codes], dtype="str")
    return texts if len(set(levels)) == len(levels) == len(codes) + 1 else row_ids(texts)


def _integer_ids(values: pd.Series) -> pd.Series:
    """Converted in blocks and without a Python object for each, which saves memory with millions of ids."""
    blocks = [pa.array(values.iloc[b : b + BLOCK]).cast(pa.large_string()) for b in range(0, len(values), BLOCK)]
    texts = pa.chunked_array(blocks, pa.large_string()).to_pandas().astype("str")
    ordered = np.sort(values.to_numpy())  # a hash table would be several times as large
    return row_ids(texts) if (ordered[1:] == ordered[:-1]).any() else texts


def ids_from_content(data: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """First 16 hex digits of the sha256 of each row's canonical JSON over these columns; repeats get `#2`, `#3`, ...

    Canonical: keys sorted, no blanks, whole numbers without a point, missing and infinite as null, dates as ISO text.
    """
    names = sorted(columns)
    digests = np.empty((len(data), 8), dtype=np.uint8)
    for begin in range(0, len(data), CHUNK):
        part = data.iloc[begin : begin + CHUNK]
        joined = b"".join(hashlib.sha256(text).digest()[:8] for text in _json_rows(part, names))
        digests[begin : begin + len(part)] = np.frombuffer(joined, dtype=np.uint8).reshape(-1, 8)
    texts = _hex(digests)
    keys = pd.Series(digests.view(np.uint64).ravel())
    repeated = keys.duplicated(keep=False).to_numpy()
    if repeated.any():
        texts[repeated] = row_ids(texts[repeated])
    return texts


def ids_over_files(ids: Sequence[pd.Series], names: Sequence[str]) -> pd.Series:
    """The ids of all files, unique: one that occurs in several files begins with the name of its file, as `may.csv|17`.

    So an id says its row whatever else is opened together, and repeats are numbered within their file only.

    Args:
        ids: of each file, unique within it.
        names: of the files.
    """
    texts = pd.concat(list(ids), ignore_index=True)
    repeated = texts.duplicated(keep=False).to_numpy()
    if repeated.any():
        file = np.repeat(np.arange(len(ids)), [len(one) for one in ids])[repeated]
        told = [f"{names[at]}{SOURCE_END}{text}" for at, text in zip(file, texts[repeated], strict=True)]
        texts.iloc[np.flatnonzero(repeated)] = told
        texts = row_ids(texts)  # an id may look like that by itself
    return texts


def _json_rows(part: pd.DataFrame, names: Sequence[str]) -> list[bytes]:
    """Each row as canonical JSON, in UTF-8."""
    if not names:
        return [b"{}"] * len(part)
    pieces: list[Any] = []
    for name in names:
        before = ("," if pieces else "{") + json.dumps(name) + ":"
        pieces += [pa.scalar(before, pa.large_string()), _json_cells(part[name])]
    end = pa.scalar("}", pa.large_string())
    rows = pc.binary_join_element_wise(*pieces, end, pa.scalar("", pa.large_string()))
    encoded: list[bytes] = rows.cast(pa.large_binary()).to_pylist()
    return encoded


def _hex(digests: np.ndarray) -> pd.Series:
    """(n, 8) bytes -> n texts of 16 hex digits, without a Python object for each."""
    text = pa.py_buffer(digests.tobytes().hex().encode())
    offsets = pa.py_buffer(np.arange(0, 16 * len(digests) + 1, 16, dtype=np.int64))
    return pa.LargeStringArray.from_buffers(len(digests), offsets, text).to_pandas().astype("str")


def _json_cells(values: pd.Series) -> Any:
    """Each cell as JSON, as an Arrow array of texts; repeating values are written once."""
    if pd.api.types.is_float_dtype(values) and not pd.api.types.is_extension_array_dtype(values):
        head = values.to_numpy()[:200]
        if len(head) > 1 and len(np.unique(head)) > 0.5 * len(head):
            return _json_floats(values.to_numpy(dtype=np.float64))
    if pd.api.types.is_object_dtype(values):  # pandas treats 1 and True as equal and would write both as the first
        cells = ["null" if missing else _json_cell(v) for v, missing in zip(values, values.isna(), strict=True)]
        return pa.array(cells, pa.large_string())
    codes, uniques = pd.factorize(values)
    levels = [_json_cell(value) for value in uniques]
    levels.append("null")  # code -1
    return pa.array(levels, pa.large_string()).take(pa.array(np.where(codes < 0, len(levels) - 1, codes)))


def _json_floats(values: np.ndarray) -> Any:
    """JSON as Python writes it, whole numbers without a point; Arrow is faster, but writes 1e-5 differently."""
    values = values + 0.0  # turns -0.0 into 0.0
    size = np.abs(values)
    cells = pa.array(values).cast(pa.large_string())
    if (alike := (values == 0) | ((size >= 1e-4) & (size < 1e9))).all():
        return cells
    others = [_json_cell(float(value)) for value in values[~alike]]
    return pc.replace_with_mask(cells, pa.array(~alike), pa.array(others, pa.large_string()))


def _json_cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return json.dumps(float(value) + 0.0).removesuffix(".0") if np.isfinite(value) else "null"
    return json.dumps(level_text(value), ensure_ascii=False)
