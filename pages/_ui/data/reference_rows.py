"""Which rows show what is usual: all, those that fulfil a condition, or another file."""

import numpy as np
import streamlit as st

from ad_core.data.dataset import Dataset, Declared
from ad_core.errors import AdError
from ad_core.storage.store import DatasetRecord
from ad_core.training import figures
from ad_core.types import Modality
from pages._ui.data.datasets import name_for, propose, remember
from pages._ui.data.sources import path_field, upload_field
from pages._ui.shell import words
from pages._ui.shell.navigate import choose
from pages._ui.shell.shell import chart

CHOICES = {"all": "All rows", "some": "Rows where ...", "file": "Another file"}
MOST_VALUES = 200
"""A column with more values than this does not choose rows."""


def reference_rows(record: DatasetRecord, dataset: Dataset, declared: Declared) -> None:
    """The choice, with what follows from it: how many rows train and calibrate, and the smallest p-value."""
    st.subheader("What teaches", anchor=False)
    now = "some" if declared.only else "all"
    choice = st.segmented_control(
        "Training rows",
        list(CHOICES),
        default=now,
        format_func=CHOICES.get,
        key=f"reference-{record.id}",
        required=True,
        label_visibility="collapsed",
    )
    if choice == "some":
        _condition(record, dataset, declared)
    elif choice == "file":
        _other_file(record)
        return
    elif declared.only:
        propose(record, declared.model_copy(update={"only": ()}))
        st.rerun()
    st.caption(
        "The detector learns what these rows look like; anomalies among them become normal. All rows are scored."
    )
    _split(dataset)


def _condition(record: DatasetRecord, dataset: Dataset, declared: Declared) -> None:
    column_now, _, value_now = (declared.only[0] if declared.only else "").partition("=")
    columns = ["folder"] if dataset.modality is Modality.IMAGE else list(dataset.data.columns)
    left, right = st.columns(2)
    column = left.selectbox(
        "Column", columns, index=columns.index(column_now) if column_now in columns else None, key=f"only-{record.id}"
    )
    if column is None:
        return
    values = _values(dataset, column)
    if len(values) > MOST_VALUES:
        st.warning(
            f"{column} has {len(values):,} values. Choose a column with few values, such as a split, a line or a label."
        )
        return
    value = right.selectbox(
        "is", values, index=values.index(value_now) if value_now in values else None, key=f"value-{record.id}-{column}"
    )
    if value is not None and declared.only != (f"{column}={value}",):
        propose(record, declared.model_copy(update={"only": (f"{column}={value}",)}))
        st.rerun()


def _values(dataset: Dataset, column: str) -> list[str]:
    if dataset.modality is Modality.IMAGE:
        folders = {part for folder in dataset.data["folder"].unique() for part in (folder, *folder.split("/")) if part}
        return sorted(folders)
    return sorted(dataset.data[column].dropna().astype(str).unique().tolist())


def _other_file(record: DatasetRecord) -> None:
    st.caption(f"The other file teaches; **{record.name}** is offered for scoring as soon as the detector is trained.")
    where = st.radio("It is", ["an upload", "a path on this machine"], horizontal=True, key=f"where-{record.id}")
    try:
        paths = (
            upload_field(f"reference-{record.id}", "Reference file")
            if where == "an upload"
            else path_field(f"reference-path-{record.id}")
        )
    except AdError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.button(
        "Learn from this file", disabled=not paths, on_click=_swap, args=(record, paths), icon=":material/swap_horiz:"
    )


def _swap(record: DatasetRecord, paths: list) -> None:
    declared = Declared.model_validate({**record.declared, "only": ()})
    try:
        new = remember(name_for(paths), paths, declared, {"score_later": record.sources})
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    choose(data=new.id)


def _split(dataset: Dataset) -> None:
    """The usual 60 / 15 / 25; recipes may do otherwise and say so in their run."""
    n = int(dataset.is_training.sum())
    if not n:
        return
    fit, stop = round(0.6 * n), round(0.15 * n)
    rest = n - fit - stop
    chart(
        figures.split_bar(fit, stop, rest, len(dataset) - n),
        alt=f"{fit:,} rows train, {stop:,} say when to stop, {rest:,} calibrate, {len(dataset) - n:,} are only scored.",
        caption=f"{fit:,} fit the model, {stop:,} say when to stop, {rest:,} calibrate"
        + (f", {len(dataset) - n:,} are only scored." if n < len(dataset) else "."),
        key="split",
    )
    if dataset.modality is not Modality.SENSOR:
        smallest = words.p_text(float(1 / np.float64(rest + 1)))
        st.caption(f"With {words.count(rest, 'calibration row')} the smallest p-value is {smallest}.")
        if dataset.modality is Modality.TABLE:
            st.caption("Balanced does without a split: all these rows teach and calibrate, each scored without itself.")
    else:
        st.caption(
            "Recordings are split in time order, and p-values count blocks of one window, because neighbours in "
            "time are alike."
        )
