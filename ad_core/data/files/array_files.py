"""NumPy arrays and ARFF files as tables."""

import io
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from ad_core.data.files.archives import SafeZip
from ad_core.errors import DataError


def array_kind(head: bytes, suffix: str) -> str:
    """The name of the format, "" where it is none of these."""
    if head.startswith(b"\x93NUMPY"):
        return "NumPy"
    if suffix == ".npz" and head.startswith(b"PK"):
        return "NumPy"
    is_arff = suffix == ".arff" or head.lstrip()[:9].lower() == b"@relation"
    return "ARFF" if is_arff else ""


def read_array(path: Path, kind: str, rows: int | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A file of one of these formats as a data frame, and notices about how it was read.

    Args:
        kind: as `array_kind` names it.

    Raises:
        DataError: it is damaged, or holds no table.
    """
    frame, notices = _arff(path) if kind == "ARFF" else _numpy(path)
    return (frame.head(rows) if rows else frame), notices


def _numpy(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Columns of one array, or of all arrays with as many rows as the longest."""
    if zipfile.is_zipfile(path):
        SafeZip(path).close()  # refuses what would unpack to too much
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        why = str(error).splitlines()[0][:150]
        raise DataError(f"{path.name} can't be read as NumPy arrays of numbers or texts ({why}).") from None
    shapes = ", ".join(f"{name or 'array'} {array.shape}" for name, array in arrays.items())
    n = max((len(array) for array in arrays.values() if array.ndim in (1, 2)), default=0)
    used = {name: array for name, array in arrays.items() if array.ndim in (1, 2) and len(array) == n and array.size}
    if not used or n < 1:
        raise DataError(f"{path.name} holds no table: its arrays are {shapes}. One or two dimensions are needed.")
    parts = [_columns(name, array, is_alone=len(used) == 1) for name, array in used.items()]
    notices = [f"{path.name} holds NumPy arrays: {shapes}. Their columns have no names; they were numbered."]
    if len(used) < len(arrays):
        left = ", ".join(name for name in arrays if name not in used)
        notices.append(f"Arrays of {path.name} with other numbers of rows were left out: {left}.")
    return pd.concat(parts, axis=1), notices


def _columns(name: str, array: np.ndarray, *, is_alone: bool) -> pd.DataFrame:
    if array.ndim == 1:
        return pd.DataFrame({name or "column 1": array})
    start = "column" if is_alone else name
    return pd.DataFrame(array, columns=pd.Index([f"{start} {i + 1}" for i in range(array.shape[1])], dtype=object))


def _arff(path: Path) -> tuple[pd.DataFrame, list[str]]:
    from scipy.io import arff

    text = path.read_bytes().decode("utf-8", "replace")
    is_ascii = text.isascii()
    if not is_ascii:  # the library takes ASCII only
        text = text.encode("ascii", "xmlcharrefreplace").decode()
    try:
        data, _ = arff.loadarff(io.StringIO(text))
    except NotImplementedError as error:
        raise DataError(f"{path.name} is an ARFF file that can't be read ({error}). Save it as CSV.") from None
    except (arff.ArffError, ValueError, StopIteration, IndexError) as error:
        raise DataError(f"{path.name} can't be read as ARFF ({str(error)[:150]}). Save it as CSV.") from None
    frame = pd.DataFrame(data)
    for name in frame.columns[[pd.api.types.is_object_dtype(dtype) for dtype in frame.dtypes]]:
        texts = frame[name].str.decode("utf-8", errors="replace")
        frame[name] = (texts if is_ascii else texts.map(_unescaped)).where(texts != "?").astype("str")
    return (frame if is_ascii else frame.rename(columns=_unescaped)), []


def _unescaped(text: str) -> str:
    """A text with the characters that were replaced by their numbers."""
    return re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), text)
