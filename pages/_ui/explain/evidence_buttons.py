"""A case as a file to keep or to send: evidence in HTML and JSON."""

from typing import Any

import numpy as np
import streamlit as st

from ad_core.data.dataset import Dataset
from ad_core.explain.heat_scale import HeatScale
from ad_core.review.reports import case_report
from ad_core.storage.results import Case, safe_name
from pages._ui.shell.pictures import file_of, full
from pages._ui.shell.stored import batch_or_none, case, dataset, store, summary
from pages._ui.shell.threshold import threshold_at


def evidence_buttons(run_id: str, training_id: str, row_id: str) -> None:
    """Two downloads, made when somebody clicks."""
    name = f"evidence-{safe_name(row_id)}"
    with st.container(horizontal=True):
        st.download_button(
            "Evidence pack",
            data=lambda: _html(run_id, training_id, row_id),
            file_name=f"{name}.html",
            mime="text/html",
            icon=":material/folder_zip:",
            on_click="ignore",
            help="One file with everything on this page, who said what, and how to get it again. It opens without a "
            "network.",
        )
        st.download_button(
            "As JSON",
            data=lambda: case_report.to_json(_facts(run_id, row_id, batch_or_none(run_id))),
            on_click="ignore",
            file_name=f"{name}.json",
            mime="application/json",
            icon=":material/data_object:",
        )


def _html(run_id: str, training_id: str, row_id: str) -> str:
    found, opened = case(run_id, row_id), batch_or_none(run_id)
    pictures = _pictures(training_id, row_id, found, opened) if opened is not None else {}
    return case_report.to_html(_facts(run_id, row_id, opened), pictures, found.window)


def _facts(run_id: str, row_id: str, opened: Dataset | None) -> dict[str, Any]:
    threshold = threshold_at(run_id)
    said = {
        "rule": threshold.rule.model_dump(mode="json"),
        "score": threshold.score,
        "sentence": threshold.found.sentence,
    }
    return case_report.gather(store(), run_id, row_id, opened, said)


def _pictures(training_id: str, row_id: str, found: Case, opened: Dataset) -> dict[str, Any]:
    """The image, where its score comes from, and the nearest normal image."""
    if opened.modality != "image" or (file := file_of(opened, row_id)) is None:
        return {}
    picture = full(file)
    pictures = {"The image": picture}
    if found.map is not None:
        pictures["Where the score comes from"] = case_report.with_heat(
            picture, found.map, HeatScale.from_facts(summary(training_id))
        )
    if isinstance(found.changed, np.ndarray):
        pictures["What would make it normal"] = found.changed
    if found.neighbours is not None and len(found.neighbours):
        usual = dataset(store().dataset(store().run(training_id).dataset_id))
        nearest = str(found.neighbours.sort_values("rank")["neighbour"].iloc[0])
        if near := file_of(usual, nearest):
            pictures[f"Nearest normal image: {nearest}"] = full(near)
    return pictures
