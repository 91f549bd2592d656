"""Open a table: files or a data frame become one data set with roles, row ids, labels and classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ad_core.data.dataset import Dataset, Declared, Role, Schema, fingerprint_of
from ad_core.data.tables.labels import label_values
from ad_core.data.tables.row_filter import fulfils
from ad_core.data.tables.row_identity import ids_from_column, ids_from_content
from ad_core.data.tables.schema_inference import propose
from ad_core.data.tables.values import coded, parse_dates
from ad_core.errors import DataError
from ad_core.types import Modality

EMPTY_ROW = "No used column has a value in this row."


@dataclass(frozen=True)
class _Loaded:
    data: pd.DataFrame
    sources: tuple[str, ...]
    name: str
    notices: list[str]
    units: dict[str, str]


def open_table(sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Dataset:
    """Read the sources, infer the roles of columns, and assign row ids.

    Raises:
        DataError: nothing can be read, there are no rows, or the declarations do not fit.
    """
    is_frame = isinstance(sources, pd.DataFrame)
    loaded = _of_frame(sources, declared) if is_frame else _of_files([Path(p) for p in sources], declared)
    data = loaded.data
    if not len(data) or not len(data.columns):
        raise DataError(
            f"{loaded.name} has {len(data.columns)} columns and {len(data)} rows. Choose a table with rows."
        )
    schema, notices = propose(data, declared)
    schema = schema.with_units(loaded.units)
    rows = _rows(data, schema)
    pa.default_memory_pool().release_unused()  # otherwise the process keeps the memory of intermediate results
    is_training = (rows["note"] == "").to_numpy() & fulfils(data, declared.only)
    return Dataset(
        modality=Modality.TABLE,
        schema=schema,
        data=data,
        rows=rows,
        declared=declared,
        sources=loaded.sources,
        name=loaded.name,
        is_training=is_training,
        fingerprint=fingerprint_of(data),
        notices=(*loaded.notices, *notices),
    )


def _rows(data: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    used = schema.names(Role.FEATURE)
    identity = schema.one(Role.ID)
    ids = ids_from_column(data[identity]) if identity else ids_from_content(data, used or list(data.columns))
    rows = pd.DataFrame({"row_id": ids})
    empty = np.ones(len(data), dtype=bool)
    for name in used:
        empty &= data[name].isna().to_numpy()
    rows["note"] = _notes(empty & bool(used))
    if entity := schema.one(Role.ENTITY):
        rows["entity"] = _texts(data[entity])
    if time := schema.one(Role.TIME):
        values = data[time]
        rows["time"] = values if pd.api.types.is_numeric_dtype(values) else parse_dates(values, None)
    if label := schema.one(Role.LABEL):
        rows["label"] = label_values(data[label], label)
    if cls := schema.one(Role.CLASS):
        rows["cls"] = _texts(data[cls])
    return rows


def _notes(empty: np.ndarray) -> pd.Series:
    """(rows,) notes, built without a Python object for each row."""
    texts = pa.array(["", EMPTY_ROW], pa.large_string())
    return texts.take(pa.array(empty.astype(np.int8))).to_pandas().astype("str")


def _texts(values: pd.Series) -> pd.Series:
    """Each value as text; missing stays missing."""
    column = coded(values)
    return pd.Series(np.array([*column.levels, None], dtype=object)[column.codes], dtype="str")


def _of_frame(frame: pd.DataFrame, declared: Declared) -> _Loaded:
    from ad_core.data.files.tabular_files import plain_columns, units_of

    data, notices = plain_columns(frame, declared.reading())
    units = units_of(data)
    data.attrs = {}
    return _Loaded(data, (), "frame", notices, units)


def _of_files(paths: list[Path], declared: Declared) -> _Loaded:
    from ad_core.data.files.tabular_files import files_in, notices_of, read_alike, units_of

    files = [file for path in paths for file in (files_in(path) if path.is_dir() else [path])]
    read = read_alike(files, declared.reading())
    notices = [notice for _, frame in read for notice in notices_of(frame)]
    name = paths[0].stem if len(paths) == 1 else f"{paths[0].stem} and {len(paths) - 1} more"
    data = read[0][1] if len(read) == 1 else _below_each_other(read)
    units = units_of(read[0][1])
    data.attrs = {}
    return _Loaded(data, tuple(str(path) for path in paths), name, notices, units)


def _below_each_other(read: list[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Concatenate files of the same columns, whose order may differ.

    Raises:
        DataError: a file lacks a column of the first or has one more.
    """
    first_name, first = read[0]
    for name, frame in read[1:]:
        lacking, extra = first.columns.difference(frame.columns), frame.columns.difference(first.columns)
        if len(lacking) or len(extra):
            what = [f"lacks {', '.join(map(repr, lacking[:10]))}"] if len(lacking) else []
            what += [f"also has {', '.join(map(repr, extra[:10]))}"] if len(extra) else []
            raise DataError(
                f"{name} has other columns than {first_name}: it {' and '.join(what)}. "
                f"Files that are opened together need the same columns."
            )
    frames = [frame[first.columns] for _, frame in read]
    as_text = {name: "str" for name in first.columns if not _fit_together([frame[name].dtype for frame in frames])}
    return pd.concat([frame.astype(as_text) for frame in frames], ignore_index=True)


def _fit_together(types: list[Any]) -> bool:
    """Whether columns of these types can be concatenated without conversion."""
    if any(isinstance(t, pd.CategoricalDtype) for t in types):
        return False
    return len(set(types)) == 1 or all(t.kind in "iuf" for t in types) or all(t.kind == "M" for t in types)
