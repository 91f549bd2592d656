"""Charts of scores and alerts: histogram, alerts by threshold, scores over time."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ad_core.theme import ALERT, CHOSEN, MUTED, NORMAL, line_of, tidy


def score_histogram(
    scores: np.ndarray, alert: np.ndarray, calibration_scores: np.ndarray | None, *, bins: int | None = None
) -> go.Figure:
    """Histogram of the scores, alerts in orange; a line where one score divides alerts from the other rows.

    Args:
        scores: (rows,); NaN is left out.
        alert: (rows,) bool.
        calibration_scores: (k,) drawn as an outline of the same area; None = no outline.
    """
    has_score = np.isfinite(scores)
    known, alert = scores[has_score], alert[has_score]
    edges = _edges(known, bins or int(np.clip(3 * np.sqrt(len(known)), 12, 60)))
    centre, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    figure, highest = go.Figure(), 1.0
    for name, part, colour in (
        ("other rows", known[~alert], NORMAL),
        ("alerts", known[alert], ALERT),
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
    if calibration_scores is not None and np.isfinite(calibration_scores).any():
        normal = calibration_scores[np.isfinite(calibration_scores)]
        expected = np.histogram(normal, edges)[0] * (len(known) / len(normal))
        highest = max(highest, float(expected.max()))
        figure.add_scatter(
            x=centre,
            y=_step(expected),
            mode="lines",
            line={"shape": "hvh", "color": MUTED, "width": 2},
            name="calibration rows, scaled",
            hoverinfo="skip",
        )
    if (threshold := single_threshold(known, alert)) is not None:
        figure.add_vline(x=threshold, line={"color": ALERT, "dash": "dash", "width": 2})
    figure.update_xaxes(title="score (higher = more anomalous)", type="log" if _is_wide(known) else "linear")
    # a bar of one row must be visible, and log 1 is 0
    figure.update_yaxes(title="rows", type="log", dtick=1, range=[np.log10(0.7), np.log10(highest) + 0.15])
    return tidy(figure, 300, barmode="overlay", bargap=0.02)


def single_threshold(scores: np.ndarray, alert: np.ndarray) -> float | None:
    """The lowest score of an alert where every row with that score or a higher one is an alert; else None.

    There is none where recordings have thresholds of their own, where a budget counts per day, and without an alert.
    """
    if not alert.any():
        return None
    lowest = float(scores[alert].min())
    return lowest if alert[scores >= lowest].all() else None


def histogram_in_words(scores: np.ndarray, alert: np.ndarray) -> str:
    """The finding of `score_histogram`."""
    has_score = np.isfinite(scores)
    known, alert = scores[has_score], alert[has_score]
    if not len(known):
        return "No row has a score."
    text = f"Scores of {len(known):,} rows: half are below {np.median(known):.3g}, the highest is {known.max():.3g}."
    if not alert.any():
        return f"{text} No row is an alert."
    lowest = known[alert].min()
    if single_threshold(known, alert) is None:
        return f"{text} {alert.sum():,} rows are alerts; the lowest score of an alert is {lowest:.3g}."
    return f"{text} {alert.sum():,} rows are alerts: those with a score of at least {lowest:.3g}."


def alerts_curve(
    values: np.ndarray,
    alerts: np.ndarray,
    now: tuple[float, int],
    saved: tuple[float, int] | None,
    title: str,
    *,
    log: bool,
) -> go.Figure:
    """Number of alerts at each value of a rule.

    Args:
        values: (k,) of the rule, ascending.
        alerts: (k,) number of alerts at each value.
        now: the chosen value, and its number of alerts.
        saved: the same for the saved rule, where it is of this kind; None = not drawn.
        title: of the axis of values.
        log: whether that axis is logarithmic.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=values,
        y=alerts,
        mode="lines",
        line={"shape": "hv", "color": NORMAL, "width": 2},
        name="alerts",
        hovertemplate="%{x:.3g}<br>%{y:,} alerts<extra></extra>",
    )
    for name, place, symbol in (("saved", saved, "circle-open"), ("now", now, "circle")):
        if place is not None:
            figure.add_scatter(
                x=[place[0]],
                y=[place[1]],
                mode="markers",
                name=name,
                marker={"color": ALERT, "size": 11, "symbol": symbol},
                hovertemplate=f"{name}: %{{x:.3g}}<br>%{{y:,}} alerts<extra></extra>",
            )
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


def timeline(
    time: np.ndarray, score: np.ndarray, threshold: float, events: pd.DataFrame | None, chosen: Any = None
) -> go.Figure:
    """Score over time with the threshold and the events (`start`, `end`, `peak`) shaded."""
    figure = go.Figure()
    for _, event in events.iterrows() if events is not None else ():
        figure.add_vrect(x0=event["start"], x1=event["end"], fillcolor=ALERT, opacity=0.22, line_width=0)
    figure.add_scattergl(
        **line_of(time, score, NORMAL),
        line={"color": NORMAL, "width": 1.4},
        name="score",
        hovertemplate="%{x}<br>score %{y:.3g}<extra></extra>",
    )
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


def _step(counts: np.ndarray) -> np.ndarray:
    """Counts for a logarithmic axis: empty bins in between are drawn at the bottom, those outside are not drawn."""
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
    """Whether a few scores are so large that all others would share one bar of a linear axis."""
    return len(known) > 0 and float(known.min()) > 0 and float(known.max()) > 25 * float(np.median(known))
