"""Charts of the data themselves: one line per column, and the thumbnail of a data set."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ad_core.theme import ALERT, LABEL_PX, NORMAL, axis_label, line_of, tidy


def series(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    time: str | None = None,
    units: Mapping[str, str | None] | None = None,
    height: int = 90,
) -> go.Figure:
    """One line per column, under each other, downsampled so that extremes stay."""
    high = (height + LABEL_PX) * len(columns) + 40
    figure = make_subplots(rows=len(columns), cols=1, shared_xaxes=True, vertical_spacing=LABEL_PX / high)
    x = frame[time].to_numpy() if time else np.arange(len(frame))
    for row, column in enumerate(columns, start=1):
        values = frame[column].to_numpy(dtype=np.float64)
        figure.add_scattergl(
            **line_of(x, values, NORMAL), line={"color": NORMAL, "width": 1.2}, name=column, row=row, col=1
        )
        unit = (units or {}).get(column)
        figure.add_annotation(**axis_label(f"{column} [{unit}]" if unit and unit not in column else column, row))
    figure.update_yaxes(nticks=3, automargin=True)
    return tidy(figure, high, showlegend=False)


def sparkline(values: np.ndarray, marked: np.ndarray | None = None, *, points: bool = False) -> go.Figure:
    """A thumbnail of a data set for its card: a line or a scatter plot, anomalies in orange.

    Args:
        values: (n,) a line, or (n, 2) points of a scatter plot when `points`.
        marked: (n,) bool.
    """
    figure = go.Figure()
    x, y = (values[:, 0], values[:, 1]) if points else (np.arange(len(values)), values)
    marks = np.zeros(len(y), dtype=bool) if marked is None else marked
    if points:
        figure.add_scatter(
            x=x[~marks], y=y[~marks], mode="markers", marker={"color": NORMAL, "size": 5, "opacity": 0.55}
        )
        figure.add_scatter(x=x[marks], y=y[marks], mode="markers", marker={"color": ALERT, "size": 8})
    else:
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": NORMAL, "width": 1.5})
        figure.add_scatter(x=x, y=np.where(marks, y, np.nan), mode="lines", line={"color": ALERT, "width": 2.2})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_traces(hoverinfo="skip")
    return tidy(figure, 120, showlegend=False, margin={"l": 0, "r": 0, "t": 0, "b": 0})
