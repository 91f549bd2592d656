"""The map of images, and of more points than plotly can draw: a canvas drawn by a script of this project.

It sends the corners of a selection to the server, never points, and shows an image while the mouse is on its point.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.projection.canvas import Pictures, packed
from ad_core.projection.figures import map_in_words
from ad_core.projection.lasso import inside_polygon
from pages._ui.shell.navigate import choose

SCRIPTS = Path(__file__).parent / "map_script"


def _text(*names: str) -> str:
    return "\n".join((SCRIPTS / name).read_text(encoding="utf-8") for name in names)


_canvas = st.components.v2.component(
    "anomaly_lens_map", js=_text("view.js", "hand.js", "thumbs.js", "tools.js"), css=_text("look.css")
)


def canvas_map(
    points: pd.DataFrame,
    axes: tuple[str, str],
    colour: str,
    total: int,
    key: tuple[str, str],
    chosen: str | None,
    pictures: Callable[[], Pictures | None],
) -> np.ndarray:
    """Draw the points; a click makes a point the current case.

    Args:
        points: see `ad_core.projection.canvas.packed`.
        key: the run, and a stamp of the points and their alerts.
        chosen: row id of the current case.
        pictures: reads the images of the points; only called where the map has not been sent before.

    Returns:
        (points,) bool: those inside the selection.
    """
    run_id, state = key
    stamp = f"{run_id}-{axes[0]}"
    name = f"map-canvas-{stamp}"

    def clicked() -> None:
        at = st.session_state[name].get("clicked")
        if isinstance(at, int) and 0 <= at < len(points):
            choose(row=str(points["row_id"].iloc[at]))

    with st.container(gap=None):
        sent = _packed(f"{stamp}|{colour}|{state}", points, axes, colour, stamp, total, pictures)
        result = _canvas(key=name, data=sent, on_polygon_change=_nothing, on_clicked_change=clicked)
        at = np.flatnonzero(points["row_id"].to_numpy() == chosen) if chosen else np.zeros(0, dtype=int)
        _canvas(key=f"{name}-marks", data={"map": stamp, "chosen": int(at[0]) if len(at) else -1})
    polygon = result.get("polygon")
    if not _is_polygon(polygon):
        return np.zeros(len(points), dtype=bool)
    return inside_polygon(points[list(axes)].to_numpy(), np.array(polygon, dtype=np.float64))


@st.cache_resource(show_spinner="Preparing the map ...", max_entries=4)
def _packed(
    key: str,  # noqa: ARG001  it identifies all other arguments
    _points: pd.DataFrame,
    _axes: tuple[str, str],
    _colour: str,
    _stamp: str,
    _total: int,
    _pictures: Callable[[], Pictures | None],
) -> bytes:
    return packed(_points, _axes, _colour, _stamp, map_in_words(_points, _total), _pictures())


def _is_polygon(polygon: object) -> bool:
    """Whether the browser sent a list of pairs of numbers."""
    return isinstance(polygon, list) and all(
        isinstance(corner, list) and len(corner) == 2 and all(isinstance(v, int | float) for v in corner)
        for corner in polygon
    )


def _nothing() -> None:
    """Without a callback the component does not return its state."""
