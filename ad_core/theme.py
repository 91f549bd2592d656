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
"""Maximum number of points of a drawn line, its breaks among them."""
BREAKS = 150
"""Maximum number of gaps that break a line with more than LINE_POINTS values: the widest ones."""
LONE_POINT_PX = 4
"""Size of a value that stands alone between two gaps, where no line could show it."""


def thinned(values: np.ndarray) -> np.ndarray:
    """Positions to draw, ascending: all, or at most LINE_POINTS.

    The known values are thinned so that the minimum and the maximum of every segment stay, those of all values among
    them. Then a position without a value breaks the line at each gap, and the values on either side of it are kept; of
    more than BREAKS gaps the widest break the line.

    Args:
        values: (n,); NaN and infinite = a gap.
    """
    if len(values) <= LINE_POINTS:
        return np.arange(len(values))
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return known
    before = np.flatnonzero(np.diff(known) > 1)  # the last known value before each gap
    widest = before[np.argsort(known[before] - known[before + 1], kind="stable")[:BREAKS]]
    room = LINE_POINTS - 2 - 3 * len(widest)
    kept = known if len(known) <= room else known[_extremes(values[known], room)]
    return np.unique(np.concatenate([kept, known[[0, -1]], known[widest], known[widest] + 1, known[widest + 1]]))


def _extremes(values: np.ndarray, n_out: int) -> np.ndarray:
    """At most `n_out` positions, with the minimum and the maximum of every segment."""
    from tsdownsample import MinMaxDownsampler

    thinner: Any = MinMaxDownsampler
    values = np.ascontiguousarray(values, dtype=np.float64)
    return np.asarray(thinner().downsample(values, n_out=n_out // 2 * 2), dtype=np.int64)


def line_of(x: np.ndarray, values: np.ndarray, color: str) -> dict[str, Any]:
    """`x`, `y` and `mode` of a scatter trace: `thinned`, and a value alone between two gaps as a point."""
    keep = thinned(values)
    y = values[keep]
    known = np.isfinite(np.concatenate([[np.nan], y, [np.nan]]))
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    if not alone.any():
        return {"x": x[keep], "y": y, "mode": "lines"}
    marker = {"size": np.where(alone, LONE_POINT_PX, 0), "color": color, "line": {"width": 0}}
    return {"x": x[keep], "y": y, "mode": "lines+markers", "marker": marker}


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
