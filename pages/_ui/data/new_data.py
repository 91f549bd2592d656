"""New data for a trained detector: check whether they match, and save them as a data set."""

import json
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ad_core.data.dataset import Dataset, Role
from ad_core.errors import AdError
from ad_core.storage.store import DatasetRecord
from pages._ui.shell import words
from pages._ui.shell.stored import store, summary


def check_match(training_id: str, paths: Sequence[str]) -> bool:
    """Show the differences from the training data; False when the new data can't be scored."""
    try:
        new = read_like(training_id, paths)
    except AdError as error:
        st.error(str(error), title="These data don't fit the detector", icon=":material/error:")
        return False
    facts = summary(training_id)
    needed = list((facts.get("declared") or {}).get("use") or [])
    there = set(map(str, new.data.columns))
    missing = [column for column in needed if column not in there] if new.modality != "image" else []
    if missing:
        st.error(
            f"The detector needs {words.count(len(missing), 'column')} that the new data don't have: "
            f"{', '.join(missing[:20])}. Add them or rename the columns.",
            title="These data don't fit the detector",
            icon=":material/error:",
        )
        return False
    declared = facts.get("declared") or {}
    known = {*needed, *(declared.get("ignore") or []), *(declared.get("watch") or [])}
    extra = [c for c in new.schema.names(Role.FEATURE) if c not in known] if needed else []
    unusable = int((new.rows["note"] != "").sum())
    st.success(
        f"{words.count(len(new), 'row')} of {words.MODALITIES[str(new.modality)].lower()} data. All columns "
        "that the detector needs are there.",
        icon=":material/check_circle:",
    )
    if extra:
        st.warning(
            f"{words.count(len(extra), 'new column')} that the training data don't have, ignored: "
            f"{', '.join(extra[:20])}.",
            icon=":material/difference:",
        )
    if unusable:
        st.warning(
            f"{words.count(unusable, 'row')} can't be used and will have a note instead of a score.",
            icon=":material/warning:",
        )
    for notice in new.notices[:5]:
        st.warning(notice, icon=":material/info:")
    st.caption(
        "Values outside the range of the training rows, and new categories, are counted during scoring and "
        "shown with the result."
    )
    return True


def read_like(training_id: str, paths: Sequence[str]) -> Dataset:
    """The new data, opened in the same way as the training data.

    Raises:
        AdError: they can't be.
    """
    declared = json.dumps(summary(training_id)["declared"])
    stamp = "|".join(
        str(Path(p).expanduser().stat().st_mtime_ns) if Path(p).expanduser().exists() else "-" for p in paths
    )
    return _read(tuple(paths), declared, stamp)


@st.cache_resource(show_spinner="Reading the new data ...", max_entries=3)
def _read(paths: tuple[str, ...], declared: str, stamp: str) -> Dataset:  # noqa: ARG001
    from ad_core.pipeline import open_as

    return open_as(json.loads(declared), list(paths))


def remember_batch(training_id: str, paths: Sequence[str], name: str) -> DatasetRecord:
    """Keep the new data as a data set of their own.

    Raises:
        AdError: they can't be read.
    """
    new = read_like(training_id, paths)
    return store().add_dataset(
        name, str(new.modality), list(paths), {}, len(new), new.fingerprint, {"scored_by": training_id}
    )
