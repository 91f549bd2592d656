"""Recordings from files or a data frame, concatenated to one table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Number
from pathlib import Path

import numpy as np
import pandas as pd

from ad_core.data.dataset import Declared
from ad_core.data.files.each_once import each_once
from ad_core.data.label_words import is_label_name
from ad_core.data.recordings.schema_inference import PART_NAMES
from ad_core.data.tables.values import holds_categories
from ad_core.errors import DataError

RECORDING = "recording"
"""Column that is added to several files, with each file's stem."""


@dataclass(frozen=True)
class Loaded:
    """Recordings as one data frame, without roles of columns."""

    data: pd.DataFrame
    sources: tuple[str, ...]
    name: str
    notices: list[str]
    units: dict[str, str] = field(default_factory=dict)
    """Units of columns, as cells or a line of units give them."""
    stem: str | None = None
    """Column that holds the file's stem, where there are several files."""
    files: tuple[tuple[str, int], ...] = ()
    """Name and number of rows of each file, where there are several and the recordings have names of their own."""


def load(sources: Sequence[Path] | pd.DataFrame, declared: Declared) -> Loaded:
    """Read and concatenate the files, or take the data frame.

    Raises:
        DataError: a file can't be read, has no rows, or has other channels than the first.
    """
    from ad_core.data.files.left_in_folder import left_in
    from ad_core.data.files.tabular_files import as_numbers, notices_of, read_alike, units_of

    if isinstance(sources, pd.DataFrame):
        notices = _numbered_categories([sources])
        data = as_numbers(_own(sources), declared.reading(), "the data frame", notices)
        return Loaded(data, (), "frame", notices, units_of(data))

    paths, notices = each_once(path for source in sources for path in _files(Path(source)))
    sources, _ = each_once(map(Path, sources))
    read = read_alike(paths, declared.reading())
    notices += left_in(sources, paths)
    units = units_of(read[0][1])
    notices += list(dict.fromkeys(notice for _, frame in read for notice in notices_of(frame)))
    notices += _numbered_categories([frame for _, frame in read])
    name = sources[0].stem if len(sources) == 1 else f"{sources[0].stem} and {len(sources) - 1} more"
    at = tuple(str(path) for path in sources)
    if len(read) == 1:
        return Loaded(_own(read[0][1]), at, name, notices, units)
    notices += _other_columns([(name, list(frame.columns)) for name, frame in read], declared)
    frames = [frame for _, frame in read]
    if declared.entity is not None:
        files = tuple((file, len(frame)) for file, frame in read)
        return Loaded(_own(pd.concat(frames, ignore_index=True)), at, name, notices, units, files=files)
    stem = next(column for column in (RECORDING, "file", "recording file") if column not in frames[0].columns)
    stems = [file.rpartition(".")[0] or file for file, _ in read]
    frames = [frame.assign(**{stem: each}) for each, frame in zip(stems, frames, strict=True)]
    return Loaded(_own(pd.concat(frames, ignore_index=True)), at, name, notices, units, stem)


def _own(frame: pd.DataFrame) -> pd.DataFrame:
    """A data frame with a plain index and unique text names; a time index becomes a column."""
    if isinstance(frame.index, pd.DatetimeIndex | pd.TimedeltaIndex):
        frame = frame.rename_axis(frame.index.name or "time").reset_index()
    data = frame.reset_index(drop=True)
    for at, kind in enumerate(data.dtypes):
        if isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_object_dtype(kind):
            data.isetitem(at, _plain_numbers(data.iloc[:, at]))
    data.attrs = {}
    data.columns = pd.Index([str(c) for c in data.columns], dtype=object)
    if twice := sorted(set(data.columns[data.columns.duplicated()])):
        raise DataError(f"Two columns have the name {twice[0]!r}. Rename one of them.")
    if len(data) == 0 or len(data.columns) == 0:
        raise DataError(f"The recording has {len(data.columns)} columns and {len(data)} rows. Choose a file with rows.")
    return data


def _plain_numbers(values: pd.Series) -> pd.Series:
    """Numbers, also true and false, that pandas does not hold as numbers, as those with gaps, become float64."""
    if holds_categories(values):
        return values.astype(np.float64)
    if values.dtype != object:
        return values
    known = values.dropna()
    if not len(known) or not known.map(lambda cell: isinstance(cell, bool | Number | np.bool_ | Decimal)).all():
        return values
    return values.where(values.notna(), np.nan).astype(np.float64)


def _numbered_categories(frames: Sequence[pd.DataFrame]) -> list[str]:
    columns = dict.fromkeys(str(name) for frame in frames for name in frame.columns if _is_numbered(frame[name]))
    names = ", ".join(map(repr, columns))
    return [f"Categories that are written as numbers are used as numbers, as channels are: {names}."] if columns else []


def _is_numbered(values: pd.Series | pd.DataFrame) -> bool:
    return isinstance(values, pd.Series) and holds_categories(values)


def _files(source: Path) -> list[Path]:
    """The table files of a folder; its plain text files only where there are no others."""
    if not source.is_dir():
        return [source]
    from ad_core.data.files.tabular_files import files_in

    files = files_in(source)
    return [path for path in files if path.suffix.lower() not in {".txt", ".dat", ".data"}] or files


def _other_columns(files: list[tuple[str, list[str]]], declared: Declared) -> list[str]:
    """Channels must agree over all files; labels and columns that are left out may be absent."""
    everywhere = set.intersection(*(set(columns) for _, columns in files))
    notices, compared = [], set[str]()
    for name, columns in files:
        for column in set(files[0][1]).symmetric_difference(columns) - compared:
            compared.add(column)
            if not (
                column in declared.ignore
                or column == declared.label
                or is_label_name(column)
                or PART_NAMES.match(column)
            ):
                less, more = (name, files[0][0]) if column not in columns else (files[0][0], name)
                raise DataError(
                    f"The recordings have different columns: {column!r} is in {more} but not in {less} "
                    f"(all have {len(everywhere)} in common). Leave the column out, or open these files as "
                    f"separate data sets."
                )
            notices.append(f"Column {column!r} is not in all files; it is not a channel, so its cells are empty there.")
    return notices
