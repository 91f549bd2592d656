"""Explain alerts that the run itself has not explained, as one job."""

import streamlit as st

from ad_core.storage.store import RunRecord
from pages._ui.alerts.all_alerts import alert_ids
from pages._ui.shell import words
from pages._ui.shell.side_job import submit
from pages._ui.shell.stored import store, table

AT_ONCE = {"table": 100, "image": 12, "sensor": 20}
"""Maximum number of alerts that one click explains: about as many as a run explains by itself."""


def explain_more(run: RunRecord, modality: str, unit: str) -> None:
    """A button for the highest alerts that have no explanation; the sidebar shows how far its job is."""
    asked = store().runs(kind="explain", parent=run.id, limit=1)
    if asked and asked[0].alive:
        st.markdown(
            ":gray[:material/progress_activity: More alerts are being explained; the sidebar shows the progress.]"
        )
        return
    explained = table(run.id, "explanations")
    rows = alert_ids(run.id)
    left = rows if explained is None else rows[~rows.isin(explained["row_id"])]
    if left.empty or run.alive:
        return
    some = left.head(AT_ONCE[modality]).tolist()
    st.button(
        f"Explain {words.count(len(some), f'more {unit}')}",
        icon=":material/troubleshoot:",
        on_click=submit,
        args=(run.dataset_id, "explain", {"row_ids": some}, f"Explain {len(some)} alerts", run.id),
        help=f"The highest of {words.count(len(left), unit)} without an explanation, as a background job.",
    )
