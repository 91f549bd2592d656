"""A frame written to a file in one of many formats."""

import gzip
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet

from tests.data.files.workbooks import workbook
from tests.fuzz.damage import damaged
from tests.fuzz.text_lines import text_table

DAMAGED = 0.12
"""Share of the files whose bytes are damaged."""


@dataclass
class Written:
    """A file, and what is known about it."""

    path: Path
    said: list[str]
    rows: int
    """-1 where it is not certain."""


def write(rng: np.random.Generator, frame: pd.DataFrame, folder: Path, stem: str = "data") -> Written:
    """Write a frame in a format that is drawn; what a format can't hold is written as text."""
    form = str(rng.choice(list(FORMATS), p=[0.55, 0.09, 0.08, 0.06, 0.05, 0.04, 0.04, 0.03, 0.03, 0.03]))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}{form}"
    said, rows = FORMATS[form](rng, frame, path)
    if rng.random() < DAMAGED:
        content, what = damaged(rng, path.read_bytes())
        path.write_bytes(content)
        said, rows = [*said, what], -1
    return Written(path, [form, *said], rows)


def _csv(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    content, said, rows = text_table(rng, frame)
    path.write_bytes(content)
    return said, rows


def _gz(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    content, said, rows = text_table(rng, frame)
    path.write_bytes(gzip.compress(content, mtime=0))
    return said, rows


def _zip(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    content, said, rows = text_table(rng, frame)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("inner.csv"), content)
    return said, rows


def _excel(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    name = str(rng.choice(["Sheet1", "Daten ü", "x" * 31]))
    cells = [[_cell(name) for name in frame.columns], *([_cell(c) for c in row] for row in frame.to_numpy(object))]
    sheets: dict[str, list[list[object]]] = {"notes": [["a note"]]} if rng.random() < 0.1 else {}
    workbook(path, {name: cells, **sheets})
    repacked(path)
    ends_with_a_row = len(frame) > 0 and any(cell is not None for cell in cells[-1])
    return ["two sheets"] * len(sheets), len(frame) if ends_with_a_row else -1


def _cell(value: object) -> object:
    """A cell of a workbook: numbers, booleans as texts, and texts without what XML can't hold."""
    if value is None or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return value
    text = "".join(c for c in str(value)[:30_000] if c in "\n\t" or (c >= " " and c not in "\ufffe\uffff"))
    return escape(text.encode("utf-8", "replace").decode())


def repacked(archive: Path) -> None:
    """Write a zip archive again without the time of writing, so that the same seed gives the same bytes."""
    with zipfile.ZipFile(archive) as source:
        members = [(name, source.read(name)) for name in source.namelist()]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members:
            target.writestr(zipfile.ZipInfo(name), content)


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as a text, or None."""
    texts = [[None if pd.isna(cell) else str(cell) for cell in row] for row in frame.to_numpy(object)]
    return pd.DataFrame(texts, columns=frame.columns, dtype=object)


def _table(frame: pd.DataFrame) -> pa.Table:
    names = [str(name) for name in frame.columns]
    arrays = []
    for at in range(len(names)):
        column = frame.iloc[:, at]
        try:
            arrays.append(pa.Array.from_pandas(column))
        except (pa.ArrowException, OverflowError, TypeError):
            arrays.append(pa.array(_texts(column.to_frame()).iloc[:, 0].tolist(), pa.string()))
    return pa.Table.from_arrays(arrays, names)


def _parquet(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    pa.parquet.write_table(_table(frame), path, row_group_size=int(rng.choice([7, 1000])))
    return [], len(frame)


def _feather(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    pa.feather.write_feather(_table(frame), path, compression=str(rng.choice(["uncompressed", "lz4"])))
    return [], len(frame)


def _orc(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    names = [f"c{i}" if not str(n).strip() else str(n) for i, n in enumerate(frame.columns)]
    columns = [pa.array(_texts(frame).iloc[:, at].tolist(), pa.string()) for at in range(len(names))]
    pa.orc.write_table(pa.Table.from_arrays(columns, names), path)
    return [], len(frame)


def _json_lines(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    once = frame.loc[:, ~frame.columns.duplicated()]
    is_lines = rng.random() < 0.7
    once.to_json(path, orient="records", lines=is_lines, date_format="iso", default_handler=str)
    return [] if is_lines else ["a list"], len(frame)


def _npz(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    numbers = frame.select_dtypes("number").to_numpy()
    texts = _texts(frame).to_numpy(dtype=str)[:, :1] if len(frame.columns) else np.empty((0, 0))
    if rng.random() < 0.5 and numbers.size:
        np.savez(path, numbers)
    else:
        np.savez(path, x=numbers, names=texts, odd=np.arange(3))
    repacked(path)
    return [], -1


def _arff(rng: np.random.Generator, frame: pd.DataFrame, path: Path) -> tuple[list[str], int]:
    numbers = {name for name in frame.columns if pd.api.types.is_numeric_dtype(frame.loc[:, frame.columns == name])}
    lines = ["@relation fuzz"]
    for at, name in enumerate(frame.columns):
        values = sorted(set(_texts(frame).iloc[:, at].dropna()))
        kind = "numeric" if name in numbers else "{" + ",".join(f"'{v}'" for v in values) + "}"
        lines.append(f"@attribute '{name}' {kind}")
    lines.append("@data")
    lines += [",".join("?" if cell is None else f"'{cell}'" for cell in row) for row in _texts(frame).to_numpy()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")
    return [], -1


FORMATS: dict[str, Callable[[np.random.Generator, pd.DataFrame, Path], tuple[list[str], int]]] = {
    ".csv": _csv,
    ".xlsx": _excel,
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".csv.gz": _gz,
    ".zip": _zip,
    ".feather": _feather,
    ".orc": _orc,
    ".npz": _npz,
    ".arff": _arff,
}
"""Ending -> writes a frame; gives what is unusual about the file, and its number of rows, -1 where not certain."""
