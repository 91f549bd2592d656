"""Pure functions: frames and arrays in, plotly figures out, and beside each what it shows in words.

The words are what a screen reader gets instead of the chart, so they say the finding and not the chart's type. Figures
carry no font, grid or background: those are the theme's. Petrol = usual, orange = alert, everywhere.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

USUAL, ALERT, CHOSEN, MUTED = "#2F8F8B", "#E0702C", "#8468B5", "#8FA3A8"
SIGNED = [[0.0, "#2B5C9E"], [0.25, "#7FA3D1"], [0.5, "#EEF1F0"], [0.75, "#E5975A"], [1.0, "#A94F12"]]
"""Blue lowers a score, orange raises it."""
MAGNITUDE = "Cividis"
SMALLEST_BAR = 0.01
"""Parts with less than this share of the largest bar would be invisible; they are summed up with the others."""
LABEL_PX = 22
"""Room above each line of a stack for its name."""
LINE_POINTS = 1500
"""A line is drawn with at most so many points; minima and maxima are kept, so a spike is never lost."""


def score_histogram(
    scores: np.ndarray, usual: np.ndarray | None, threshold: float, *, bins: int | None = None
) -> go.Figure:
    """How many rows have which score, alerts in orange, with the threshold as a line.

    Args:
        scores: (rows,); NaN is left out.
        usual: (k,) scores of the calibration rows, drawn as an outline of the same area; None = none.
        threshold: scores from here on are alerts; infinite = there are none.
    """
    known = scores[np.isfinite(scores)]
    edges = _edges(known, bins or int(np.clip(3 * np.sqrt(len(known)), 12, 60)))
    centre, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    figure, highest = go.Figure(), 1.0
    for name, part, colour in (
        ("below the threshold", known[known < threshold], USUAL),
        ("alerts", known[known >= threshold], ALERT),
    ):
        count = np.histogram(part, edges)[0]
        highest = max(highest, float(count.max()))
        figure.add_bar(
            x=centre[count > 0],
            y=count[count > 0],
            width=width[count > 0],
            name=name,
            marker_color=colour,
            marker_line_width=0,
            hovertemplate="score %{x:.3g}<br>%{y} rows<extra></extra>",
        )
    if usual is not None and np.isfinite(usual).any():
        expected = np.histogram(usual[np.isfinite(usual)], edges)[0] * (len(known) / np.isfinite(usual).sum())
        highest = max(highest, float(expected.max()))
        figure.add_scatter(
            x=centre, y=_step(expected), mode="lines", line={"shape": "hvh", "color": MUTED, "width": 2},
            name="calibration rows, scaled", hoverinfo="skip",
        )  # fmt: skip
    if np.isfinite(threshold):
        figure.add_vline(x=threshold, line={"color": ALERT, "dash": "dash", "width": 2})
    figure.update_xaxes(title="score (higher = more unusual)", type="log" if _is_wide(known) else "linear")
    # a bar of one row must be seen, and log 1 is 0
    figure.update_yaxes(title="rows", type="log", dtick=1, range=[np.log10(0.7), np.log10(highest) + 0.15])
    return tidy(figure, 300, barmode="overlay", bargap=0.02)


def histogram_in_words(scores: np.ndarray, threshold: float) -> str:
    """The finding of `score_histogram`."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return "No row has a score."
    alerts = int((known >= threshold).sum())
    text = f"Scores of {len(known):,} rows: half are below {np.median(known):.3g}, the highest is {known.max():.3g}."
    return (
        f"{text} {alerts:,} rows are at or above the threshold of {threshold:.3g}."
        if alerts
        else f"{text} No row is an alert."
    )


def alerts_curve(
    values: np.ndarray,
    alerts: np.ndarray,
    now: tuple[float, int],
    saved: tuple[float, int] | None,
    title: str,
    *,
    log: bool,
) -> go.Figure:
    """How many rows are alerts at each value of a rule.

    Args:
        values: (k,) of the rule, ascending.
        alerts: (k,) how many alerts each brings.
        now: the value that is chosen, and its alerts.
        saved: the same of the saved rule, where it is of this kind; None = not drawn.
        title: of the axis of values.
        log: whether values span orders of magnitude.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=values, y=alerts, mode="lines", line={"shape": "hv", "color": USUAL, "width": 2}, name="alerts",
        hovertemplate="%{x:.3g}<br>%{y:,} alerts<extra></extra>",
    )  # fmt: skip
    for name, place, symbol in (("saved", saved, "circle-open"), ("now", now, "circle")):
        if place is not None:
            figure.add_scatter(
                x=[place[0]], y=[place[1]], mode="markers", name=name,
                marker={"color": ALERT, "size": 11, "symbol": symbol},
                hovertemplate=f"{name}: %{{x:.3g}}<br>%{{y:,}} alerts<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(title=title, type="log" if log else "linear")
    figure.update_yaxes(title="alerts", rangemode="tozero")
    return tidy(figure, 190)


def alerts_curve_in_words(values: np.ndarray, alerts: np.ndarray, now: tuple[float, int]) -> str:
    """The finding of `alerts_curve`."""
    if not len(values):
        return "No value of this rule brings an alert."
    return (
        f"Alerts go from {int(alerts[0]):,} at {values[0]:.3g} to {int(alerts[-1]):,} at {values[-1]:.3g}; "
        f"{now[1]:,} at {now[0]:.3g}."
    )


def loss_curve(curve: Sequence[Mapping[str, float]]) -> go.Figure:
    """Training loss and held-out loss by step."""
    frame = pd.DataFrame(list(curve))
    figure = go.Figure()
    for column, name, colour in (("loss", "training rows", USUAL), ("held_out_loss", "early-stop rows", ALERT)):
        if column in frame and frame[column].notna().any():
            line = frame[["step", column]].dropna()
            line = line.iloc[_thinned(line[column].to_numpy(dtype=np.float64))]
            mode = "lines+markers" if len(line) < 40 else "lines"
            figure.add_scatter(x=line["step"], y=line[column], name=name, mode=mode, line={"color": colour, "width": 2})
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="loss")
    return tidy(figure, 260)


def loss_in_words(curve: Sequence[Mapping[str, float]]) -> str:
    """The finding of `loss_curve`."""
    losses = [point["loss"] for point in curve if point.get("loss") is not None]
    if not losses:
        return "No training step has been reported yet."
    held_out = [point["held_out_loss"] for point in curve if point.get("held_out_loss") is not None]
    text = f"Training loss went from {losses[0]:.3g} to {losses[-1]:.3g} over {len(losses)} reports."
    return f"{text} On the early-stop rows it is {held_out[-1]:.3g}, at best {min(held_out):.3g}." if held_out else text


def split_bar(fit: int, early_stop: int, calibration: int, other: int = 0) -> go.Figure:
    """One bar: which share of the rows trains, which says when to stop, which calibrates, which is only scored."""
    figure = go.Figure()
    parts = (
        ("fit", fit, USUAL),
        ("stop", early_stop, "#6FA9B8"),
        ("calibrate", calibration, "#4F7CC4"),
        ("score", other, MUTED),
    )
    for name, n, colour in parts:
        if n:
            figure.add_bar(
                x=[n], y=[""], orientation="h", name=name, marker_color=colour, marker_line_width=0,
                text=[name], textposition="inside", insidetextanchor="middle", textfont={"color": "white"},
                hovertemplate=f"{name}: {n:,} rows<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    still = {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "uniformtext": {"minsize": 11, "mode": "hide"}}
    return tidy(figure, 34, barmode="stack", showlegend=False, **still)


def attribution_bars(parts: Sequence[str], values: np.ndarray, *, keep: int = 10, doubtful: bool = False) -> go.Figure:
    """Signed bars, largest on top; what is not among the `keep` largest is summed up as one bar, so nothing is lost.

    Args:
        doubtful: the explanation did not pass its check; the bars are grey.
    """
    names, shares = _largest(parts, values, keep)
    figure = go.Figure(
        go.Bar(
            x=shares[::-1], y=names[::-1], orientation="h", marker_line_width=0,
            marker_color=MUTED if doubtful else [ALERT if v > 0 else "#3B74B8" for v in shares[::-1]],
            text=[f"{v:+.3g}" for v in shares[::-1]], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:+.4g} of the score<extra></extra>",
        )
    )  # fmt: skip
    low, high = min(shares.min(), 0.0), max(shares.max(), 0.0)
    pad = 0.25 * ((high - low) or 1.0)
    figure.update_xaxes(title="share of the score", range=[low - (pad if low < 0 else 0), high + pad])
    figure.update_yaxes(automargin=True, tickmode="array", tickvals=names, ticktext=[shortened(n) for n in names])
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    return tidy(figure, 110 + 30 * len(names), showlegend=False)


def attribution_in_words(parts: Sequence[str], values: np.ndarray) -> str:
    """The finding of `attribution_bars`."""
    order = np.argsort(-np.abs(values))[:3]
    named = ", ".join(f"{parts[i]} {values[i]:+.3g}" for i in order)
    return f"Of {len(parts)} parts the largest shares of the score: {named}."


def series(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    time: str | None = None,
    units: Mapping[str, str | None] | None = None,
    height: int = 90,
) -> go.Figure:
    """One line per column, under each other, thinned so that extremes stay."""
    high = (height + LABEL_PX) * len(columns) + 40
    figure = make_subplots(rows=len(columns), cols=1, shared_xaxes=True, vertical_spacing=LABEL_PX / high)
    x = frame[time].to_numpy() if time else np.arange(len(frame))
    for row, column in enumerate(columns, start=1):
        values = frame[column].to_numpy(dtype=np.float64)
        keep = _thinned(values)
        figure.add_scattergl(
            x=x[keep], y=values[keep], mode="lines", line={"color": USUAL, "width": 1.2}, name=column, row=row, col=1
        )
        unit = (units or {}).get(column)
        figure.add_annotation(**_label(f"{column} [{unit}]" if unit and unit not in column else column, row))
    figure.update_yaxes(nticks=3, automargin=True)
    return tidy(figure, high, showlegend=False)


def timeline(
    time: np.ndarray, score: np.ndarray, threshold: float, events: pd.DataFrame | None, chosen: Any = None
) -> go.Figure:
    """Score over time with the threshold and the events (`start`, `end`, `peak`) shaded."""
    keep = _thinned(score)
    figure = go.Figure()
    for _, event in events.iterrows() if events is not None else ():
        figure.add_vrect(x0=event["start"], x1=event["end"], fillcolor=ALERT, opacity=0.22, line_width=0)
    figure.add_scattergl(
        x=time[keep], y=score[keep], mode="lines", line={"color": USUAL, "width": 1.4}, name="score",
        hovertemplate="%{x}<br>score %{y:.3g}<extra></extra>",
    )  # fmt: skip
    if np.isfinite(threshold):
        figure.add_hline(y=threshold, line={"color": ALERT, "dash": "dash", "width": 1.5})
    if chosen is not None:
        figure.add_vline(x=chosen, line={"color": CHOSEN, "width": 2})
    figure.update_yaxes(title="score", rangemode="tozero")
    return tidy(figure, 260, showlegend=False)


def timeline_in_words(score: np.ndarray, events: pd.DataFrame | None) -> str:
    """The finding of `timeline`."""
    n = 0 if events is None else len(events)
    return f"Score over {len(score):,} time stamps with {n} event{'' if n == 1 else 's'} above the threshold."


def window(
    frame: pd.DataFrame, channels: Sequence[str], attribution: np.ndarray | None, second: str = "expected"
) -> go.Figure:
    """Channel by time: where the score comes from, above the lines with what was expected.

    Args:
        frame: `time`, per channel its values, and `<channel> expected` where the task predicts.
        attribution: (channel, time) on any grid of the window's span, None = no heat-map.
        second: what the dotted line is called, and the columns that it is drawn from.
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
            z=attribution, x=x[at], y=list(channels), colorscale=SIGNED, zmin=-limit, zmax=limit, row=1, col=1,
            colorbar={"title": {"text": "share"}, "lenmode": "pixels", "len": 110, "y": 1, "yanchor": "top"},
            hovertemplate="%{y} at %{x}: %{z:+.3g}<extra></extra>",
        )  # fmt: skip
        figure.update_yaxes(autorange="reversed", dtick=1, row=1, col=1)
    for row, channel in enumerate(channels, start=first + 1):
        for column, name, line in (
            (f"{channel} {second}", second, {"color": ALERT, "width": 1.6, "dash": "dot"}),
            (channel, "actual", {"color": USUAL, "width": 1.8}),
        ):
            if column in frame:
                values = frame[column].to_numpy(dtype=np.float64)
                keep = _thinned(values)
                figure.add_scatter(
                    x=x[keep], y=values[keep], mode="lines", line=line, name=name, legendgroup=name, row=row, col=1,
                    showlegend=row == first + 1,
                )  # fmt: skip
        figure.add_annotation(**_label(channel, row))
        figure.update_yaxes(nticks=4, row=row, col=1)
    if first:
        return tidy(figure, high)
    above = {"orientation": "h", "y": 1 + LABEL_PX / (high - 60), "yanchor": "bottom", "x": 0}  # the label comes first
    return tidy(figure, high + LABEL_PX, legend=above, margin={"l": 8, "r": 8, "t": 30 + LABEL_PX, "b": 8})


def window_in_words(channels: Sequence[str], attribution: np.ndarray | None, n: int) -> str:
    """The finding of `window`."""
    text = f"A window of {n} time stamps on {len(channels)} channel{'' if len(channels) == 1 else 's'}."
    if attribution is None:
        return text
    shares = attribution.sum(axis=1)
    return (
        f"{text} The channel with the largest share of the score is {channels[int(np.argmax(shares))]} "
        f"({shares.max():+.3g})."
    )


def sparkline(values: np.ndarray, marked: np.ndarray | None = None, *, points: bool = False) -> go.Figure:
    """A small picture of a data set for its card: a line or a cloud, unusual spots in orange.

    Args:
        values: (n,) a line, or (n, 2) a cloud when `points`.
        marked: (n,) bool.
    """
    figure = go.Figure()
    x, y = (values[:, 0], values[:, 1]) if points else (np.arange(len(values)), values)
    marks = np.zeros(len(y), dtype=bool) if marked is None else marked
    if points:
        figure.add_scatter(
            x=x[~marks], y=y[~marks], mode="markers", marker={"color": USUAL, "size": 5, "opacity": 0.55}
        )
        figure.add_scatter(x=x[marks], y=y[marks], mode="markers", marker={"color": ALERT, "size": 8})
    else:
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": USUAL, "width": 1.5})
        figure.add_scatter(x=x, y=np.where(marks, y, np.nan), mode="lines", line={"color": ALERT, "width": 2.2})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_traces(hoverinfo="skip")
    return tidy(figure, 120, showlegend=False, margin={"l": 0, "r": 0, "t": 0, "b": 0})


def _largest(parts: Sequence[str], values: np.ndarray, keep: int) -> tuple[list[str], np.ndarray]:
    order = np.argsort(-np.abs(values), kind="stable")
    seen = int((np.abs(values) >= SMALLEST_BAR * np.abs(values).max()).sum()) if len(values) else 0
    top, rest = order[: min(keep, seen)], order[min(keep, seen) :]
    names, shares = [str(parts[i]) for i in top], [float(values[i]) for i in top]
    if len(rest) and np.any(values[rest] != 0):
        names.append(f"{len(rest)} other{'' if len(rest) == 1 else 's'}")
        shares.append(float(values[rest].sum()))
    return names, np.array(shares)


def _step(counts: np.ndarray) -> np.ndarray:
    """Counts for a logarithmic axis: empty bins in between touch the ground, those outside are not drawn."""
    filled = np.flatnonzero(counts)
    line = np.full(len(counts), np.nan)
    if len(filled):
        line[filled[0] : filled[-1] + 1] = np.maximum(counts[filled[0] : filled[-1] + 1], 0.5)
    return line


def _edges(known: np.ndarray, bins: int) -> np.ndarray:
    if not len(known):
        return np.linspace(0.0, 1.0, bins + 1)
    low, high = float(known.min()), float(known.max())
    if low == high:
        return np.linspace(low - 0.5, high + 0.5, bins + 1)
    return np.geomspace(low, high, bins + 1) if _is_wide(known) else np.linspace(low, high, bins + 1)


def _is_wide(known: np.ndarray) -> bool:
    """Whether a few scores are so large that a linear axis would squeeze all others into one bar."""
    return len(known) > 0 and float(known.min()) > 0 and float(known.max()) > 25 * float(np.median(known))


def _thinned(values: np.ndarray) -> np.ndarray:
    """Positions to draw: all, or so many that minima and maxima of every stretch are kept. Gaps stay gaps."""
    if len(values) <= LINE_POINTS:
        return np.arange(len(values))
    from tsdownsample import NaNMinMaxLTTBDownsampler

    thinner: Any = NaNMinMaxLTTBDownsampler
    return np.asarray(
        thinner().downsample(np.ascontiguousarray(values, dtype=np.float64), n_out=LINE_POINTS), dtype=np.int64
    )


def _label(text: str, row: int) -> dict[str, Any]:
    axis = "" if row == 1 else str(row)
    return {
        "text": shortened(text), "showarrow": False, "xref": f"x{axis} domain", "yref": f"y{axis} domain", "x": 0,
        "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}, "opacity": 0.85,
    }  # fmt: skip


def literal(text: str, length: int = 28) -> str:
    """User text in a chart, where tags would be obeyed, stays text; cut to so many characters."""
    return html.escape(shortened(text, length), quote=False)


def shortened(text: str, length: int = 28) -> str:
    """A text with at most so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def tidy(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """One look for all figures: little margin, legend above."""
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    return figure.update_layout(
        **{"height": height, "margin": {"l": 8, "r": 8, "t": 30, "b": 8}, "legend": legend, **layout}
    )
