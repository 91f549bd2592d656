"""Review: give verdicts on alerts one by one, with a key for each verdict."""

import streamlit as st

from ad_core.review.queue import ORDERS, Scored, queue
from ad_core.types import Modality
from pages._ui.review.review_case import review_case
from pages._ui.review.review_progress import review_progress
from pages._ui.shell import words
from pages._ui.shell.author import author, author_field
from pages._ui.shell.navigate import choose, current, go_button
from pages._ui.shell.shell import errors_shown, page_top, pick_scored_run
from pages._ui.shell.stored import ranked, reference_ranks, said, store, summary
from pages._ui.shell.threshold import events_at, threshold_at
from pages._ui.verdicts.buttons import tag_and_note, undo_button, verdict_buttons
from pages._ui.verdicts.exchange import verdict_exchange

page_top("review")
with errors_shown():
    run = pick_scored_run()
    rows = ranked(run.id)
    modality = Modality(summary(run.id).get("modality") or store().dataset(run.dataset_id).modality)
    known = said(run.id)["verdict"]
with errors_shown():
    threshold, events = threshold_at(run.id), events_at(run.id)
if events is not None and len(events):
    rows = rows.loc[rows["row_id"].isin(events["row_id_peak"])].reset_index(drop=True)
if done := st.session_state.pop("_taken_in", None):
    st.toast(done, icon=":material/upload:")

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    ordered_by = st.container(width="content")
    st.space("stretch")
    go_button(
        f"Threshold: score {words.number(threshold.score)}" if threshold.alerts else "No alerts",
        "alerts",
        type="tertiary",
        icon=":material/tune:",
        help="The threshold is chosen on the Alerts page.",
        key="to-threshold",
    )
    with st.popover(author(), icon=":material/person:", type="tertiary"):
        author_field()
alerts = threshold.of(rows)
scored = Scored(rows, alerts, rows["row_id"].isin(known.index).to_numpy(), reference_ranks(run.id))
with ordered_by:
    possible = [name for name, order in ORDERS.items() if order.possible(scored)]
    order = st.segmented_control(
        "Order",
        possible,
        default=possible[0],
        format_func=lambda name: ORDERS[name].title,
        key="order",
        required=True,
        bind="query-params",
        label_visibility="collapsed",
        help="\n\n".join(f"**{ORDERS[name].title}**: {ORDERS[name].about}" for name in possible),
    )
waiting = queue(scored, order)
review_progress(waiting, known.reindex(rows.loc[alerts, "row_id"]).dropna())

if waiting.items.empty:
    if waiting.total:
        st.success(
            f"Every row of this queue has a verdict ({words.count(waiting.total, 'row')}). Another order, or a "
            "rule with more alerts, shows more.",
            icon=":material/done_all:",
            title="All reviewed",
        )
    else:
        st.info(
            "The current rule gives no alerts. Choose another rule or value on the Alerts page.",
            title="No alerts to review",
        )
    go_button("See them in Alerts", "alerts", type="primary", icon=":material/notifications:")
    with st.bottom, st.container(horizontal=True, horizontal_alignment="center"):
        undo_button(run.id, keys=True)
    verdict_exchange(run)
    st.stop()

names = waiting.items["row_id"].tolist()
at = names.index(current("row")) if current("row") in names else 0
row_id = names[at]
with errors_shown():
    review_case(run, row_id, waiting.items["because"].iloc[at], modality)
verdict_exchange(run)

following = waiting.after(row_id)
with st.bottom, st.container(gap="small"):
    with st.container(horizontal=True, gap="small"):
        tag_and_note(row_id)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        verdict_buttons(run.id, row_id, keys=True, following=following)
        st.space("stretch")
        undo_button(run.id, keys=True)
        st.button(
            "Later",
            icon=":material/arrow_forward:",
            type="tertiary",
            shortcut="Right",
            disabled=following is None,
            on_click=choose,
            kwargs={"row": following},
            help="Leaves this row in the queue and shows the next one.",
        )
