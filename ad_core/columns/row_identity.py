"""Row ids of tables: the user's id column, or a hash of what is in the row."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from ad_core.columns.values import level_text
from ad_core.reader import row_ids

CHUNK = 20_000
NO_ID = "(no id)"


def ids_from_column(values: pd.Series) -> pd.Series:
    """Texts of an id column, unique: repeats get `#2`, `#3`, ... in input order; empty cells are `(no id)`."""
    values = values.reset_index(drop=True)
    if pd.api.types.is_integer_dtype(values) and not values.isna().any():
        texts = pa.array(values).cast(pa.large_string()).to_pandas().astype("str")  # no Python object for each
        return texts if values.is_unique else row_ids(texts)
    codes, uniques = pd.factorize(values)
    levels = [*map(level_text, uniques), NO_ID]
    texts = pd.Series(np.array(levels, dtype=object)[codes], dtype="str")
    return texts if len(set(levels)) == len(levels) == len(codes) + 1 else row_ids(texts)


def ids_from_content(data: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """First 16 hex digits of the sha256 of each row's canonical JSON over these columns; repeats get `#2`, `#3`, ...

    Canonical: keys sorted, no blanks, whole numbers without a point, missing and infinite as null, dates as ISO text.
    """
    names = sorted(columns)
    template = "{" + ",".join(f"{json.dumps(name).replace('%', '%%')}:%s" for name in names) + "}"
    digests = np.empty((len(data), 8), dtype=np.uint8)
    for begin in range(0, len(data), CHUNK):
        part = data.iloc[begin : begin + CHUNK]
        cells = zip(*[_json_cells(part[name]) for name in names], strict=True) if names else [()] * len(part)
        joined = b"".join(hashlib.sha256((template % row).encode()).digest()[:8] for row in cells)
        digests[begin : begin + len(part)] = np.frombuffer(joined, dtype=np.uint8).reshape(-1, 8)
    texts = _hex(digests)
    keys = pd.Series(digests.view(np.uint64).ravel())
    repeated = keys.duplicated(keep=False).to_numpy()
    if repeated.any():
        texts[repeated] = row_ids(texts[repeated])
    return texts


def _hex(digests: np.ndarray) -> pd.Series:
    """(n, 8) bytes -> n texts of 16 hex digits, without a Python object for each."""
    text = pa.py_buffer(digests.tobytes().hex().encode())
    offsets = pa.py_buffer(np.arange(0, 16 * len(digests) + 1, 16, dtype=np.int64))
    return pa.LargeStringArray.from_buffers(len(digests), offsets, text).to_pandas().astype("str")


def _json_cells(values: pd.Series) -> list[str]:
    """Each cell as JSON; repeating values are written once."""
    if pd.api.types.is_float_dtype(values) and not pd.api.types.is_extension_array_dtype(values):
        head = values.to_numpy()[:200]
        if len(head) > 1 and len(np.unique(head)) > 0.5 * len(head):
            return _json_floats(values.to_numpy(dtype=np.float64))
    if pd.api.types.is_object_dtype(values):  # 1 and True are equal to pandas, and the first would stand for both
        return ["null" if missing else _json_cell(v) for v, missing in zip(values, values.isna(), strict=True)]
    codes, uniques = pd.factorize(values)
    levels = [_json_cell(value) for value in uniques]
    levels.append("null")  # code -1
    return [levels[code] for code in codes.tolist()]


def _json_floats(found: np.ndarray) -> list[str]:
    missing = ~np.isfinite(found)
    found = np.where(missing, 0.0, found) + 0.0  # turns -0.0 into 0.0
    cells = json.dumps(found.tolist())[1:-1].split(", ")
    for row in np.flatnonzero(found == np.floor(found)):
        cells[row] = cells[row].removesuffix(".0")
    for row in np.flatnonzero(missing):
        cells[row] = "null"
    return cells


def _json_cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _json_floats(np.array([float(value)]))[0]
    return json.dumps(level_text(value), ensure_ascii=False)
