"""Swim lanes: the events of recordings over time, a lane for each recording."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ad_core.data.figures import series
from ad_core.theme import ALERT, CHOSEN, MUTED, literal, tidy

LANES, EVENTS = 30, 1000
"""Maximum numbers of recordings and events that are drawn, those with the highest peaks."""

COLOURS = {"Critical": "#A8330B", "High": ALERT, "Medium": "#E8B27D", "Low": MUTED}
"""Severity of the peak -> colour; darker is more severe."""

LANE_PX, INK = 34, "#33403F"


def drawn_events(events: pd.DataFrame) -> pd.DataFrame:
    """The events that `lanes` draws: of at most LANES recordings, and at most EVENTS, highest peaks first."""
    ranked = events.sort_values("peak_score", ascending=False, kind="stable")
    if "entity" in ranked:
        ranked = ranked[ranked["entity"].isin(ranked["entity"].drop_duplicates().head(LANES))]
    return ranked.head(EVENTS)


def lanes(events: pd.DataFrame, span: tuple[Any, Any], chosen: str | None, title: str = "") -> go.Figure:
    """A bar from start to end of each event and a diamond at its peak, coloured by severity.

    Args:
        events: `start`, `peak`, `end` (dates or numbers), `row_id_peak`, `peak_score`, `severity`, `about` (a text for
            the hover), and `entity` where there are several recordings.
        span: first and last time of the recordings.
        chosen: `row_id_peak` of the current event.
        title: of the time axis.
    """
    lane = events["entity"].astype(str) if "entity" in events else pd.Series("", index=events.index)
    order = sorted(lane.unique())
    events = events.assign(lane=lane.map({name: str(i) for i, name in enumerate(order)}))
    figure = go.Figure()
    for severity, colour in COLOURS.items():
        own = events[events["severity"] == severity]
        if len(own):
            _add(figure, own, severity, colour)
    mark = events[events["row_id_peak"] == chosen]
    if len(mark):
        ring = {"size": 20, "symbol": "circle-open", "color": CHOSEN, "line": {"width": 3}}
        figure.add_scatter(
            x=mark["peak"], y=mark["lane"], mode="markers", marker=ring, name="current case", hoverinfo="skip"
        )
    is_clock = pd.api.types.is_datetime64_any_dtype(events["start"])  # else bar lengths make it numeric
    figure.update_xaxes(range=list(span), title=literal(title), type="date" if is_clock else "linear")
    figure.update_yaxes(
        tickmode="array",
        tickvals=[str(i) for i in range(len(order))],
        ticktext=[literal(name) for name in order],
        type="category",
        categoryorder="array",
        categoryarray=[str(i) for i in range(len(order))],
        range=[len(order) - 0.5, -0.5],
        automargin=True,
        fixedrange=True,
        visible=order != [""],
    )
    high = 76 + LANE_PX * len(order) + (20 if title else 0)
    return tidy(figure, high, barmode="overlay", bargap=0.45, clickmode="event+select", uirevision="lanes")


def lanes_in_words(events: pd.DataFrame) -> str:
    """The finding of `lanes`."""
    if events.empty:
        return "No event."
    top = events.sort_values("peak_score", ascending=False).iloc[0]
    where = f" in {top['entity']}" if "entity" in events else ""
    several = f" in {events['entity'].nunique()} recordings" if "entity" in events else ""
    n = len(events)
    return f"{n:,} event{'' if n == 1 else 's'}{several}; the highest peak is at {top['peak']}{where}."


def signal(frame: pd.DataFrame, columns: Sequence[str], time: str, event: pd.Series) -> go.Figure:
    """Channels of a recording under each other, with an event (`start`, `peak`, `end`) shaded in all of them.

    Args:
        frame: in order of time; each channel is thinned by itself, so that its extremes stay.
        time: column with the times.
    """
    figure = series(frame, columns, time=time)
    for row in range(1, len(columns) + 1):
        figure.add_vrect(
            x0=event["start"], x1=event["end"], fillcolor=ALERT, opacity=0.16, line_width=0, row=row, col=1
        )
        figure.add_vline(x=event["peak"], line={"color": CHOSEN, "width": 1.5}, row=row, col=1)
    return figure


def _add(figure: go.Figure, own: pd.DataFrame, severity: str, colour: str) -> None:
    """The bars and the peaks of one severity; both can be clicked."""
    length = own["end"] - own["start"]
    if pd.api.types.is_timedelta64_dtype(length):
        length = length.dt.total_seconds() * 1000
    common: dict[str, Any] = {
        "name": severity,
        "legendgroup": severity,
        "customdata": np.stack([own["row_id_peak"], own["about"]], axis=1),
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        "y": own["lane"],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    figure.add_bar(
        base=own["start"],
        x=length,
        orientation="h",
        showlegend=False,
        marker={"color": colour, "opacity": 0.55, "line": {"color": colour, "width": 2}},
        **common,
    )
    marker = {"symbol": "diamond", "size": 11, "color": colour, "line": {"color": INK, "width": 1}}
    figure.add_scatter(x=own["peak"], mode="markers", marker=marker, **common)
