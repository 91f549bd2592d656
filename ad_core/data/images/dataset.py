"""Open images as a data set: one row per image, roles from folders, and notices about unusable images and copies."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Dataset, Declared, Role, Schema, fingerprint_of, row_ids
from ad_core.data.files.each_once import each_once, read_once
from ad_core.data.files.image_files import read_header
from ad_core.data.images.pixels import in_threads
from ad_core.data.images.sources import find_images
from ad_core.errors import DataError
from ad_core.types import Modality

NORMAL_FOLDERS = frozenset({"good", "normal", "ok"})
"""With the label "folder", images below a folder of such a name are normal and all others anomalous."""
COLUMNS = ("path", "folder", "height", "width", "mode")
"""The columns of an image data set that the analyst sees."""


def open_images(sources: Sequence[Path], declared: Declared) -> Dataset:
    """See `Reader.open`. Reads headers and checksums only; an image that can't be decoded is found when items are made.

    Raises:
        DataError: there is no usable image, or a declared column does not exist for images.
    """
    _check(declared)
    sources, notices = each_once(sources)
    files, other = find_images(sources, tell_apart=declared.ids_by_source)
    files, again = _each_once(files)
    data = _headers(files)
    rows = pd.DataFrame({"row_id": row_ids(data["path"]), "note": data.pop("note")})
    usable = (rows["note"] == "").to_numpy()
    if not usable.any():
        raise DataError(
            f"None of the {len(rows):,} images can be used. The first, {rows['row_id'][0]}: {rows['note'][0]}"
        )
    if declared.label is not None:
        rows["label"] = _labels(data["folder"])
    if declared.class_column is not None:
        rows["cls"] = data["folder"].map(lambda folder: PurePosixPath(folder).name)
    return Dataset(
        modality=Modality.IMAGE,
        schema=_schema(data, declared),
        data=data.drop(columns="frames"),
        rows=rows,
        declared=declared,
        sources=tuple(str(source) for source in sources),
        name=_name(sources),
        is_training=usable & _chosen(data, declared.only),
        fingerprint=fingerprint_of(data[["path", "sha"]]),
        notices=(*notices, *again, *_notices(data, rows, other)),
    )


def left_out(row_ids: Sequence[str], notes: Sequence[str]) -> list[str]:
    """One sentence that names images which can't be used, or nothing."""
    bad = [f"{name} ({note.rstrip('.')})" for name, note in zip(row_ids, notes, strict=True) if note]
    return [f"{len(bad):,} of {len(notes):,} images can't be used: {_first(bad)}."] if bad else []


def _each_once(files: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Images without those that a folder and one of its sub-folders both give, and a sentence about them."""
    first = {file: path for path, file in reversed(files)}
    kept = list(dict.fromkeys((path, file) for path, file in files if first[file] == path))
    return kept, read_once([path for path, file in files if first[file] != path])


def _check(declared: Declared) -> None:
    """The columns of an image are fixed; declaring them again is fine, declaring any other is an error."""
    wanted = {
        "label": (declared.label, "folder"),
        "class column": (declared.class_column, "folder"),
        "id column": (declared.id, "path"),
        "time column": (declared.time, None),
        "entity column": (declared.entity, None),
    }
    for role, (column, possible) in wanted.items():
        if column not in (None, possible):
            advice = f"It can only be {possible!r}" if possible else "Leave it out"
            raise DataError(f"Images have no {role} {column!r}. {advice}.")
    odd = [*declared.use, *(name for name in (*declared.ignore, *declared.kinds) if name not in COLUMNS)]
    if odd:
        raise DataError(f"Images have no columns to train on, but {', '.join(odd)} was named. Leave it out.")


def _headers(sources: list[tuple[str, str]]) -> pd.DataFrame:
    paths, files = zip(*sources, strict=True)
    data = pd.DataFrame({"path": paths, "file": files})
    data["folder"] = [str(parent) if (parent := PurePosixPath(path).parent).name else "" for path in paths]
    return data.join(pd.DataFrame(in_threads(read_header, files)))


def _labels(folders: pd.Series) -> pd.Series:
    """0 below a normal folder, 1 below any other, unknown outside of all folders or where no folder has such a name."""
    normal = folders.map(lambda folder: not NORMAL_FOLDERS.isdisjoint(folder.lower().split("/")))
    return (~normal).astype(float).where((folders != "") & normal.any())


def _chosen(data: pd.DataFrame, only: tuple[str, ...]) -> np.ndarray:
    """(rows,) bool: images that fulfil all conditions."""
    chosen = np.ones(len(data), dtype=bool)
    for condition in only:
        column, equals, value = (part.strip() for part in condition.partition("="))
        value = value.strip("/")
        if column == "folder" and equals:  # any folder of the path, or several: good, train/good
            fulfilled = [f"/{value}/" in f"/{folder}/" for folder in data["folder"]]
        elif column == "path" and equals:
            fulfilled = [path.startswith(value) for path in data["path"]]
        else:
            raise DataError(
                f"{condition!r} can't choose images. Write folder=NAME, or path=START for paths that start with it."
            )
        if not any(fulfilled):
            folders = _first(sorted(set(data["folder"])))
            raise DataError(f"No image fulfils {condition!r}. The folders are: {folders}.")
        chosen &= fulfilled
    if not chosen.any():
        raise DataError(f"No image fulfils all of {', '.join(only)}.")
    return chosen


def _schema(data: pd.DataFrame, declared: Declared) -> Schema:
    """The paths are the ids; a folder can be label or class; the rest describes the images."""
    folder = Role.CLASS if declared.class_column else Role.LABEL if declared.label else Role.IGNORE
    pixels = "Describes the image; only its pixels are used for training."
    columns = (
        ("path", Role.ID, ColumnKind.TEXT, None, "The path is the name of the image."),
        (
            "folder",
            folder,
            ColumnKind.CATEGORY,
            None,
            "The folder can be the class, the label, or choose the training images.",
        ),
        ("height", Role.IGNORE, ColumnKind.NUMBER, "px", pixels),
        ("width", Role.IGNORE, ColumnKind.NUMBER, "px", pixels),
        ("mode", Role.IGNORE, ColumnKind.CATEGORY, None, pixels),
    )
    return Schema(
        columns=tuple(
            Column(name=name, role=role, kind=kind, unit=unit, distinct=int(data[name].nunique()), reason=reason)
            for name, role, kind, unit, reason in columns
        )
    )


def _notices(data: pd.DataFrame, rows: pd.DataFrame, other: list[str]) -> list[str]:
    notices = left_out(rows["row_id"].tolist(), rows["note"].tolist())
    if other:
        notices.append(f"Left out, as their names do not end like those of images: {_first(other)}.")
    if "label" in rows and rows["label"].isna().all():
        notices.append("No folder is named good, normal or ok, so it is not known which images are normal.")
    if data["frames"].any():
        several = data.loc[data["frames"], "path"].tolist()
        notices.append(f"Of files with several frames or pages the first is used: {_first(several)}.")
    copies = data["sha"].duplicated() & (rows["note"] == "")
    if copies.any():
        originals = data.drop_duplicates("sha").set_index("sha")["path"]
        pairs = [
            f"{path} = {originals[sha]}" for path, sha in data.loc[copies, ["path", "sha"]].itertuples(index=False)
        ]
        notices.append(f"Byte-for-byte copies of another image: {_first(pairs)}.")
    return notices


def _first(names: Sequence[str], n: int = 5) -> str:
    named = [name or "(no folder)" for name in names[:n]]
    return ", ".join([*named, f"and {len(names) - n:,} more"] if len(names) > n else named)


def _name(sources: Sequence[Path]) -> str:
    first = sources[0].absolute()
    name = first.stem if first.is_file() else first.name
    return name if len(sources) == 1 else f"{name} and {len(sources) - 1} more"
