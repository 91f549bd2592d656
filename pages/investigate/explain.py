"""Explain: why one row has its score. The order is always the same: sentence, attributions, actual and expected values,
neighbours, counterfactual, what if.
"""

import numpy as np
import streamlit as st

from ad_core.storage.results import detector_run
from ad_core.types import Modality
from pages._ui.explain.counterfactual import counterfactual
from pages._ui.explain.evidence_buttons import evidence_buttons
from pages._ui.explain.explain_image import image_and_map, nearest_images
from pages._ui.explain.explain_parts import bars, expected_table, grade, neighbours, sentence
from pages._ui.explain.explain_window import window
from pages._ui.explain.on_demand import on_demand
from pages._ui.explain.similar_events import similar_events
from pages._ui.explain.what_if import what_if
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current, go_button
from pages._ui.shell.shell import errors_shown, nothing_yet, page_top, pick_scored_run
from pages._ui.shell.stored import case, ranked, store, summary
from pages._ui.verdicts.buttons import verdict_badge, verdict_line
from pages._ui.verdicts.history import verdict_history

page_top("explain")
with errors_shown():
    run = pick_scored_run()
    rows = ranked(run.id)
    modality = Modality(summary(run.id).get("modality") or store().dataset(run.dataset_id).modality)
if current("row") is None:
    nothing_yet(
        "No case chosen", "Select a row on the Alerts page or a point on the Map page.", "Go to Alerts", "alerts"
    )
row_id = current("row") or ""
place = np.flatnonzero((rows["row_id"] == row_id).to_numpy())
if not len(place):
    nothing_yet(
        f"There is no row “{row_id}” in this run",
        "It may belong to another run. Search for it on the Alerts page.",
        "Go to Alerts",
        "alerts",
        row=None,
    )
at = int(place[0])
with errors_shown():
    found = case(run.id, row_id)

with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader(row_id, anchor=False, width="content")
    severity = found.row["severity"]
    st.badge(words.SEVERITY[severity], color="orange" if severity in ("Critical", "High") else "gray")
    verdict_badge(run.id, row_id)
    st.space("stretch")
    previous, following = rows["row_id"].iloc[max(at - 1, 0)], rows["row_id"].iloc[min(at + 1, len(rows) - 1)]
    st.button(
        "Higher",
        icon=":material/arrow_upward:",
        shortcut="Shift+ArrowUp",
        disabled=at == 0,
        on_click=choose,
        kwargs={"row": previous},
    )
    st.button(
        "Lower",
        icon=":material/arrow_downward:",
        shortcut="Shift+ArrowDown",
        disabled=at == len(rows) - 1,
        on_click=choose,
        kwargs={"row": following},
    )
    go_button("On the map", "map", icon=":material/scatter_plot:")
st.caption(f"Place {at + 1:,} of {len(rows):,} in run “{run.name}”.")

training = detector_run(store(), run.id)
calibration = summary(training.id).get("calibration") or {}
st.markdown(f"#### {sentence(found, calibration, modality)}")
if found.row.get("note"):
    st.info(found.row["note"], icon=":material/info:")

verdict_line(run.id, row_id, keys=True)
verdict_history(run.dataset_id, row_id)
evidence_buttons(run.id, training.id, row_id)
has_score = bool(np.isfinite(found.row["score"]))
if found.explanation is None:
    on_demand(run, row_id, has_score=has_score)
    if has_score:
        counterfactual(run, row_id, found, modality)
    if modality is Modality.TABLE:
        what_if(run, row_id, found)
    st.stop()

grade(found)
if modality is Modality.IMAGE:
    image_and_map(run.id, training.id, row_id, found)
if modality is Modality.SENSOR:
    with errors_shown():
        window(run.id, row_id, found)
    similar_events(run.id, row_id)
left, right = st.columns([1, 1], gap="large")
with left:
    bars(found, modality)
with right:
    if modality is Modality.TABLE:
        expected_table(found)
    if modality is Modality.IMAGE:
        nearest_images(training.id, found)
    if modality is Modality.SENSOR:
        neighbours(run.id, training.id, row_id, found, modality)
if modality is Modality.TABLE:
    neighbours(run.id, training.id, row_id, found, modality)
counterfactual(run, row_id, found, modality)
if modality is Modality.TABLE:
    what_if(run, row_id, found)
offered = summary(training.id).get("explanation_methods")
on_demand(run, row_id, has_score=True, again=found.explanation["method"].iloc[0], offered=offered)
