"""New data for a trained detector: check whether they match, and save them as a data set."""

import json
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ad_core.data.dataset import Dataset
from ad_core.errors import AdError
from ad_core.storage.store import DatasetRecord
from ad_core.types import Modality
from pages._ui.shell import words
from pages._ui.shell.stored import store, summary

SHOWN = 8
"""Maximum number of differences, and of notices, that are shown."""


def check_match(training_id: str, paths: Sequence[str], *, allow_missing: bool) -> bool:
    """Show the differences from the training data; False when the new data can't be scored."""
    try:
        new, differences = read_like(training_id, paths, allow_missing=allow_missing)
    except AdError as error:
        st.error(str(error), title="These data don't fit the detector", icon=":material/error:")
        return False
    complete = "All columns that the detector needs are there." if not new.absent else "Some columns are filled in."
    unusable = int((new.rows["note"] != "").sum())
    st.success(
        f"{words.count(len(new), 'row')} of {words.MODALITIES[str(new.modality)].lower()} data. {complete}",
        icon=":material/check_circle:",
    )
    for sentence in differences[:SHOWN]:
        st.warning(sentence, icon=":material/difference:")
    if len(differences) > SHOWN:
        st.caption(f"{len(differences) - SHOWN} more differences; all are shown with the result.")
    if unusable:
        st.warning(
            f"{words.count(unusable, 'row')} can't be used and will have a note instead of a score.",
            icon=":material/warning:",
        )
    for notice in new.notices[:SHOWN]:
        st.warning(words.plain(notice), icon=":material/info:")
    return True


def missing_allowed(training_id: str, key: str) -> bool:
    """A box that allows columns of the training data to be missing; False for images, which have none."""
    if store().dataset(store().run(training_id).dataset_id).modality == Modality.IMAGE:
        return False
    return st.checkbox(
        "Allow missing columns",
        key=f"allow-missing-{key}",
        help="If the new data lack columns that the detector uses, or hold nothing in them, these are filled in from "
        "similar training rows, and only the other columns are scored.",
    )


def read_like(training_id: str, paths: Sequence[str], *, allow_missing: bool = False) -> tuple[Dataset, list[str]]:
    """The new data, opened in the same way as the training data, and how they differ from these.

    Raises:
        AdError: they can't be opened or scored.
    """
    declared = json.dumps(summary(training_id)["declared"])
    stamp = "|".join(
        str(Path(p).expanduser().stat().st_mtime_ns) if Path(p).expanduser().exists() else "-" for p in paths
    )
    folder = store().folder(training_id) / "bundle"
    return _read(tuple(paths), declared, stamp, str(folder), allow_missing)


@st.cache_resource(show_spinner="Reading the new data ...", max_entries=3)
def _read(
    paths: tuple[str, ...],
    declared: str,
    stamp: str,  # noqa: ARG001
    bundle: str,
    allow_missing: bool,
) -> tuple[Dataset, list[str]]:
    from ad_core.detector.bundle_io import read_reader
    from ad_core.pipeline import open_as

    new = open_as(json.loads(declared), list(paths), allow_missing=allow_missing)
    return new, read_reader(Path(bundle)).match(new)


def remember_batch(training_id: str, paths: Sequence[str], name: str, *, allow_missing: bool) -> DatasetRecord:
    """Keep the new data as a data set of their own.

    Raises:
        AdError: they can't be read.
    """
    new, _ = read_like(training_id, paths, allow_missing=allow_missing)
    declared = {"allow_missing": True} if allow_missing else {}
    return store().add_dataset(
        name, str(new.modality), list(paths), declared, len(new), new.fingerprint, {"scored_by": training_id}
    )
