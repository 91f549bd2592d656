"""Alerts: all rows of a run, the highest anomaly score first."""

import streamlit as st

from ad_core.alerts.calibration import severity_rule
from pages._ui.alerts.alert_rows import alert_filters, alert_table, view
from pages._ui.alerts.case_card import case_card
from pages._ui.alerts.drift import guarantee_voided
from pages._ui.alerts.event_list import event_list
from pages._ui.alerts.image_grid import picture_grid
from pages._ui.alerts.overview import counts, score_charts
from pages._ui.alerts.part_filter import led_rows, part_field
from pages._ui.alerts.report_button import report_buttons
from pages._ui.alerts.stability import stability_button
from pages._ui.alerts.threshold_panel import threshold_panel
from pages._ui.evaluate.judged import judged
from pages._ui.shell import words
from pages._ui.shell.downloads import download_buttons
from pages._ui.shell.navigate import go_button
from pages._ui.shell.shell import errors_shown, page_top, pick_scored_run
from pages._ui.shell.stored import ranked, store, summary
from pages._ui.verdicts.bulk import bulk_button

WAYS = {"image": {"pictures": "Images", "rows": "Table"}, "sensor": {"events": "Events", "rows": "Time stamps"}}

page_top("alerts")
with errors_shown():
    run = pick_scored_run()
    rows = ranked(run.id)
    facts = summary(run.id)
    modality = facts.get("modality") or store().dataset(run.dataset_id).modality
if run.alive:
    st.info(
        "The scores are ready; the map and the explanations are still being computed.",
        icon=":material/progress_activity:",
    )

guarantee_voided(facts)
top, kinds = st.container(), st.container()
left, right = st.columns([3, 2], gap="large")
with right:
    with errors_shown():
        threshold = threshold_panel(run.id, kinds)
    st.caption(severity_rule(float("nan") if threshold.smallest_p is None else threshold.smallest_p))
with left:
    score_charts(run, rows, threshold)
with top:
    counts(run.id, rows, threshold)

judged(facts)

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.subheader("Ranked", anchor=False, width="content")
    ways = WAYS.get(str(modality))
    shown_as = (
        st.segmented_control(
            "Show as",
            list(ways),
            default=next(iter(ways)),
            format_func=ways.get,
            key=f"as-{modality}",
            required=True,
            label_visibility="collapsed",
        )
        if ways
        else "rows"
    )
if shown_as == "rows":
    alert_filters(run.id)
chosen = view(run.id) if shown_as == "rows" else rows
wide, side = st.columns([5, 3], gap="medium")
with wide:
    if shown_as == "events":
        event_list(run.id, rows, threshold)
    elif shown_as == "pictures":
        part_field(run.id)
        picture_grid(run.id, led_rows(run.id, rows))
    elif chosen.empty:
        st.info("No row passes these filters. Clear the search or a filter.", title="Nothing to show")
    else:
        alert_table(run.id, chosen)
        st.caption(
            f"{words.count(len(chosen), 'row')} of {len(rows):,} shown. Classical detectors are shown as ranks, "
            "100 = most anomalous." + (f" {words.EDGE}" if modality == "sensor" else "")
        )
    with st.container(horizontal=True):
        download_buttons(chosen, f"scores-{run.id}")
        if shown_as == "rows":
            bulk_button(run.id, chosen["row_id"].tolist(), "bulk-alerts")
with side, errors_shown():
    case_card(run.id)
with st.container(horizontal=True):
    go_button("Review them one by one", "review", icon=":material/rate_review:")
    go_button("See them on the map", "map", icon=":material/scatter_plot:")
    go_button("What drives them all", "reasons", icon=":material/stacked_bar_chart:")
    report_buttons(run.id)
    stability_button(run)
