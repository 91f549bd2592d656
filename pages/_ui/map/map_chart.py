"""The map of up to 10,000 points, in plotly."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.projection.figures import map_in_words, map_scatter
from pages._ui.shell.navigate import choose
from pages._ui.shell.shell import chart


def clicked() -> None:
    """Callback of the chart: a single selected point becomes the current case."""
    points = st.session_state["map"]["selection"]["points"]
    if len(points) == 1:
        choose(row=points[0]["customdata"])


def plotly_map(
    points: pd.DataFrame, axes: tuple[str, str], colour: str, total: int, chosen: str | None, pointer: str
) -> np.ndarray:
    """(points,) bool: the selected ones. See `projection.figures.map_scatter`."""
    figure = map_scatter(points, *axes, colour, chosen=chosen, pointer=pointer)
    state = chart(
        figure,
        alt=map_in_words(points, total),
        key="map",
        on_select=clicked,
        selection_mode=["points", "box", "lasso"],
    )
    ids = {point["customdata"] for point in state["selection"]["points"] if point.get("customdata")}
    return points["row_id"].astype(str).isin(ids).to_numpy()
