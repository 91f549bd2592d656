"""Open data: infer the modality, choose the reader, and read new files in the same way as the training data."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ad_core.data.dataset import ColumnKind, Dataset, Declared
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
) -> Dataset:
    """Open files, a folder, a zip of images, or a data frame; the modality is inferred unless it is given.

    Args:
        label: column with the true labels, where known; used for evaluation only.
        watch: columns that are not learnt from, but whose new values are an alarm, as in constant ones.
        only: `COLUMN=VALUE` texts; rows that don't fulfil all of them are scored, but are no training rows.
        exclude: times of recordings, (from, to) or (from, to, entity), whose rows are scored, but are no training rows.
        kinds: corrected kinds of columns.
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
    )
    return open_declared(sources, declared)


def open_declared(sources: str | Path | Sequence[str | Path] | pd.DataFrame, declared: Declared) -> Dataset:
    """`open_dataset` with all declarations in one object, as stored with a data set."""
    from ad_core.data.reader import READERS

    if not isinstance(sources, pd.DataFrame):
        sources = _existing(sources)
    kind = declared.modality or _modality_of(sources, declared)
    if declared.exclude and kind is not Modality.SENSOR:
        raise DataError(
            f"Only recordings can have excluded times; these data are read as {kind}. Remove the excluded times."
        )
    return READERS.get(READER_OF[kind]).open(sources, declared)


def open_as(trained: Declared | Mapping[str, Any], sources: Any, also: Mapping[str, Any] | None = None) -> Dataset:
    """Open new data with the roles and kinds that the training data had; needs no model.

    Args:
        trained: `info.declared` of the detector, or `declared` of the summary of its run.
        also: what was declared for the new data; only their label and entity columns are used.

    Raises:
        DataError: the data can't be read, or are of another kind than the detector's.
    """
    declared = Declared.model_validate(trained)
    for role in ("label", "entity"):
        if also and also.get(role):
            declared = declared.model_copy(update={role: also[role]})
    return open_declared(sources, _that_exist(declared, sources))


def as_used(dataset: Dataset) -> Declared:
    """Every role and kind made explicit, so that a new file is read like this one and nothing is inferred from it."""
    from ad_core.data.dataset import Role

    schema = dataset.schema
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
    )


def _existing(sources: str | Path | Sequence[str | Path]) -> list[Path]:
    paths = [Path(sources)] if isinstance(sources, str | Path) else [Path(p) for p in sources]
    if not paths:
        raise DataError("No file was given. Name a file, several files, or a folder.")
    for path in paths:
        if not path.expanduser().exists():
            raise DataError(f"{path} does not exist. Check the spelling, or give the full path.")
    return [path.expanduser().resolve() for path in paths]


def _modality_of(sources: list[Path] | pd.DataFrame, declared: Declared) -> Modality:
    from ad_core.data.readers.sensor import looks_like_recording

    if declared.time is not None:
        return Modality.SENSOR
    if isinstance(sources, pd.DataFrame):
        return Modality.SENSOR if looks_like_recording(sources) else Modality.TABLE
    if all(_holds_images(path) for path in sources):
        return Modality.IMAGE
    if any(path.is_dir() for path in sources):
        return Modality.SENSOR
    from ad_core.data.files.tabular_files import read_head

    return Modality.SENSOR if looks_like_recording(read_head(sources[0])) else Modality.TABLE


def _holds_images(path: Path) -> bool:
    from ad_core.data.files.image_files import SUFFIXES

    if path.is_file():
        return path.suffix.lower() in {*SUFFIXES, ".zip"}
    return any(p.suffix.lower() in SUFFIXES for p in path.rglob("*"))


def _that_exist(declared: Declared, sources: Any) -> Declared:
    """Drop declared columns that a new file lacks; the reader's `match` reports those that are needed."""
    if declared.modality is Modality.IMAGE:
        return declared
    if isinstance(sources, pd.DataFrame):
        there = set(map(str, sources.columns))
    else:
        from ad_core.data.files.tabular_files import read_head

        there = set(read_head(_first_file(_existing(sources))).columns)
    single = {role: getattr(declared, role) for role in ("id", "label", "class_column", "time", "entity")}
    return declared.model_copy(
        update={role: name if name in there else None for role, name in single.items()}
        | {
            "ignore": tuple(c for c in declared.ignore if c in there),
            "use": tuple(c for c in declared.use if c in there),
            "watch": tuple(c for c in declared.watch if c in there),
        }
        | {"kinds": {name: kind for name, kind in declared.kinds.items() if name in there}}
    )


def _first_file(paths: list[Path]) -> Path:
    folder = paths[0]
    return folder if folder.is_file() else next(p for p in sorted(folder.rglob("*")) if p.is_file())
