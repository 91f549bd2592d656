"""Map: the rows as the detector sees them."""

import streamlit as st

from ad_core import figures
from pages._ui import words
from pages._ui.bulk_verdict import bulk_button
from pages._ui.case_card import case_card
from pages._ui.map_points import MOST, colour_columns, map_points, trust_in_words, with_colour
from pages._ui.navigate import choose, current
from pages._ui.result_columns import as_shown, result_columns
from pages._ui.shell import chart, errors_shown, nothing_yet, page_top, pick_scored_run, table_height
from pages._ui.stored import ranked, summary
from pages._ui.threshold import threshold_at

KINDS = {"umap": "UMAP", "pca": "PCA"}
POINTERS = {"lasso": "Draw around points", "pan": "Click a point"}
"""What the mouse does; the chart does not tell of a click while it draws."""
LISTED = 500


def clicked() -> None:
    """Callback of the map: one chosen point becomes the current case."""
    points = st.session_state["map"]["selection"]["points"]
    if len(points) == 1:
        choose(row=points[0]["customdata"])


def listed() -> None:
    """Callback of the table: the chosen line becomes the current case."""
    at = st.session_state["map-table"]["selection"]["rows"]
    if at:
        choose(row=st.session_state["_map_rows"][at[0]])


page_top("map")
with errors_shown():
    run = pick_scored_run()
    points, total = map_points(run.id)
if points is None:
    text = (
        "It is made after the scores; wait until the run is done."
        if run.alive
        else "The run ended before it was made. Run it again."
    )
    nothing_yet("No map yet", text, "Look at the progress", "train")

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    kind = st.segmented_control(
        "Map", list(KINDS), default="umap", format_func=KINDS.get, key="map_kind", required=True, bind="query-params"
    )
    columns = colour_columns(run.id)
    colour = st.selectbox("Colour by", list(columns), format_func=columns.get, key="map_colour", width=260)
    pointer = st.segmented_control(
        "Mouse", list(POINTERS), default="lasso", format_func=POINTERS.get, key="map_pointer", required=True
    )
x, y = ("x", "y") if kind == "umap" else ("pca_x", "pca_y")
with errors_shown():
    threshold = threshold_at(run.id)
    points = with_colour(run.id, points, colour).assign(alert=threshold.of(points))

wide, side = st.columns([5, 3], gap="medium")
with wide:
    shape = ["points", "box", "lasso"]
    figure = figures.map_scatter(points, x, y, colour, chosen=current("row"), pointer=pointer or "lasso")
    drawn = f"{len(points):,} of {words.count(total, 'item')} drawn" + (
        f", all alerts and a sample of the rest up to {MOST:,}" if len(points) < total else ""
    )
    state = chart(
        figure, alt=figures.map_in_words(points, total), caption=f"{drawn}. Diamonds are alerts: "
            f"{threshold.rule.in_words()}.",
        key="map", on_select=clicked, selection_mode=shape,
    )  # fmt: skip
    trust = summary(run.id).get("map") or {}
    if trust.get("notice"):
        st.caption(f":material/info: {trust['notice']}")
    if kind == "umap" and trust.get("trust") is not None:
        st.caption(f":material/verified: {trust_in_words(trust['trust'])}")
with side, errors_shown():
    case_card(run.id)

chosen = [point["customdata"] for point in state["selection"]["points"] if point.get("customdata")]
st.subheader("Selected points", anchor=False)
if not chosen:
    st.info(
        "Draw around points to list them here. To make one the current case, switch the mouse to clicking.",
        icon=":material/gesture_select:",
    )
    st.stop()
rows = ranked(run.id)
rows = rows.loc[rows["row_id"].isin(chosen)]
bulk_button(run.id, rows["row_id"].tolist(), "bulk-map")
st.session_state["_map_rows"] = rows["row_id"].head(LISTED).tolist()
st.dataframe(
    as_shown(rows, LISTED),
    key="map-table",
    hide_index=True,
    on_select=listed,
    selection_mode="single-row",
    height=table_height(len(rows), 320),
    alt=f"{len(rows)} selected rows, most anomalous first",
    column_config=result_columns(),
)
alerts = int(threshold.of(rows).sum())
st.caption(f"{words.count(len(rows), 'row')} selected, {alerts:,} of them alerts; {min(len(rows), LISTED):,} listed.")
