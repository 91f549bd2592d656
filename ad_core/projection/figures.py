"""The map of rows as a plotly figure, and its text alternative."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ad_core.projection.colours import FAR, FAR_WORDS, Colouring, colouring
from ad_core.theme import ALERT, CHOSEN, MAGNITUDE, tidy


def map_scatter(
    points: pd.DataFrame, x: str, y: str, colour: str, *, chosen: str | None = None, pointer: str = "lasso"
) -> go.Figure:
    """Rows as points; rows with similar embeddings lie close to each other.

    Args:
        points: `row_id`, the columns named by x, y and colour, and `alert` (bool), which makes a larger diamond; where
            it exists, `far_inside` (bool) makes a ring.
        chosen: row_id to be ringed.
        pointer: what dragging does, "lasso" or "pan".
    """
    figure, points = go.Figure(), points.assign(x=points[x], y=points[y])
    colours = colouring(points, colour)
    if colours.values is not None:
        _add_numbers(figure, points, colours)
    else:
        _add_groups(figure, points, colours, by_alert=colour != "alert")
    if "far_inside" in points and points["far_inside"].any():
        _add_far(figure, points.loc[points["far_inside"]])
    mark = points.loc[points["row_id"] == chosen] if chosen else points.iloc[:0]
    if len(mark):
        ring = {"size": 20, "symbol": "circle-open", "color": CHOSEN, "line": {"width": 3}}
        figure.add_scatter(x=mark["x"], y=mark["y"], mode="markers", marker=ring, name="current case", hoverinfo="skip")
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, title=None)
    figure.update_yaxes(
        showticklabels=False, showgrid=False, zeroline=False, title=None, scaleanchor="x" if x == "x" else None
    )
    return tidy(figure, 560, dragmode=pointer, uirevision=f"{x}{y}")


def map_in_words(points: pd.DataFrame, total: int) -> str:
    """Text alternative of `map_scatter`."""
    alerts = int(points["alert"].sum())
    text = (
        f"A map of {len(points):,} of {total:,} rows, {alerts:,} of them alerts; rows that look alike lie "
        "close to each other."
    )
    far = int(points["far_inside"].sum()) if "far_inside" in points else 0
    return f"{text} {far:,} are {FAR_WORDS}." if far else text


def _add_numbers(figure: go.Figure, points: pd.DataFrame, colours: Colouring) -> None:
    bar = {"title": {"text": colours.title}, "thickness": 12, "len": 0.7}
    for at, (name, rows, marker) in enumerate(_by_alert(points["alert"].to_numpy(dtype=bool))):
        marker |= {"colorscale": MAGNITUDE, "cmin": colours.low, "cmax": colours.high}
        marker |= {"showscale": at == 0, "colorbar": bar, "color": colours.values[rows]}  # type: ignore[index]
        if name == "alert":
            marker["line"] = {"width": 1, "color": ALERT}
        _add_points(figure, points.loc[rows], name, marker, f"{colours.title} %{{marker.color:.3g}}")


def _add_groups(figure: go.Figure, points: pd.DataFrame, colours: Colouring, *, by_alert: bool) -> None:
    alert = points["alert"].to_numpy(dtype=bool)
    for code, (name, tint) in enumerate(zip(colours.names, colours.tints, strict=True)):
        of_group = colours.codes == code
        parts = [part for part in _by_alert(alert) if (part[1] & of_group).any()]
        for at, (kind, rows, marker) in enumerate(parts):
            label = f"{name}, {kind}" if by_alert else name
            _add_points(figure, points.loc[rows & of_group], name, marker | {"color": tint}, label, listed=at == 0)


def _add_far(figure: go.Figure, part: pd.DataFrame) -> None:
    marker = {"size": 14, "symbol": "circle-open", "color": FAR, "line": {"width": 2}}
    _add_points(figure, part, FAR_WORDS, marker, f"{FAR_WORDS}:<br>trust the score, not the place")


def _by_alert(alert: np.ndarray) -> list[tuple[str, np.ndarray, dict[str, Any]]]:
    """Name, rows and marker of the normal rows and of the alerts, if there are any.

    One symbol and one size for all points of a trace: arrays more than double the data sent, and draw more slowly.
    """
    parts: list[tuple[str, np.ndarray, dict[str, Any]]] = [
        ("normal", ~alert, {"size": 6, "opacity": 0.8}),
        ("alert", alert, {"size": 10, "opacity": 0.8, "symbol": "diamond"}),
    ]
    return [part for part in parts if part[1].any()]


def _add_points(
    figure: go.Figure, part: pd.DataFrame, name: str, marker: dict[str, Any], label: str, *, listed: bool = True
) -> None:
    figure.add_scattergl(
        x=part["x"].to_numpy(dtype=np.float32),
        y=part["y"].to_numpy(dtype=np.float32),
        mode="markers",
        marker=marker,
        name=name,
        legendgroup=name,
        showlegend=listed,
        customdata=part["row_id"].astype(str).tolist(),
        hovertemplate=f"%{{customdata}}<br>{label}<extra></extra>",
    )
