"""The case under review: its values, why it is in the queue, and what raises its score."""

import numpy as np
import streamlit as st

from ad_core.storage.results import Case, detector_run
from ad_core.storage.store import RunRecord
from ad_core.types import Modality
from pages._ui.explain.explain_image import image_and_map
from pages._ui.explain.explain_parts import bars, expected_table, grade, neighbours, sentence
from pages._ui.explain.explain_window import window
from pages._ui.explain.on_demand import on_demand
from pages._ui.shell import words
from pages._ui.shell.navigate import go_button
from pages._ui.shell.row_values import row_values
from pages._ui.shell.stored import case, store, summary
from pages._ui.verdicts.history import verdict_history


def review_case(run: RunRecord, row_id: str, because: str, modality: Modality) -> None:
    """One item of the queue, with enough detail to review most items without opening another page."""
    found = case(run.id, row_id)
    training = detector_run(store(), run.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(row_id, anchor=False, width="content")
        severity = found.row["severity"]
        st.badge(words.SEVERITY[severity], color="orange" if severity in ("Critical", "High") else "gray")
        st.markdown(f":gray[In the queue because it has {because}.]", width="content")
        st.space("stretch")
        go_button("Full explanation", "explain", case={"row": row_id}, type="tertiary", icon=":material/troubleshoot:")
    st.markdown(f"#### {sentence(found, summary(training.id).get('calibration') or {}, modality)}")
    if found.row.get("note"):
        st.info(found.row["note"], icon=":material/info:")
    if modality is Modality.IMAGE:
        image_and_map(run.id, training.id, row_id, found)
    if modality is Modality.SENSOR and found.window is not None:
        window(run.id, row_id, found)
    _reasons(run, training.id, found, modality)
    verdict_history(run.dataset_id, row_id)


def _reasons(run: RunRecord, training_id: str, found: Case, modality: Modality) -> None:
    row_id = str(found.row["row_id"])
    if found.explanation is None:
        if modality is Modality.TABLE:
            row_values(run.id, row_id)
        on_demand(run, row_id, has_score=bool(np.isfinite(found.row["score"])))
        return
    grade(found)
    left, right = st.columns(2, gap="large")
    with left:
        bars(found, modality)
    with right:
        if modality is Modality.TABLE:
            expected_table(found)
        if modality is Modality.SENSOR:
            neighbours(run.id, training_id, row_id, found, modality)
