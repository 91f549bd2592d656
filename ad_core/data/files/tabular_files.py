"""Tables from files: CSV, Parquet and Excel; delimiter, encoding and decimal mark are inferred."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ad_core.data.files.array_files import array_kind, read_array
from ad_core.data.files.arrow_files import FIRST, arrow_kind, read_arrow
from ad_core.data.files.csv_files import read_csv
from ad_core.data.files.each_once import short_names
from ad_core.data.files.excel_files import SUFFIXES as WORKBOOKS
from ad_core.data.files.excel_files import is_workbook, read_excel
from ad_core.data.files.number_notation import numbers_in_text
from ad_core.data.files.packed_files import PACKED, unpacked
from ad_core.data.files.parquet_files import is_partitioned, read_parquet, read_partitioned
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.tables.kind_inference import unit_of
from ad_core.data.tables.quantities import with_numbers
from ad_core.data.tables.unit_agreement import in_wanted_units
from ad_core.errors import DataError

SUFFIXES = (
    frozenset({".csv", ".tsv", ".txt", ".dat", ".data", ".parquet", ".pq", ".feather", ".arrow", ".orc"})
    | frozenset({".json", ".jsonl", ".ndjson", ".arff", ".npy", ".npz"})
    | WORKBOOKS
)
"""File name endings that `files_in` takes for a table."""


def read_files(paths: Sequence[Path], reading: Reading = PLAIN) -> list[tuple[str, pd.DataFrame]]:
    """Each file as its name and a data frame.

    Column names are unique texts. Notices about how it was read are in `notices_of(frame)`, units of columns that the
    file gives outside its header in `units_of(frame)`. Missing markers such as NA, null, - and ? are missing; numbers
    with a decimal comma, thousands marks, signs or units are numbers where that is certain.

    Raises:
        DataError: a file is missing, a folder, empty, unreadable or not a table; the text names the file.
    """
    if not paths:
        raise DataError("No file was given. Choose a CSV, Parquet or Excel file.")
    with unpacked([Path(path) for path in paths], SUFFIXES) as plain:
        frames = [_read(path, reading) for path in plain.paths]
        return _told(list(zip(short_names(plain.paths), frames, strict=True)), plain.notices)


def read_alike(paths: Sequence[Path], reading: Reading) -> list[tuple[str, pd.DataFrame]]:
    """Files that belong together: further ones have the header and the units of the first.

    Raises:
        DataError: as `read_files`, or a file has other units that can't be converted.
    """
    if not paths:
        return read_files(paths)
    with unpacked([Path(path) for path in paths], SUFFIXES) as plain:
        return _told(_alike(plain.paths, reading), plain.notices)


def _told(read: list[tuple[str, pd.DataFrame]], notices: list[str]) -> list[tuple[str, pd.DataFrame]]:
    """The same with notices about all files put before those of the first."""
    read[0][1].attrs["notices"] = [*notices, *notices_of(read[0][1])]
    return read


def _alike(paths: list[Path], reading: Reading) -> list[tuple[str, pd.DataFrame]]:
    read = read_files(paths[:1], reading)
    if len(paths) == 1:
        return read
    first = read[0][1]
    numbers = [str(name) for name in first.columns if pd.api.types.is_numeric_dtype(first[name])]
    units = {name: unit_of(name) or "" for name in numbers} | units_of(first)
    like = replace(
        reading,
        names=reading.names | set(first.columns),
        units=units | dict(reading.units),
        like=reading.like if reading.units else read[0][0],
    )
    frames = [frame for _, frame in read_files(paths[1:], like)]
    return list(zip(short_names(paths), [first, *frames], strict=True))


def read_head(path: Path, rows: int = 5000, reading: Reading = PLAIN) -> pd.DataFrame:
    """The first rows of a file, as `read_files` would give them.

    Raises:
        DataError: as `read_files`.
    """
    with unpacked([Path(path)], SUFFIXES) as plain:
        return _read(plain.paths[0], reading, rows)


def files_in(folder: Path) -> list[Path]:
    """The table files of a folder, sorted by name, not deeper.

    Raises:
        DataError: there is none.
    """
    if is_partitioned(folder):
        return [folder]
    files = sorted(p for p in folder.iterdir() if _is_table(p) and p.is_file() and not p.name.startswith((".", "~$")))
    if not files:
        raise DataError(
            f"The folder {folder} holds no table. Put CSV, Parquet or Excel files into it, or choose a file."
        )
    return files


def is_one_table(folder: Path) -> bool:
    """Whether a folder is a single table, in sub-folders such as `day=1`."""
    return folder.is_dir() and is_partitioned(folder)


def _is_table(path: Path) -> bool:
    """By its ending; a packed file by the ending before that."""
    ending = path.suffix.lower()
    return ending in SUFFIXES or (ending in PACKED - {".zip"} and Path(path.stem).suffix.lower() in SUFFIXES)


def notices_of(frame: pd.DataFrame) -> list[str]:
    """Notices about how a data frame was read, in sentences."""
    return list(frame.attrs.get("notices", []))


def units_of(frame: pd.DataFrame) -> dict[str, str]:
    """Units of columns, as cells or a line of units give them."""
    return dict(frame.attrs.get("units", {}))


def plain_columns(frame: pd.DataFrame, reading: Reading = PLAIN) -> tuple[pd.DataFrame, list[str]]:
    """A user's data frame with a plain index, unique text column names and no cells that hold several values.

    Returns:
        A data frame that shares its values with the user's but not its names, and notices. Numbers that are written
        with signs or units are numbers; their units are in `units_of(frame)`.
    """
    data = frame.reset_index(drop=True)
    if isinstance(data.columns, pd.MultiIndex):
        data.columns = pd.Index([" ".join(map(str, name)) for name in data.columns])
    data.columns, renamed = _unique(list(data.columns))
    notices = [f"Columns without a name or with the name of another one: {_renaming(renamed)}."] if renamed else []
    for name in data.columns[[pd.api.types.is_object_dtype(t) for t in data.dtypes]]:
        if data[name].map(lambda cell: isinstance(cell, list | dict | set | tuple) or hasattr(cell, "shape")).any():
            data[name] = data[name].map(str)
            notices.append(f"Cells of {name!r} hold several values; they are kept as one text.")
    data.attrs = {}
    return as_numbers(data, reading, "the data frame", notices), notices


def as_numbers(data: pd.DataFrame, reading: Reading, source: str, notices: list[str]) -> pd.DataFrame:
    """Columns of written quantities as numbers, in the units that are wanted; adds to the notices.

    Raises:
        DataError: a column is in a unit that can't be converted into the one that is wanted.
    """
    units, attrs = units_of(data), data.attrs
    data, found, said = with_numbers(data, reading, source)
    data, units, more = in_wanted_units(data, units | found, reading, source)
    data.attrs = {**attrs, "units": units}
    notices += [*said, *more]
    return data


def _read(path: Path, reading: Reading, rows: int | None = None) -> pd.DataFrame:
    if not path.exists():
        raise DataError(f"There is no file {str(path)!r}. Check the path.")
    if path.is_dir() and not is_partitioned(path):
        raise DataError(f"{str(path)!r} is a folder, but a table file is needed. Choose a CSV, Parquet or Excel file.")
    try:
        frame, notices = _by_content(path, rows, reading)
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"{path.name} can't be read: {why}. Check that you may open it.") from None
    except MemoryError:
        raise DataError(
            f"{path.name} is too large for this machine's memory. Open a part of it, or the same table as Parquet."
        ) from None
    frame = _without_empty(frame, path.name, notices)
    units = units_of(frame)
    frame.columns, renamed = _unique(list(frame.columns))
    if renamed:
        notices.append(f"{path.name} has columns without a name or with the name of another one: {_renaming(renamed)}.")
    texts = [i for i, t in enumerate(frame.dtypes) if isinstance(t, pd.StringDtype | pd.CategoricalDtype)]
    for name in frame.columns[texts]:
        numbers = numbers_in_text(frame[name])
        if numbers is not None:
            frame[name] = numbers
            notices.append(
                f"The cells of {name!r} in {path.name} are numbers with a decimal comma or thousands marks; "
                f"they were read as numbers."
            )
    frame.attrs["units"] = {name: text for name, text in units.items() if name in frame.columns}
    frame = as_numbers(frame, reading, path.name, notices)
    frame.attrs["notices"] = notices
    return frame


def _without_empty(frame: pd.DataFrame, file: str, notices: list[str]) -> pd.DataFrame:
    """The frame without columns that have neither a name nor a value, as delimiters at the end of lines leave them."""
    nameless = [at for at, name in enumerate(frame.columns) if not str(name if name is not None else "").strip()]
    empty = [at for at in nameless if frame.iloc[:, at].isna().all()]
    if not empty or len(empty) == len(frame.columns):
        return frame
    many, were = ("A column", "was") if len(empty) == 1 else (f"{len(empty)} columns", "were")
    notices.append(f"{many} of {file} without a name and without a value {were} dropped.")
    return frame.iloc[:, [at for at in range(len(frame.columns)) if at not in set(empty)]]


def _renaming(renamed: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{old!r} is now {new!r}" for old, new in renamed[:10])
    return shown + (f" and {len(renamed) - 10} more" if len(renamed) > 10 else "")


def _by_content(path: Path, rows: int | None, reading: Reading) -> tuple[pd.DataFrame, list[str]]:
    """The format is recognised by the first bytes, as file names can be wrong."""
    if path.is_dir():
        return read_partitioned(path, rows)
    with path.open("rb") as file:
        head = file.read(FIRST)
    suffix = path.suffix.lower()
    if head.startswith(b"PAR1"):
        return read_parquet(path, rows)
    if suffix in {".parquet", ".pq"} and head:
        raise DataError(f"{path.name} is not a Parquet file, though its name says so. Export it again.")
    if is_workbook(path) and not array_kind(head, suffix):
        frame, notices = read_excel(path, reading)
        return frame.head(rows) if rows else frame, notices
    if kind := arrow_kind(head, suffix):
        return read_arrow(path, kind, rows)
    if kind := array_kind(head, suffix):
        return read_array(path, kind, rows)
    return read_csv(path, rows, reading)


def _unique(names: list[Hashable]) -> tuple[pd.Index, list[tuple[str, str]]]:
    """Texts, none empty, none twice; and the pairs of old and new name where one was changed."""
    taken, unique, renamed = {str(n).strip() for n in names}, [], []
    used: set[str] = set()
    for position, raw in enumerate(names, 1):
        old = "" if raw is None else str(raw).strip()
        new, number = old or f"column {position}", 2
        while new in used or (new != old and new in taken):
            new, number = f"{old or f'column {position}'} ({number})", number + 1
        if new != old:
            renamed.append((old, new))
        used.add(new)
        unique.append(new)
    return pd.Index(unique, dtype="str"), renamed
