"""The choice of the training rows: all, those that meet a condition, or another file."""

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
"""Maximum number of values of a column that can select the training rows."""


def training_rows(record: DatasetRecord, dataset: Dataset, declared: Declared) -> None:
    """The choice, with the resulting split and the smallest possible p-value."""
    st.subheader("Training rows", anchor=False)
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
        "The detector learns from these rows what is normal; anomalies among them then look normal. All rows are "
        "scored."
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
            f"{column} has {len(values):,} values. Choose a column with few values, such as a split, a production "
            "line or a label."
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
    st.caption(f"The detector is trained on the other file; afterwards you can score **{record.name}** with it.")
    where = st.radio("The file is", ["an upload", "a path on this machine"], horizontal=True, key=f"where-{record.id}")
    try:
        paths = (
            upload_field(f"reference-{record.id}", "Training file")
            if where == "an upload"
            else path_field(f"reference-path-{record.id}")
        )
    except AdError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.button(
        "Train on this file", disabled=not paths, on_click=_swap, args=(record, paths), icon=":material/swap_horiz:"
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
    """The default split 60 / 15 / 25; an ensemble may split differently and reports it with its run."""
    n = int(dataset.is_training.sum())
    if not n:
        return
    fit, stop = round(0.6 * n), round(0.15 * n)
    rest = n - fit - stop
    chart(
        figures.split_bar(fit, stop, rest, len(dataset) - n),
        alt=f"{fit:,} rows for training, {stop:,} for early stopping, {rest:,} for calibration, {len(dataset) - n:,} "
        "are only scored.",
        caption=f"{fit:,} for training, {stop:,} for early stopping, {rest:,} for calibration"
        + (f", {len(dataset) - n:,} are only scored." if n < len(dataset) else "."),
        key="split",
    )
    if dataset.modality is not Modality.SENSOR:
        smallest = words.p_text(float(1 / np.float64(rest + 1)))
        st.caption(f"With {words.count(rest, 'calibration row')} the smallest possible p-value is {smallest}.")
        if dataset.modality is Modality.TABLE:
            st.caption(
                "Balanced needs no split: it trains and calibrates on all these rows, each scored without itself."
            )
    else:
        st.caption(
            "Recordings are split in time order, and p-values count blocks of one window, because neighbouring "
            "time stamps are similar."
        )
