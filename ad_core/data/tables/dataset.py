"""Open a table: files or a data frame become one data set with roles, row ids, labels and classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ad_core.data.absent import with_absent
from ad_core.data.dataset import Dataset, Declared, Role, Schema, fingerprint_of
from ad_core.data.files.each_once import each_once
from ad_core.data.tables.labels import read_labels
from ad_core.data.tables.row_filter import fulfils
from ad_core.data.tables.row_identity import ids_from_column, ids_from_content, ids_over_files
from ad_core.data.tables.schema_inference import propose
from ad_core.data.tables.values import coded, holds_categories, parse_dates
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
    files: tuple[tuple[str, int], ...] = ()
    """Name and number of rows of each file."""


def open_table(sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Dataset:
    """Read the sources, infer the roles of columns, and assign row ids.

    Raises:
        DataError: nothing can be read, there are no rows, or the declarations do not fit.
    """
    is_frame = isinstance(sources, pd.DataFrame)
    loaded = _of_frame(sources, declared) if is_frame else _of_files([Path(p) for p in sources], declared)
    data, absent, told = with_absent(loaded.data, declared)
    if not len(data) or not len(data.columns):
        raise DataError(
            f"{loaded.name} has {len(data.columns)} columns and {len(data)} rows. Choose a table with rows."
        )
    schema, notices = propose(data, declared)
    schema = schema.with_units(loaded.units)
    rows, unread = _rows(data, schema, loaded.files if declared.ids_by_source else ())
    if loaded.files:
        names, lengths = zip(*loaded.files, strict=True)
        rows["source"] = pd.Categorical.from_codes(np.repeat(np.arange(len(names)), lengths), list(names))
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
        fingerprint=fingerprint_of(loaded.data),
        notices=(*loaded.notices, *told, *notices, *unread),
        absent=absent,
    )


def _rows(data: pd.DataFrame, schema: Schema, files: Sequence[tuple[str, int]]) -> tuple[pd.DataFrame, list[str]]:
    """`Dataset.rows`, and notices about labels that can't be read."""
    used = schema.names(Role.FEATURE)
    rows = pd.DataFrame({"row_id": _ids(data, schema, files)})
    empty = np.ones(len(data), dtype=bool)
    for name in used:
        empty &= data[name].isna().to_numpy()
    rows["note"] = _notes(empty & bool(used))
    if entity := schema.one(Role.ENTITY):
        rows["entity"] = _texts(data[entity])
    if time := schema.one(Role.TIME):
        values = data[time]
        rows["time"] = values if pd.api.types.is_numeric_dtype(values) else parse_dates(values, None)
    notices: list[str] = []
    if label := schema.one(Role.LABEL):
        truth, notices = read_labels(data[label], label)
        if truth is not None:
            rows["label"] = truth
    if cls := schema.one(Role.CLASS):
        rows["cls"] = _texts(data[cls])
    return rows, notices


def _ids(data: pd.DataFrame, schema: Schema, files: Sequence[tuple[str, int]]) -> pd.Series:
    """Row ids; those that occur in several files say which one, if files are given."""
    identity, used = schema.one(Role.ID), schema.names(Role.FEATURE) or list(data.columns)

    def unique(part: pd.DataFrame) -> pd.Series:
        return ids_from_column(part[identity]) if identity else ids_from_content(part, used)

    if len(files) < 2:
        return unique(data)
    ends = np.cumsum([rows for _, rows in files])
    parts = [unique(data.iloc[end - rows : end]) for end, (_, rows) in zip(ends, files, strict=True)]
    return ids_over_files(parts, [name for name, _ in files])


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
    from ad_core.data.files.left_in_folder import left_in
    from ad_core.data.files.tabular_files import files_in, notices_of, read_alike, units_of

    files, notices = each_once(file for path in paths for file in (files_in(path) if path.is_dir() else [path]))
    read = read_alike(files, declared.reading())
    notices += left_in(paths, files)
    notices += [notice for _, frame in read for notice in notices_of(frame)]
    paths, _ = each_once(paths)
    name = paths[0].stem if len(paths) == 1 else f"{paths[0].stem} and {len(paths) - 1} more"
    data = read[0][1] if len(read) == 1 else _below_each_other(read)
    units = units_of(read[0][1])
    data.attrs = {}
    lengths = tuple((file, len(frame)) for file, frame in read)
    return _Loaded(data, tuple(str(path) for path in paths), name, notices, units, lengths)


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
    categories = [name for name in first.columns if all(holds_categories(frame[name]) for frame in frames)]
    frames = [frame.astype(dict.fromkeys(categories, object)) for frame in frames]
    as_text = {name: "str" for name in first.columns if not _fit_together([frame[name].dtype for frame in frames])}
    together = pd.concat([frame.astype(as_text) for frame in frames], ignore_index=True)
    return together.astype(dict.fromkeys(categories, "category"))


def _fit_together(types: list[Any]) -> bool:
    """Whether columns of these types can be concatenated without conversion."""
    if any(isinstance(t, pd.CategoricalDtype) for t in types):
        return False
    return len(set(types)) == 1 or all(t.kind in "iuf" for t in types) or all(t.kind == "M" for t in types)
