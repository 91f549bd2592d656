"""Calibration: the highest of the rows that say what is usual, for a person to confirm the anomalies among them."""

import streamlit as st

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.threshold import BY_P, Rule, apply
from ad_core.review import recalibration
from ad_core.storage.results import detector_run
from pages._ui.alerts.calibration_queue import queue_table, row_card, row_in_view
from pages._ui.shell import words
from pages._ui.shell.author import author
from pages._ui.shell.navigate import go_button
from pages._ui.shell.shell import errors_shown, page_top, pick_scored_run
from pages._ui.shell.stored import calibration, ranked, store
from pages._ui.shell.threshold import current_rule, doubted, threshold_at


def alerts_with(run_id: str, rule: Rule, other: Calibration, found: recalibration.CalibrationReview) -> int:
    """How many alerts the run would have with another calibration."""
    rows = ranked(run_id)
    again = rows.assign(p_value=other.p_value(rows["score"]), percentile=other.percentile(rows["score"]))
    return apply(rule, again, other, found.rows.loc[~found.rows["row_id"].isin(found.confirmed)]).count


page_top("calibration")
with errors_shown():
    run = pick_scored_run()
    training = detector_run(store(), run.id)
    found = recalibration.review(store(), run.id)
    rule = current_rule(run.id)
    now, alerts = calibration(run.id), threshold_at(run.id).alerts

unit = "block" if now.approximate else "calibration row"
with st.container(horizontal=True):
    st.metric("Calibration rows", f"{len(found.rows):,}", border=True, width=190)
    st.metric("Left out", f"{len(found.left_out):,}", border=True, width=150, help="Confirmed anomalies.")
    st.metric("Smallest p", words.p_text(now.smallest_p), border=True, width=150, help=f"1 / ({now.n:,} {unit}s + 1)")
    st.metric("Alerts", f"{alerts:,}", border=True, width=150, help=f"At {rule.in_words()}.")
doubt = doubted(run.id, rule)
if doubt is not None:
    st.warning(doubt.in_words(), icon=":material/manage_search:")
elif rule.kind in BY_P:
    st.info(
        "No few calibration rows stand out as the reason for missing alerts. You can look at the highest all the same.",
        icon=":material/info:",
    )

if found.pending:
    with st.container(border=True), errors_shown():
        then = recalibration.preview(found)
        changed = alerts_with(run.id, rule, then, found)
        st.markdown(
            f"**{words.count(len(found.confirmed), 'row')} confirmed.** Without "
            f"{'it' if len(found.confirmed) == 1 else 'them'} alerts go from {alerts:,} to {changed:,}, and the "
            f"smallest p from {words.p_text(now.smallest_p)} to {words.p_text(then.smallest_p)}."
            if found.confirmed
            else f"**Nothing is confirmed any more.** With all rows back, alerts go from {alerts:,} to {changed:,}."
        )
        label = "Calibrate without the confirmed rows" if found.confirmed else "Put all rows back"
        if st.button(label, type="primary", icon=":material/balance:"):
            with st.spinner("Calibrating, and counting p-values anew ..."):
                recalibration.recalibrate(store(), training.id, author())
            st.toast("Calibrated. The bundle and every file that was scored with it follow.", icon=":material/balance:")
            st.rerun()
        st.caption("Nothing is trained again. Taking a verdict back and calibrating once more puts its row back.")

left, right = st.columns([3, 4], gap="large")
with left:
    st.subheader("The highest", anchor=False)
    queue_table(found, training.id)
    judged = int((found.queue["verdict"] != "").sum())
    st.caption(
        f"{len(found.queue)} of {len(found.rows):,} rows, highest first"
        + (", one of each block" if now.approximate else "")
        + f"; {judged} judged. Only confirmed rows are ever left out."
    )
with right, errors_shown():
    st.subheader("Is this an anomaly?", anchor=False)
    row_card(training.id, row_in_view(found), found)
go_button("Back to the alerts", "alerts", icon=":material/arrow_back:")
