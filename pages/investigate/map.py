"""Map: the rows in the embedding of the detector, in two dimensions."""

from functools import partial

import streamlit as st

from pages._ui.alerts.case_card import case_card
from pages._ui.map.map_canvas import canvas_map
from pages._ui.map.map_chart import plotly_map
from pages._ui.map.map_points import (
    MOST,
    colour_columns,
    drawn_points,
    far_in_words,
    has_pictures,
    laid_out_in_words,
    pictures_of,
    trust_in_words,
)
from pages._ui.map.map_selection import selection
from pages._ui.shell import words
from pages._ui.shell.navigate import current
from pages._ui.shell.shell import errors_shown, nothing_yet, page_top, pick_scored_run
from pages._ui.shell.stored import summary, table
from pages._ui.shell.threshold import threshold_at

KINDS = {"umap": "UMAP", "pca": "PCA"}
POINTERS = {"lasso": "Draw around points", "pan": "Click a point"}
"""What the mouse does in plotly, which does not report a click in its drawing mode."""

page_top("map")
with errors_shown():
    run = pick_scored_run()
    placed = table(run.id, "map")
if placed is None:
    text = (
        "The map is computed after the scores. Wait until the run is done."
        if run.alive
        else "The run ended before the map was computed. Run it again."
    )
    nothing_yet("No map yet", text, "Show the progress", "train")

with errors_shown():
    columns = colour_columns(run.id)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    kind = st.segmented_control(
        "Map", list(KINDS), default="umap", format_func=KINDS.get, key="map_kind", required=True, bind="query-params"
    )
    colour = st.selectbox("Colour by", list(columns), format_func=columns.get, key="map_colour", width=260)
    on_canvas = len(placed) > MOST or has_pictures(run.id)
    if not on_canvas:
        pointer = st.segmented_control(
            "Mouse", list(POINTERS), default="lasso", format_func=POINTERS.get, key="map_pointer", required=True
        )
plane = "" if kind == "umap" else "pca_"
axes = f"{plane}x", f"{plane}y"
with errors_shown():
    threshold = threshold_at(run.id)
    drawn = drawn_points(run.id, colour, plane, threshold)
facts = summary(run.id).get("map") or {}
points, total = drawn.points, int(facts.get("items", len(placed)))

wide, side = st.columns([5, 3], gap="medium")
with wide:
    if on_canvas:
        inside = canvas_map(
            points, axes, colour, total, (run.id, drawn.key), current("row"), partial(pictures_of, run.id, points)
        )
    else:
        inside = plotly_map(points, axes, colour, total, current("row"), pointer or "lasso")
    missing = ", all of the highest scores and a sample of the rest" if len(placed) < total else ""
    st.caption(
        f"{len(points):,} of {words.count(total, 'item')} drawn{missing}. Diamonds are alerts: "
        f"{threshold.rule.in_words()}. {laid_out_in_words(facts) if kind == 'umap' else ''}"
    )
    if facts.get("notice"):
        st.caption(f":material/info: {facts['notice']}")
    if kind == "umap" and facts.get("trust") is not None:
        st.caption(f":material/verified: {trust_in_words(facts['trust'])}", help=words.NEIGHBOURS_KEPT)
    if far := far_in_words(points):
        st.caption(f":material/trip_origin: {far}", help=words.FAR_INSIDE)
with side, errors_shown():
    case_card(run.id)

st.subheader("Selected points", anchor=False)
if inside.any():
    selection(run.id, drawn, inside)
else:
    st.info(
        "Draw around points to list them here, to compare them with the rest, and to give them one verdict. "
        + ("Click a point to make it" if on_canvas else "Switch the mouse to “Click a point” to make one")
        + " the current case.",
        icon=":material/gesture_select:",
    )
