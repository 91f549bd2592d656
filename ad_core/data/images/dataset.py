"""Open images as a data set: one row per image, roles from folders, and notices about unusable images and copies."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind, Dataset, Declared, Role, Schema, fingerprint_of, row_ids
from ad_core.data.files.each_once import each_once, read_once
from ad_core.data.files.image_files import read_header
from ad_core.data.files.image_modes import number_format
from ad_core.data.images.layout import Layout, lies_in, recognise
from ad_core.data.images.layout_words import layout_in_words
from ad_core.data.images.pixels import in_threads
from ad_core.data.images.sources import find_images
from ad_core.errors import DataError
from ad_core.types import Modality

COLUMNS = ("path", "folder", "height", "width", "mode")
"""The columns of an image data set that the analyst sees."""


def open_images(sources: Sequence[Path], declared: Declared) -> Dataset:
    """See `Reader.open`. Reads headers and checksums only; an image that can't be decoded is found when items are made.

    Raises:
        DataError: there is no usable image, or a declared column does not exist for images.
    """
    _check(declared)
    sources, notices = each_once(sources)
    found, other = find_images(sources, tell_apart=declared.ids_by_source)
    found, again = _each_once(found)
    paths, files = ([path for path, _ in found], [file for _, file in found])
    layout = recognise(paths, files, declared.folders, reads_labels=declared.class_column is None)
    folders = pd.Series([str(parent) if (parent := PurePosixPath(path).parent).name else "" for path in paths])
    images = np.flatnonzero(~layout.is_mask)
    data = _headers([found[at] for at in images], folders[images])
    rows = pd.DataFrame({"row_id": row_ids(data["path"]), "note": data.pop("note")})
    usable = (rows["note"] == "").to_numpy()
    if not usable.any():
        raise DataError(
            f"None of the {len(rows):,} images can be used. The first, {rows['row_id'][0]}: {rows['note'][0]}"
        )
    label = _labels(layout, folders, declared)[images]
    if declared.label is not None or not np.isnan(label).all():
        rows["label"] = label
    if declared.class_column is not None:
        rows["cls"] = data["folder"].map(lambda folder: PurePosixPath(folder).name)
    if declared.only:
        layout.teaches[images] = _chosen(data, declared.only)
    told, of_training = layout_in_words(layout, folders, declared)
    return Dataset(
        modality=Modality.IMAGE,
        schema=_schema(data, declared, has_label="label" in rows),
        data=data.drop(columns=["frames", "reduced"]),
        rows=rows,
        declared=declared,
        sources=tuple(str(source) for source in sources),
        name=_name(sources),
        is_training=usable & layout.teaches[images],
        fingerprint=fingerprint_of(data[["path", "sha"]]),
        notices=(*notices, *again, *_notices(data, rows, other), *told, *of_training),
        training_notices=tuple(of_training),
        folders=layout.table(folders),
    )


def left_out(row_ids: Sequence[str], notes: Sequence[str]) -> list[str]:
    """One sentence that names images which can't be used, or nothing."""
    bad = [f"{name} ({note.rstrip('.')})" for name, note in zip(row_ids, notes, strict=True) if note]
    return [f"{len(bad):,} of {len(notes):,} images can't be used: {_first(bad)}."] if bad else []


def cut_to_range(paths: pd.Series, beyond: np.ndarray) -> list[str]:
    """One sentence that names images with pixels beyond the range learnt in training, or nothing.

    Args:
        beyond: (images,) share of their pixels, 0..1.
    """
    cut = [f"{path} ({share:.1%})" for path, share in zip(paths, beyond, strict=True) if share > 0]
    return (
        [
            f"{len(cut):,} of {len(paths):,} images have pixels far brighter or darker than all training images, which "
            f"count as the brightest or darkest that an item can hold (share of their pixels): {_first(cut)}."
        ]
        if cut
        else []
    )


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


def _headers(sources: list[tuple[str, str]], folders: pd.Series) -> pd.DataFrame:
    paths, files = zip(*sources, strict=True)
    data = pd.DataFrame({"path": paths, "file": files, "folder": folders.to_numpy()})
    return data.join(pd.DataFrame(in_threads(read_header, files)))


def _labels(layout: Layout, folders: pd.Series, declared: Declared) -> np.ndarray:
    """(images and masks,) float: what the layout says.

    Where the user chose the folder as the label, all other folders but training folders are anomalous, if any image is
    known to be normal.
    """
    if declared.label is None or not (layout.label == 0).any():
        return layout.label
    others = np.isnan(layout.label) & (folders != "").to_numpy() & (layout.split != "train")
    said = np.array([any(lies_in(folder, name) for name in declared.folders) for folder in folders])
    return np.where(others & ~said, 1.0, layout.label)


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


def _schema(data: pd.DataFrame, declared: Declared, has_label: bool) -> Schema:
    """The paths are the ids; a folder can be label or class; the rest describes the images."""
    folder = Role.CLASS if declared.class_column else Role.LABEL if has_label else Role.IGNORE
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
    for what, some in data[data["reduced"] != ""].groupby("reduced", sort=False):
        notices.append(f"Not all of every pixel is used ({what}): {_first(some['path'].tolist())}.")
    numbers = data.loc[data["grey"] & (rows["note"] == ""), "mode"].map(number_format).value_counts()
    if len(numbers) > 1:
        counts = ", ".join(f"{count:,} x {name}" for name, count in numbers.items())
        notices.append(
            f"The grey images hold different numbers ({counts}), which are compared as they are (uint8 as 257 times as "
            f"much). Save them in one format if their scales differ."
        )
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
