"""Charts of an explanation: signed bars, and a window of a recording with what was expected."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ad_core.theme import ALERT, LABEL_PX, MUTED, NORMAL, SIGNED, SMALLEST_BAR, axis_label, line_of, shortened, tidy


def attribution_bars(parts: Sequence[str], values: np.ndarray, *, keep: int = 10, doubtful: bool = False) -> go.Figure:
    """Signed bars, largest on top; all but the `keep` largest are summed in one bar, so nothing is lost.

    Args:
        doubtful: the explanation did not pass its check; the bars are grey.
    """
    names, shares = _largest(parts, values, keep)
    figure = go.Figure(
        go.Bar(
            x=shares[::-1],
            y=names[::-1],
            orientation="h",
            marker_line_width=0,
            marker_color=MUTED if doubtful else [ALERT if v > 0 else "#3B74B8" for v in shares[::-1]],
            text=[f"{v:+.3g}" for v in shares[::-1]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:+.4g} of the score<extra></extra>",
        )
    )
    low, high = min(shares.min(), 0.0), max(shares.max(), 0.0)
    pad = 0.25 * ((high - low) or 1.0)
    figure.update_xaxes(title="share of the score", range=[low - (pad if low < 0 else 0), high + pad])
    figure.update_yaxes(automargin=True, tickmode="array", tickvals=names, ticktext=[shortened(n) for n in names])
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    return tidy(figure, 110 + 30 * len(names), showlegend=False)


def attribution_in_words(parts: Sequence[str], values: np.ndarray) -> str:
    """Text alternative of `attribution_bars`."""
    order = np.argsort(-np.abs(values))[:3]
    named = ", ".join(f"{parts[i]} {values[i]:+.3g}" for i in order)
    return f"Of {len(parts)} parts the largest shares of the score: {named}."


def window(
    frame: pd.DataFrame, channels: Sequence[str], attribution: np.ndarray | None, second: str = "expected"
) -> go.Figure:
    """Channel by time: attribution of the score, above the lines of actual and expected values.

    Args:
        frame: `time`, per channel its values, and `<channel> expected` where the task predicts.
        attribution: (channel, time) on any grid of the window's span, None = no heat-map.
        second: name of the dotted line, and suffix of its columns.
    """
    first = 0 if attribution is None else 1
    heights = ([0.12 * len(channels) + 0.25] if first else []) + [1.0] * len(channels)
    high = (60 + 26 * len(channels)) * first + (90 + LABEL_PX) * len(channels) + 60
    figure = make_subplots(
        rows=first + len(channels), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=LABEL_PX / high
    )
    x = frame["time"].to_numpy()
    if attribution is not None:
        limit = float(np.abs(attribution).max()) or 1.0
        at = np.linspace(0, len(x) - 1, attribution.shape[1]).round().astype(int)
        figure.add_heatmap(
            z=attribution,
            x=x[at],
            y=list(channels),
            colorscale=SIGNED,
            zmin=-limit,
            zmax=limit,
            row=1,
            col=1,
            colorbar={"title": {"text": "share"}, "lenmode": "pixels", "len": 110, "y": 1, "yanchor": "top"},
            hovertemplate="%{y} at %{x}: %{z:+.3g}<extra></extra>",
        )
        figure.update_yaxes(autorange="reversed", dtick=1, row=1, col=1)
    for row, channel in enumerate(channels, start=first + 1):
        for column, name, line in (
            (f"{channel} {second}", second, {"color": ALERT, "width": 1.6, "dash": "dot"}),
            (channel, "actual", {"color": NORMAL, "width": 1.8}),
        ):
            if column in frame:
                values = frame[column].to_numpy(dtype=np.float64)
                figure.add_scatter(
                    **line_of(x, values, str(line["color"])),
                    line=line,
                    name=name,
                    legendgroup=name,
                    row=row,
                    col=1,
                    showlegend=row == first + 1,
                )
        figure.add_annotation(**axis_label(channel, row))
        figure.update_yaxes(nticks=4, row=row, col=1)
    if first:
        return tidy(figure, high)
    above = {"orientation": "h", "y": 1 + LABEL_PX / (high - 60), "yanchor": "bottom", "x": 0}  # the label comes first
    return tidy(figure, high + LABEL_PX, legend=above, margin={"l": 8, "r": 8, "t": 30 + LABEL_PX, "b": 8})


def window_in_words(channels: Sequence[str], attribution: np.ndarray | None, n: int) -> str:
    """Text alternative of `window`."""
    text = f"A window of {n} time stamps on {len(channels)} channel{'' if len(channels) == 1 else 's'}."
    if attribution is None:
        return text
    shares = attribution.sum(axis=1)
    return (
        f"{text} The channel with the largest share of the score is {channels[int(np.argmax(shares))]} "
        f"({shares.max():+.3g})."
    )


def _largest(parts: Sequence[str], values: np.ndarray, keep: int) -> tuple[list[str], np.ndarray]:
    order = np.argsort(-np.abs(values), kind="stable")
    seen = int((np.abs(values) >= SMALLEST_BAR * np.abs(values).max()).sum()) if len(values) else 0
    top, rest = order[: min(keep, seen)], order[min(keep, seen) :]
    names, shares = [str(parts[i]) for i in top], [float(values[i]) for i in top]
    if len(rest) and np.any(values[rest] != 0):
        names.append(f"{len(rest)} other{'' if len(rest) == 1 else 's'}")
        shares.append(float(values[rest].sum()))
    return names, np.array(shares)
