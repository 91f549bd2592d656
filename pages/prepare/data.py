"""Data: open files, check roles and kinds of the columns, choose the training rows."""

from pathlib import Path

import streamlit as st

from ad_core.errors import AdError
from ad_core.types import Modality
from pages._ui.data.before_training import before_training
from pages._ui.data.datasets import draft, propose, save_draft
from pages._ui.data.exclusions import exclusions
from pages._ui.data.preview import preview
from pages._ui.data.schema_editor import schema_editor
from pages._ui.data.sources import sources
from pages._ui.data.table_place import table_place
from pages._ui.data.training_rows import training_rows
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current, go
from pages._ui.shell.shell import page_top
from pages._ui.shell.stored import opened, profile, store


def use() -> None:
    """Callback of the main button: save what was declared and go on to training."""
    try:
        saved = save_draft(store().dataset(current("data") or ""))
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    go("train", data=saved.id, run=None)


page_top("data")

if current("data") is None:
    sources()
    st.stop()

try:
    record = store().dataset(current("data") or "")
except AdError as error:
    st.error(str(error), icon=":material/link_off:")
    st.button("Open other data", on_click=choose, kwargs={"data": None})
    st.stop()

declared = draft(record)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    with st.container(width="stretch", gap=None):
        st.subheader(record.name, anchor=False)
        short = ["/".join(Path(source).parts[-3:]) for source in record.sources[:2]]
        more = f" and {len(record.sources) - 2} more" if len(record.sources) > 2 else ""
        st.caption(", ".join(short) + more, help="\n\n".join(record.sources[:20]))
    kind = st.segmented_control(
        "Kind of data",
        list(words.MODALITIES),
        default=str(declared.modality or record.modality),
        format_func=words.MODALITIES.get,
        key=f"kind-{record.id}",
        required=True,
    )
    st.button("Open other data", icon=":material/folder_open:", on_click=choose, kwargs={"data": None})
if kind and kind != str(declared.modality or record.modality):
    propose(record, declared.model_copy(update={"modality": kind}))
    st.rerun()

try:
    dataset = opened(tuple(record.sources), declared)
    profiled = profile(tuple(record.sources), declared)
except AdError as error:
    st.error(str(error), icon=":material/error:", title="These settings don't work with the data")
    st.button("Undo my changes", type="primary", on_click=lambda: st.session_state.pop("_draft", None))
    st.stop()

with st.container(horizontal=True, gap="small"):
    st.metric("Rows" if kind != "image" else "Images", f"{len(dataset):,}", border=True, width=170)
    st.metric(
        "Training rows" if kind != "image" else "Training images",
        f"{int(dataset.is_training.sum()):,}",
        border=True,
        width=170,
        help="They are used to train and to calibrate the detector.",
    )
    st.metric(
        "Unusable",
        f"{int((dataset.rows['note'] != '').sum()):,}",
        border=True,
        width=170,
        help="They stay in every result, with a note in place of a score.",
    )
    if "label" in dataset.rows:
        st.metric(
            "Labelled anomalies",
            f"{int((dataset.rows['label'] == 1).sum()):,}",
            border=True,
            width=190,
            help="Never trained on; only used for evaluation.",
        )

left, right = st.columns([7, 4], gap="medium")
with left:
    schema_editor(record, dataset, declared)
    if dataset.modality is not Modality.IMAGE:
        table_place(record, declared)
with right:
    training_rows(record, dataset, declared)
    if dataset.modality is Modality.SENSOR:
        exclusions(record, dataset, declared)
    before_training(record, dataset, declared, profiled)
preview(dataset)

with st.bottom, st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
    if profiled.blockers:
        st.markdown(
            f":red[:material/block: {words.count(len(profiled.blockers), 'problem')} to fix before training.]",
            width="content",
        )
    else:
        st.markdown(":green[:material/check_circle:] Ready to train.", width="content")
    st.button(
        "Use these settings",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=use,
        disabled=bool(profiled.blockers),
    )
