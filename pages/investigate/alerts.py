"""Alerts: all rows of a run, the most unusual first."""

import streamlit as st

from ad_core.alerts import figures
from ad_core.alerts.calibration import severity_rule
from ad_core.storage.results import detector_run
from pages._ui.alerts.alert_rows import alert_filters, alert_table, view
from pages._ui.alerts.case_card import case_card
from pages._ui.alerts.drift import guarantee_withdrawn
from pages._ui.alerts.event_list import event_list
from pages._ui.alerts.image_grid import picture_grid
from pages._ui.alerts.part_filter import led_rows, part_field
from pages._ui.alerts.report_button import report_buttons
from pages._ui.alerts.stability import stability_button
from pages._ui.alerts.threshold_panel import threshold_curve, threshold_panel
from pages._ui.evaluate.judged import judged
from pages._ui.shell import words
from pages._ui.shell.downloads import download_buttons
from pages._ui.shell.navigate import go_button
from pages._ui.shell.shell import chart, errors_shown, page_top, pick_scored_run
from pages._ui.shell.stored import calibration_scores, ranked, said, store, summary
from pages._ui.shell.threshold import events_at
from pages._ui.verdicts.bulk import bulk_button

MANY = {"image": {"pictures": "Pictures", "rows": "Table"}, "sensor": {"events": "Events", "rows": "Time stamps"}}

page_top("alerts")
with errors_shown():
    run = pick_scored_run()
    rows = ranked(run.id)
    facts = summary(run.id)
    modality = facts.get("modality") or store().dataset(run.dataset_id).modality
    training = detector_run(store(), run.id)
    usual = calibration_scores(training.id)
if run.alive:
    st.info(
        "The scores are there; the map and the explanations are still being made.", icon=":material/progress_activity:"
    )

guarantee_withdrawn(facts)
scored = int(rows["score"].notna().sum())
top = st.container()
kinds = st.container()
left, right = st.columns([3, 2], gap="large")
with right:
    with errors_shown():
        threshold = threshold_panel(run.id, kinds)
    st.caption(severity_rule(float("nan") if threshold.smallest_p is None else threshold.smallest_p))
with left:
    if training.id == run.id and usual is not None and len(usual) == scored:
        usual = None  # every row calibrates: their outline would be that of the bars
    chart(
        figures.score_histogram(rows["score"].to_numpy(), usual, threshold.score),
        alt=figures.histogram_in_words(rows["score"].to_numpy(), threshold.score),
        caption=f"{words.count(scored, 'row')} of {len(rows):,} have a score. Counts on a logarithmic axis."
        + (" Each recording has a threshold of its own; the line is the lowest." if threshold.rule.segment else ""),
        key="histogram",
    )
    threshold_curve(run.id, threshold)

with top, st.container(horizontal=True):
    st.metric(
        "Rows scored",
        f"{scored:,}",
        border=True,
        width="stretch",
        delta=f"{len(rows) - scored:,} without" if scored < len(rows) else None,
        delta_color="off",
        delta_arrow="off",
    )
    st.metric("Alerts", f"{threshold.alerts:,}", border=True, width="stretch")
    reviewed = int(rows.loc[threshold.of(rows), "row_id"].isin(said(run.id).index).sum())
    st.metric("Reviewed", f"{reviewed:,}", border=True, width="stretch", help="Alerts that have a verdict.")
    events = events_at(run.id)
    if events is not None:
        st.metric(
            "Events",
            f"{len(events):,}",
            border=True,
            width="stretch",
            help="Alerts of one recording that follow each other closely, merged.",
        )
    st.metric(
        "Expected false at most",
        words.number(threshold.found.guarantee.expected),
        border=True,
        width="stretch",
        help="Maximum number of alerts that are expected to be false; the sentence beside the threshold says whether "
        "that is guaranteed. It can be more than there are alerts.",
    )
    st.metric(
        "Smallest p",
        words.p_text(threshold.smallest_p),
        border=True,
        width="stretch",
        help="1 / (calibration rows + 1): no row can get a smaller one.",
    )

judged(facts)

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.subheader("Ranked", anchor=False, width="content")
    ways = MANY.get(str(modality))
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
            "100 = most unusual." + (f" {words.EDGE}" if modality == "sensor" else "")
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
