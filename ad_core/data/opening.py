"""Open data: infer the modality, choose the reader, and read new files in the same way as the training data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ad_core.data.dataset import ColumnKind, Dataset, Declared
from ad_core.data.files.paths import existing
from ad_core.data.reader import READER_OF
from ad_core.errors import DataError
from ad_core.types import JudgedBy, Modality


def open_dataset(
    sources: str | Path | Sequence[str | Path] | pd.DataFrame,
    *,
    modality: Modality | str | None = None,
    label: str | None = None,
    id: str | None = None,
    class_column: str | None = None,
    time: str | None = None,
    entity: str | None = None,
    ignore: Iterable[str] = (),
    use: Iterable[str] = (),
    watch: Iterable[str] = (),
    only: Iterable[str] = (),
    exclude: Iterable[Sequence[str]] = (),
    kinds: Mapping[str, ColumnKind] | None = None,
    judged_by: Mapping[str, JudgedBy] | None = None,
    folders: Mapping[str, str] | None = None,
    sheet: str | None = None,
    header: int | None = None,
    every_line: bool = False,
) -> Dataset:
    """Open files, a folder, a zip of images, or a data frame; the modality is inferred unless it is given.

    Args:
        label: column with the true labels, where known; used for evaluation only.
        watch: columns that are not learnt from, but whose new values are an alarm, as in constant ones.
        only: `COLUMN=VALUE` texts; rows that don't fulfil all of them are scored, but are no training rows.
        exclude: times of recordings, (from, to) or (from, to, entity), whose rows are scored, but are no training rows.
        kinds: corrected kinds of columns.
        folders: of images, folder (part of a path, "/PATH" from the top, or "*" for all) -> "train", "normal",
            "anomaly", "unknown" (only scored) or "mask" (left out), where its name says something else; see
            `dataset.folders`.
        sheet: sheet of a workbook; by default the first filled one.
        header: line of the column names, 1 = the first, 0 = there is none; by default it is guessed, which is said.
        every_line: every line below the header is a row; by default units, repeated headers, totals and footers are
            recognised and left out.
        judged_by: channels for which it is known whether the "level", only the "shape", or "both" matter.

    Raises:
        DataError: the data can't be read or used.
    """
    declared = Declared(
        modality=Modality(modality) if modality else None,
        id=id,
        label=label,
        class_column=class_column,
        time=time,
        entity=entity,
        ignore=tuple(ignore),
        use=tuple(use),
        watch=tuple(watch),
        only=tuple(only),
        exclude=tuple(tuple(map(str, one)) for one in exclude),
        kinds=dict(kinds or {}),
        judged_by=dict(judged_by or {}),
        folders=dict(folders or {}),
        ids_by_source=True,
        sheet=sheet,
        header=header,
        every_line=every_line,
    )
    return open_declared(sources, declared)


def open_declared(sources: str | Path | Sequence[str | Path] | pd.DataFrame, declared: Declared) -> Dataset:
    """`open_dataset` with all declarations in one object, as stored with a data set."""
    from ad_core.data.reader import READERS

    if not isinstance(sources, pd.DataFrame):
        sources = existing(sources)
    kind = declared.modality or _modality_of(sources, declared)
    if declared.exclude and kind is not Modality.SENSOR:
        raise DataError(
            f"Only recordings can have excluded times; these data are read as {kind}. Remove the excluded times."
        )
    if declared.folders and kind is not Modality.IMAGE:
        raise DataError(f"Only folders of images can be named; these data are read as {kind}. Leave the folders out.")
    return READERS.get(READER_OF[kind]).open(sources, declared)


def open_as(
    trained: Declared | Mapping[str, Any],
    sources: Any,
    also: Mapping[str, Any] | None = None,
    *,
    allow_missing: bool = False,
) -> Dataset:
    """Open new data with the roles and kinds that the training data had; needs no model.

    A value that the training data did not have is no reason to refuse: it is for the detector to score.

    Args:
        trained: `info.declared` of the detector, or `declared` of the summary of its run.
        also: what was declared for the new data; only their label and entity columns, `allow_missing`, and where their
            table is (sheet, header) are used.
        allow_missing: whether columns that the detector uses may be missing, empty, or unreadable; they are filled in
            from similar training rows, only the other columns are scored, and `notices` says so.

    Raises:
        DataError: the data can't be read, or are of another kind than the detector's.
    """
    also = also or {}
    roles = ("label", "entity", "sheet", "every_line")
    update = {role: also[role] for role in roles if also.get(role)}
    if also.get("header") is not None:
        update["header"] = also["header"]
    allowed = allow_missing or bool(also.get("allow_missing"))
    declared = Declared.model_validate(trained).model_copy(
        update={**update, "of_training": True, "allow_missing": allowed}
    )
    if declared.sheet and not also.get("sheet") and not _has_sheet(sources, declared.sheet):
        declared = declared.model_copy(update={"sheet": None})  # which one is read instead is said
    new = open_declared(sources, _that_exist(declared, sources))
    return replace(new, notices=tuple(notice for notice in new.notices if notice not in new.training_notices))


def _has_sheet(sources: Any, sheet: str) -> bool:
    """Whether every workbook has a sheet of that name."""
    from ad_core.data.files.excel_files import sheet_names

    if isinstance(sources, pd.DataFrame):
        return False
    return all(sheet in names for path in existing(sources) if (names := sheet_names(path)))


def as_used(dataset: Dataset) -> Declared:
    """Every role and kind made explicit, so that a new file is read like this one and nothing is inferred from it."""
    from ad_core.data.dataset import Role

    schema = dataset.schema
    if dataset.modality is Modality.IMAGE:  # what the names of folders say is recognised anew
        kept = dataset.declared
        return Declared(
            modality=dataset.modality,
            id=schema.one(Role.ID),
            label=kept.label,
            class_column=kept.class_column,
            folders=kept.folders,
            ignore=tuple(schema.names(Role.IGNORE)),
            kinds={c.name: c.kind for c in schema.columns},
            ids_by_source=kept.ids_by_source,
        )
    return Declared(
        modality=dataset.modality,
        id=schema.one(Role.ID),
        label=schema.one(Role.LABEL) or dataset.declared.label,
        class_column=schema.one(Role.CLASS) or dataset.declared.class_column,
        time=schema.one(Role.TIME),
        entity=schema.one(Role.ENTITY) or dataset.declared.entity,
        ignore=tuple(schema.names(Role.IGNORE)),
        use=tuple(schema.names(Role.FEATURE)),
        watch=tuple(schema.names(Role.WATCHED)),
        kinds={c.name: c.kind for c in schema.columns},
        ids_by_source=dataset.declared.ids_by_source,
        sheet=dataset.declared.sheet,
        every_line=dataset.declared.every_line,
        units={c.name: c.unit or "" for c in schema.columns if c.role is Role.FEATURE and c.kind is ColumnKind.NUMBER},
    )


def as_trained(dataset: Dataset, trained: Mapping[str, Any] | None) -> Dataset:
    """A data set with the columns that a run was trained on, where today other ones are inferred.

    Args:
        dataset: as declared by the user, the rest inferred now.
        trained: `declared` of the run's summary; None where it is not known.

    Raises:
        DataError: the data can't be read in that way.
    """
    if not trained or dataset.modality is Modality.IMAGE:
        return dataset
    then, now = Declared.model_validate(trained), as_used(dataset)
    if set(then.use) == set(now.use) and (then.id, then.time, then.entity) == (now.id, now.time, now.entity):
        return dataset
    own = dataset.declared
    kept = ("only", "exclude", "judged_by", "ids_by_source")
    then = then.model_copy(update={name: getattr(own, name) for name in kept})
    sources = [Path(source) for source in dataset.sources] or dataset.data
    return open_declared(sources, _that_exist(then, sources))


def _modality_of(sources: list[Path] | pd.DataFrame, declared: Declared) -> Modality:
    from ad_core.data.readers.sensor import looks_like_recording

    if declared.time is not None:
        return Modality.SENSOR
    if isinstance(sources, pd.DataFrame):
        return Modality.SENSOR if looks_like_recording(sources) else Modality.TABLE
    if all(_holds_images(path) for path in sources):
        return Modality.IMAGE
    from ad_core.data.files.tabular_files import is_one_table

    if any(path.is_dir() and not is_one_table(path) for path in sources):
        return Modality.SENSOR
    return Modality.SENSOR if looks_like_recording(_head(sources[0], declared)) else Modality.TABLE


def _holds_images(path: Path) -> bool:
    from ad_core.data.files.image_files import SUFFIXES

    if path.is_file():
        return path.suffix.lower() in SUFFIXES or (path.suffix.lower() == ".zip" and not _holds_tables(path))
    return any(p.suffix.lower() in SUFFIXES for p in path.rglob("*"))


def _holds_tables(archive: Path) -> bool:
    """Whether a zip archive holds tables and no images."""
    from ad_core.data.files.image_files import SUFFIXES as IMAGES
    from ad_core.data.files.packed_files import tables_in_zip
    from ad_core.data.files.tabular_files import SUFFIXES as TABLES

    try:
        return bool(tables_in_zip(archive, TABLES)) and not tables_in_zip(archive, frozenset(IMAGES))
    except DataError:
        return False  # the reader of images says what is wrong with it


def _that_exist(declared: Declared, sources: Any) -> Declared:
    """Drop declared columns that a new file lacks; the reader's `match` reports those that are needed.

    Used ones stay where they may be missing: see `absent.with_absent`.
    """
    if declared.modality is Modality.IMAGE:
        return declared if isinstance(sources, pd.DataFrame) else _with_known_folders(declared, existing(sources))
    if isinstance(sources, pd.DataFrame):
        there = set(map(str, sources.columns))
    else:
        there = set(_head(_first_file(existing(sources)), declared).columns)
    single = {role: getattr(declared, role) for role in ("id", "label", "class_column", "time", "entity")}
    return declared.model_copy(
        update={role: name if name in there else None for role, name in single.items()}
        | {
            "ignore": tuple(c for c in declared.ignore if c in there),
            "use": tuple(c for c in declared.use if c in there or declared.allow_missing),
            "watch": tuple(c for c in declared.watch if c in there),
        }
        | {
            "kinds": {
                name: kind
                for name, kind in declared.kinds.items()
                if name in there or (declared.allow_missing and name in declared.use)
            }
        }
    )


def _with_known_folders(declared: Declared, sources: list[Path]) -> Declared:
    from ad_core.data.images.layout import lies_in
    from ad_core.data.images.sources import find_images

    if not declared.folders:
        return declared
    there = {path.rpartition("/")[0] for path, _ in find_images(sources)[0]}
    known = {name: use for name, use in declared.folders.items() if any(lies_in(folder, name) for folder in there)}
    return declared.model_copy(update={"folders": known})


def _head(path: Path, declared: Declared) -> pd.DataFrame:
    """The first rows of a file, read as declared, but in its own units."""
    from ad_core.data.files.tabular_files import read_head

    return read_head(path, reading=replace(declared.reading(), units={}))


def _first_file(paths: list[Path]) -> Path:
    folder = paths[0]
    from ad_core.data.files.tabular_files import is_one_table

    if folder.is_file() or is_one_table(folder):
        return folder
    return next(p for p in sorted(folder.rglob("*")) if p.is_file())
