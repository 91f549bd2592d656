"""Calibration: review the highest calibration rows and confirm the anomalies among them."""

import streamlit as st

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import marked
from ad_core.alerts.guarantee_words import trimmed_in_words
from ad_core.alerts.threshold import BY_P, Rule, apply
from ad_core.review import recalibration
from ad_core.storage.results import detector_run
from pages._ui.alerts.calibration_queue import queue_table, row_card, row_in_view
from pages._ui.shell import words
from pages._ui.shell.author import author
from pages._ui.shell.navigate import go_button
from pages._ui.shell.shell import errors_shown, page_top, pick_scored_run
from pages._ui.shell.stored import calibration, ranked, store
from pages._ui.shell.threshold import current_rule, doubted, held, threshold_at


def alerts_with(run_id: str, rule: Rule, other: Calibration, review: recalibration.CalibrationReview) -> int:
    """Number of alerts of the run with another calibration."""
    rows = ranked(run_id)
    again = rows.assign(p_value=other.p_value(rows["score"]), percentile=other.percentile(rows["score"]))
    return apply(rule, again, other, marked(review.rows, review.confirmed, review.kept)).count


page_top("calibration")
with errors_shown():
    run = pick_scored_run()
    training = detector_run(store(), run.id)
    review = recalibration.review(store(), run.id)
    rule = current_rule(run.id)
    now, alerts = calibration(run.id), threshold_at(run.id).alerts

unit = "block" if now.approximate else "calibration row"
with st.container(horizontal=True):
    st.metric("Calibration rows", f"{len(review.rows):,}", border=True, width=190)
    st.metric("Left out", f"{len(review.left_out):,}", border=True, width=150, help="Confirmed anomalies.")
    if review.trimmed:
        st.metric("Trimmed", f"{now.trimmed:,}", border=True, width=150, help=trimmed_in_words(now) or "All were kept.")
    st.metric("Smallest p", words.p_text(now.smallest_p), border=True, width=150, help=f"1 / ({now.n:,} {unit}s + 1)")
    st.metric("Alerts", f"{alerts:,}", border=True, width=150, help=f"At {rule.in_words()}.")
doubt = doubted(run.id, rule)
if doubt is not None:
    st.warning(doubt.in_words(), icon=":material/manage_search:")
elif (found := held(run.id, rule)) is not None:
    st.info(found.in_words(), icon=":material/manage_search:")
elif rule.kind in BY_P:
    st.info(
        "There is no sign that a few calibration rows prevent alerts. You can still review the highest ones.",
        icon=":material/info:",
    )

if review.pending:
    with st.container(border=True), errors_shown():
        then = recalibration.preview(review)
        changed = alerts_with(run.id, rule, then, review)
        st.markdown(
            f"**{words.count(len(review.confirmed), 'row')} confirmed.** Without "
            f"{'it' if len(review.confirmed) == 1 else 'them'} alerts go from {alerts:,} to {changed:,}, and the "
            f"smallest p from {words.p_text(now.smallest_p)} to {words.p_text(then.smallest_p)}."
            if review.confirmed
            else f"**{words.count(len(review.kept), 'trimmed row')} kept.** Alerts go from {alerts:,} to {changed:,}."
            if review.kept
            else f"**No row is confirmed any more.** With all rows restored, alerts go from {alerts:,} to {changed:,}."
        )
        label = "Restore all rows"
        if review.confirmed or review.kept:
            label = "Calibrate without the confirmed rows" if review.confirmed else "Calibrate with the kept rows"
        if st.button(label, type="primary", icon=":material/balance:"):
            with st.spinner("Calibrating and computing new p-values ..."):
                recalibration.recalibrate(store(), training.id, author())
            st.toast("Calibrated. The bundle and every file scored with it are updated.", icon=":material/balance:")
            st.rerun()
        st.caption("Nothing is trained again. To restore a row, take its verdict back and calibrate again.")

left, right = st.columns([3, 4], gap="large")
with left:
    st.subheader("Highest calibration rows", anchor=False)
    queue_table(review, training.id)
    judged = int((review.queue["verdict"] != "").sum())
    st.caption(
        f"{len(review.queue)} of {len(review.rows):,} rows, highest first"
        + (", one of each block" if now.approximate else "")
        + f"; {judged} reviewed. "
        + (
            "Left out are the confirmed rows, and the trimmed ones that nobody kept."
            if review.trimmed
            else "Only confirmed rows are left out."
        )
    )
with right, errors_shown():
    st.subheader("Is this an anomaly?", anchor=False)
    row_card(training.id, row_in_view(review), review)
go_button("Back to the alerts", "alerts", icon=":material/arrow_back:")
