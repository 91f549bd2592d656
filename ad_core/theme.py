"""Colours and layout of all plotly figures.

Figure functions are pure: data frames and arrays in, a figure out. A companion function gives the text that a screen
reader reads instead; it states the result, not the type of the chart. Figures set no font, grid or background: the
theme of the app does. Petrol = normal, orange = alert, everywhere.
"""

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go

NORMAL, ALERT, CHOSEN, MUTED = "#2F8F8B", "#E0702C", "#8468B5", "#8FA3A8"
SIGNED = [[0.0, "#2B5C9E"], [0.25, "#7FA3D1"], [0.5, "#EEF1F0"], [0.75, "#E5975A"], [1.0, "#A94F12"]]
"""Blue lowers a score, orange raises it."""
MAGNITUDE = "Cividis"
SMALLEST_BAR = 0.01
"""Bars below this share of the largest one would be invisible; they are summed in one bar."""
LABEL_PX = 22
"""Height reserved above each line of a stack for its name."""
LINE_POINTS = 1500
"""Maximum number of points of a drawn line; minima and maxima are kept, so a spike is never lost."""


def thinned(values: np.ndarray) -> np.ndarray:
    """Positions to draw: all, or LINE_POINTS that keep the minima and maxima of every segment. Gaps stay gaps."""
    if len(values) <= LINE_POINTS:
        return np.arange(len(values))
    from tsdownsample import NaNMinMaxLTTBDownsampler

    thinner: Any = NaNMinMaxLTTBDownsampler
    return np.asarray(
        thinner().downsample(np.ascontiguousarray(values, dtype=np.float64), n_out=LINE_POINTS), dtype=np.int64
    )


def axis_label(text: str, row: int) -> dict[str, Any]:
    axis = "" if row == 1 else str(row)
    return {
        "text": shortened(text),
        "showarrow": False,
        "xref": f"x{axis} domain",
        "yref": f"y{axis} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "font": {"size": 12},
        "opacity": 0.85,
    }


def literal(text: str, length: int = 28) -> str:
    """User text for a chart, escaped so that tags are shown as text, and cut to `length` characters."""
    return html.escape(shortened(text, length), quote=False)


def shortened(text: str, length: int = 28) -> str:
    """The text, cut to at most `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def tidy(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """The layout that all figures share: narrow margins, legend above."""
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    return figure.update_layout(
        **{"height": height, "margin": {"l": 8, "r": 8, "t": 30, "b": 8}, "legend": legend, **layout}
    )
