"""Reasons: global feature importance, what drives all alerts of a run."""

import streamlit as st

from pages._ui.alerts.all_alerts import importance_of_alerts, modality_of
from pages._ui.explain.explain_more import explain_more
from pages._ui.explain.global_importance import counted_in_words, differences, main_features, overall
from pages._ui.shell import words
from pages._ui.shell.navigate import go_button
from pages._ui.shell.shell import errors_shown, nothing_yet, page_top, pick_scored_run

page_top("reasons")
with errors_shown():
    run = pick_scored_run()
    modality = modality_of(run.id)
    importance = importance_of_alerts(run.id)
unit = "event" if modality == "sensor" else "alert"

if not importance.alerts:
    nothing_yet(
        f"There are no {unit}s",
        f"At the current threshold there are no {unit}s, so there is no feature importance to compute.",
        "Go to Alerts",
        "alerts",
    )
if importance.shares.empty:
    st.info(words.nothing_counts(importance.left_out, unit, alive=run.alive), title="No global feature importance yet")
    explain_more(run, modality, unit)
    go_button("Go to Alerts", "alerts")
    st.stop()

st.markdown(f"#### {main_features(importance, modality, unit)}")
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(counted_in_words(importance, unit), width="stretch")
    explain_more(run, modality, unit)
overall(importance, modality, unit)
differences(run.id, importance, modality, unit)
