"""Save data sets in the store: from a sample, an upload or a path, with the declarations of the analyst."""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

import streamlit as st

from ad_core.data.dataset import ColumnKind, Declared, Role, Schema
from ad_core.data.sample_datasets import sample
from ad_core.errors import AdError, DataError
from ad_core.storage import verdicts
from ad_core.storage.store import DatasetRecord
from pages._ui.shell import stored
from pages._ui.shell.navigate import choose, go
from pages._ui.shell.stored import store

SINGLE = {Role.ID: "id", Role.LABEL: "label", Role.CLASS: "class_column", Role.TIME: "time", Role.ENTITY: "entity"}
"""Roles that one column can have, and the field of `Declared` that names it."""


def use_sample(name: str) -> None:
    """Callback: open a sample on the Data page; a second click opens the same data set again."""
    chosen = sample(name)
    declared = Declared.model_validate({"modality": chosen.modality, **chosen.declared})
    try:
        record = remember(
            chosen.title, chosen.train, declared, {"sample": name, "score_later": [str(p) for p in chosen.new]}
        )
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    go("data", data=record.id)


def open_sources(sources: Sequence[str | Path], name: str) -> bool:
    """Callback: open files and make them the current data set; an error is kept for the page."""
    try:
        record = remember(name, sources, Declared(ids_by_source=len(sources) > 1 or Path(sources[0]).is_dir()), {})
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return False
    choose(data=record.id)
    return True


def remember(name: str, sources: Sequence[str | Path], declared: Declared, facts: dict[str, Any]) -> DatasetRecord:
    """The stored data set of these files with these declarations; a new one where there is none yet.

    Raises:
        DataError: the files can't be read.
    """
    paths = tuple(str(Path(source).expanduser().absolute()) for source in sources)
    if not paths:
        raise DataError("No file was given. Choose at least one.")
    dataset = stored.opened(paths, declared)
    changed = declared.model_dump(mode="json", exclude_defaults=True)
    for known in store().datasets():
        if tuple(known.sources) == paths and known.declared == changed and known.fingerprint == dataset.fingerprint:
            return known
    return store().add_dataset(
        name, str(dataset.modality), list(paths), changed, len(dataset), dataset.fingerprint, facts
    )


def keep_uploads(uploads: Sequence[Any]) -> list[Path]:
    """Write uploaded files into a folder of the store; a folder upload keeps its sub-folders.

    Of several files of one name all are kept, the second as `name (2).csv`; one that was uploaded twice is kept once.

    Returns:
        The paths to open: one zip or file, the files, or the folder.

    Raises:
        DataError: a name would leave the folder.
    """
    folder = store().upload_folder()
    written: list[Path] = []
    for upload in uploads:
        wanted = folder / upload.name
        if not wanted.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"The file name {upload.name!r} leads out of the upload folder. Rename the file.")
        target = next(place for place in _places(wanted) if not place.exists() or _holds(place, upload))
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            out.write(upload.getbuffer())
        written.append(target)
    nested = {path.relative_to(folder).parts[0] for path in written if path.parent != folder}
    single = dict.fromkeys(path for path in written if path.parent == folder)
    return [*(folder / name for name in sorted(nested)), *single]


def _places(wanted: Path) -> Iterator[Path]:
    """`pump.csv`, `pump (2).csv`, `pump (3).csv`, ..."""
    yield wanted
    yield from (wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}") for number in count(2))


def _holds(place: Path, upload: Any) -> bool:
    """Whether a file has the very bytes of an upload."""
    return place.is_file() and place.read_bytes() == bytes(upload.getbuffer())


def upload_notes(uploads: Sequence[Any]) -> list[str]:
    """What became of uploads that have the name of another one, in sentences."""
    contents: dict[str, list[bytes]] = {}
    for upload in uploads:
        contents.setdefault(upload.name, []).append(hashlib.sha256(upload.getbuffer()).digest())
    notes = []
    for name, digests in contents.items():
        different = len(set(digests))
        if different > 1:
            second = list(islice(_places(Path(name)), 2))[1].as_posix()
            notes.append(f"{different} different files are named {name!r}: all are kept, the second as {second!r}.")
        if different < len(digests):
            times = len(digests) - different + 1
            notes.append(f"{name!r} was uploaded {times} times with the same content: it is read once.")
    return notes


def name_for(paths: Sequence[Path]) -> str:
    """The default name of a data set."""
    first = paths[0]
    stem = first.stem if first.is_file() or zipfile.is_zipfile(first) else first.name
    return stem if len(paths) == 1 else f"{stem} and {len(paths) - 1} more"


def with_role(declared: Declared, schema: Schema, column: str, role: Role) -> Declared:
    """The declaration after a column was given another role. A role that only one column can have moves to it, and
    the column that had it is left out."""
    fields = declared.model_dump()
    fields["use"] = tuple(c for c in declared.use if c != column)
    fields["ignore"] = tuple(c for c in declared.ignore if c != column)
    fields["watch"] = tuple(c for c in declared.watch if c != column)
    for field in SINGLE.values():
        fields[field] = None if fields[field] == column else fields[field]
    if role is Role.FEATURE:
        fields["use"] += (column,)
    elif role is Role.IGNORE:
        fields["ignore"] += (column,)
    elif role is Role.WATCHED:
        fields["watch"] += (column,)
    else:
        before = schema.one(role)
        fields[SINGLE[role]] = column
        if before and before != column:
            fields["ignore"] += (before,)
    return Declared.model_validate(fields)


def with_kind(declared: Declared, column: str, kind: ColumnKind) -> Declared:
    """The declaration after a column's kind was corrected."""
    return declared.model_copy(update={"kinds": {**declared.kinds, column: kind}})


def draft(record: DatasetRecord) -> Declared:
    """What the analyst has declared so far of the data set that is open, saved or not."""
    pending = st.session_state.get("_draft")
    if pending and pending["data"] == record.id:
        return Declared.model_validate(pending["declared"])
    return Declared.model_validate(record.declared)


def propose(record: DatasetRecord, declared: Declared) -> None:
    """Callback: keep a change of the declaration until the analyst saves or undoes it."""
    plain = declared.model_dump(mode="json", exclude_defaults=True)
    version = (st.session_state.get("_draft") or {}).get("version", 0) + 1
    st.session_state["_draft"] = {"data": record.id, "declared": plain, "version": version}


def save_draft(record: DatasetRecord) -> DatasetRecord:
    """The data set as declared now: the same record, or a new one, which replaces the old one where nothing used it.

    Raises:
        AdError: the data can't be used as declared.
    """
    declared = draft(record)
    saved = remember(record.name, record.sources, declared, record.facts)
    st.session_state.pop("_draft", None)
    if (
        saved.id != record.id
        and not store().runs(dataset_id=record.id, limit=1)
        and not verdicts.count(store(), record.id)
        and "uploads" not in str(record.sources)
    ):
        store().delete_dataset(record.id)
    return saved
