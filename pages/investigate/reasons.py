"""Reasons: what drives all alerts of a run, not one of them."""

import streamlit as st

from pages._ui.alerts.all_alerts import all_drivers, modality_of
from pages._ui.explain.driver_parts import counted_in_words, finding, overall, told_apart
from pages._ui.explain.explain_more import explain_more
from pages._ui.shell import words
from pages._ui.shell.navigate import go_button
from pages._ui.shell.shell import errors_shown, nothing_yet, page_top, pick_scored_run

page_top("reasons")
with errors_shown():
    run = pick_scored_run()
    modality = modality_of(run.id)
    found = all_drivers(run.id)
unit = "event" if modality == "sensor" else "alert"

if not found.alerts:
    nothing_yet(
        f"There are no {unit}s",
        "Nothing stands out at the present threshold, so there is nothing to sum up.",
        "Go to Alerts",
        "alerts",
    )
if found.shares.empty:
    st.info(words.nothing_counts(found.left_out, unit, alive=run.alive), title="Nothing to sum up yet")
    explain_more(run, modality, unit)
    go_button("Go to Alerts", "alerts")
    st.stop()

st.markdown(f"#### {finding(found, modality, unit)}")
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(counted_in_words(found, unit), width="stretch")
    explain_more(run, modality, unit)
overall(found, modality, unit)
told_apart(run.id, found, modality, unit)
