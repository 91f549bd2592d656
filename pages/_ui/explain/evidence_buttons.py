"""Downloads of a report on one case, as HTML and JSON."""

from typing import Any

import numpy as np
import streamlit as st

from ad_core.data.dataset import Dataset
from ad_core.explain.heat_scale import HeatScale
from ad_core.review.reports import case_report
from ad_core.storage.results import Case, safe_name
from pages._ui.shell.images import file_of, full
from pages._ui.shell.stored import batch_or_none, case, dataset, store, summary
from pages._ui.shell.threshold import threshold_at


def evidence_buttons(run_id: str, training_id: str, row_id: str) -> None:
    """Two downloads, made on a click."""
    name = f"evidence-{safe_name(row_id)}"
    with st.container(horizontal=True):
        st.download_button(
            "Evidence pack",
            data=lambda: _html(run_id, training_id, row_id),
            file_name=f"{name}.html",
            mime="text/html",
            icon=":material/folder_zip:",
            on_click="ignore",
            help="One HTML file with everything on this page, the verdicts with their authors, and how to reproduce "
            "it. It opens offline.",
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
    images = _images(training_id, row_id, found, opened) if opened is not None else {}
    return case_report.to_html(_facts(run_id, row_id, opened), images, found.window)


def _facts(run_id: str, row_id: str, opened: Dataset | None) -> dict[str, Any]:
    threshold = threshold_at(run_id)
    rule = {
        "rule": threshold.rule.model_dump(mode="json"),
        "score": threshold.score,
        "sentence": threshold.found.sentence,
    }
    return case_report.gather(store(), run_id, row_id, opened, rule)


def _images(training_id: str, row_id: str, found: Case, opened: Dataset) -> dict[str, Any]:
    """The image, its anomaly map, the counterfactual, and the nearest normal image."""
    if opened.modality != "image" or (file := file_of(opened, row_id)) is None:
        return {}
    image = full(file)
    images = {"The image": image}
    if found.map is not None:
        images["Anomaly map: where the score comes from"] = case_report.with_heat(
            image, found.map, HeatScale.from_facts(summary(training_id))
        )
    if isinstance(found.changed, np.ndarray):
        images["What would make it normal"] = found.changed
    if found.neighbours is not None and len(found.neighbours):
        trained = dataset(store().dataset(store().run(training_id).dataset_id))
        nearest = str(found.neighbours.sort_values("rank")["neighbour"].iloc[0])
        if near := file_of(trained, nearest):
            images[f"Nearest normal image: {nearest}"] = full(near)
    return images
