"""Figures of global feature importance over alerts, each with its text alternative."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ad_core.explain.image_grid import FIELDS
from ad_core.theme import ALERT, CHOSEN, MUTED, NORMAL, literal, tidy

PALETTE = (ALERT, "#4F7CC4", "#B8922E", CHOSEN, NORMAL, "#C25577")
"""Colours of the parts with the largest shares over time; the others are grey."""

SHADES = [[0.0, "#F4F6F5"], [0.5, "#F0B48A"], [1.0, "#C4571B"]]
"""From no share to the largest."""

BARS = 12
"""Maximum number of parts with a bar of their own."""

DARK = 0.6
"""Minimum share of the largest value for white text on a shade."""


def importance_bars(ranking: pd.DataFrame, keep: int = BARS) -> go.Figure:
    """The mean share of each part, with its interval as a line; all but the first `keep` are summed.

    Args:
        ranking: as `global_importance.ranking` returns it.
    """
    top, rest = ranking.head(keep), ranking.iloc[keep:]
    names, share = [literal(str(part)) for part in top["part"]], top["share"].to_numpy(dtype=np.float64)
    ends = [np.nan_to_num(top["high"] - share), np.nan_to_num(share - top["low"])]
    if len(rest):
        names, share = [*names, f"{len(rest)} other parts"], np.append(share, rest["share"].sum())
        ends = [np.append(end, 0.0) for end in ends]
    error = {"type": "data", "array": 100 * ends[0], "arrayminus": 100 * ends[1], "color": MUTED, "thickness": 1.5}
    figure = go.Figure(
        go.Bar(
            x=100 * share,
            y=[str(i) for i in range(len(names))],
            orientation="h",
            customdata=names,
            marker_line_width=0,
            error_x=error,
            marker_color=[ALERT] * len(top) + [MUTED] * min(len(rest), 1),
            hovertemplate="%{customdata}: %{x:.0f} % of an alert's score<extra></extra>",
        )
    )
    figure.update_xaxes(title="mean share [%]", rangemode="tozero")
    figure.update_yaxes(
        automargin=True,
        autorange="reversed",
        tickmode="array",
        ticktext=names,
        tickvals=[str(i) for i in range(len(names))],
        type="category",
    )
    return tidy(figure, 80 + 30 * len(names), showlegend=False)


def importance_in_words(ranking: pd.DataFrame, alerts: int) -> str:
    """Text alternative of `importance_bars`."""
    named = ", ".join(f"{line.part} {_percent(line.share)}" for line in ranking.head(3).itertuples())
    return f"Mean share in the scores of {alerts:,} alert{'' if alerts == 1 else 's'}: {named}."


def field_shares(ranking: pd.DataFrame) -> go.Figure:
    """Nine fields of an image, each shaded by its mean share."""
    share = ranking.set_index("part")["share"].reindex(list(FIELDS)).fillna(0.0).to_numpy(dtype=np.float64)
    return _shaded(
        share.reshape(3, 3),
        ["left", "middle", "right"],
        ["top", "middle", "bottom"],
        300,
        np.array(FIELDS).reshape(3, 3),
        hide_axes=True,
    )


def split_shades(table: pd.DataFrame, parts: Sequence[str]) -> go.Figure:
    """A line for each value, a column for each part, shaded by the mean share.

    Args:
        table: as `global_importance.split` returns it.
        parts: columns to draw.
    """
    shares = table.pivot_table(index="value", columns="part", values="share", aggfunc="first", sort=False)
    alerts = table.drop_duplicates("value").set_index("value")["alerts"]
    lines = shares.reindex(index=alerts.index, columns=list(parts)).fillna(0.0)
    ends = table.set_index(["value", "part"])
    hover = np.array([[_hover(ends, value, part) for part in parts] for value in lines.index])
    names = [f"{literal(str(value), 34)} ({count})" for value, count in alerts.items()]
    figure = _shaded(
        lines.to_numpy(np.float64),
        [literal(str(p), max(10, 125 // len(parts))) for p in parts],
        names,
        70 + 34 * len(names),
        hover,
    )
    return figure.update_xaxes(side="top")


def split_in_words(table: pd.DataFrame) -> str:
    """Text alternative of `split_shades`."""
    top = table.drop_duplicates("value").head(6)
    named = "; ".join(f"{line.value}: {line.part} {_percent(line.share)}" for line in top.itertuples())
    return f"Largest mean share within each of {table['value'].nunique()}: {named}."


def importance_over_time(table: pd.DataFrame, parts: Sequence[str], what: str = "alerts") -> go.Figure:
    """Alerts per bin of time, split over parts by their shares of the scores.

    Args:
        table: as `global_importance.over_time` returns it.
        parts: from the largest share on; those beyond the colours are summed up.
        what: name of the counted rows.
    """
    figure, coloured = go.Figure(), list(parts)[: len(PALETTE)]
    named = table["part"].where(table["part"].isin(coloured), "all others")
    table = table.assign(part=named).groupby(["begin", "end", "part"], as_index=False)["alerts"].sum()
    for part, colour in (*zip(coloured, PALETTE, strict=False), ("all others", MUTED)):
        own = table.loc[table["part"] == part]
        if len(own):
            width = own["end"] - own["begin"]
            is_clock = pd.api.types.is_timedelta64_dtype(width)
            length = width.dt.total_seconds() * 1000 if is_clock else width
            figure.add_bar(
                x=own["begin"] + width / 2,
                y=own["alerts"],
                width=length * 0.9,
                name=literal(str(part)),
                marker_color=colour,
                marker_line_width=0,
                customdata=own[["begin", "end"]].astype(str).to_numpy(),
                hovertemplate=f"{literal(str(part))}: %{{y:.1f}} {what}<br>%{{customdata[0]}} to %{{customdata[1]}}"
                "<extra></extra>",
            )
    figure.update_yaxes(title=what, rangemode="tozero")
    return tidy(figure, 280, barmode="stack").update_layout(legend_traceorder="normal")


def over_time_in_words(table: pd.DataFrame) -> str:
    """Text alternative of `importance_over_time`."""
    per = table.groupby("begin")["alerts"].sum()
    busiest = table.loc[table["begin"] == per.idxmax()].nlargest(1, "alerts").iloc[0]
    return (
        f"{per.sum():.0f} alerts over time; most, {per.max():.0f}, from {busiest['begin']} to {busiest['end']}, "
        f"mainly by {busiest['part']}."
    )


def _shaded(
    shares: np.ndarray,
    columns: Sequence[str],
    lines: Sequence[str],
    height: int,
    hover: np.ndarray,
    *,
    hide_axes: bool = False,
) -> go.Figure:
    """A table of shares as shades, each with its number."""
    high = max(float(shares.max()), 1e-9)
    x, y = [str(i) for i in range(len(columns))], [str(i) for i in range(len(lines))]  # names may repeat when shortened
    figure = go.Figure(
        go.Heatmap(
            z=100 * shares,
            x=x,
            y=y,
            colorscale=SHADES,
            zmin=0,
            zmax=100 * high,
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=hover,
            hovertemplate="%{customdata}<br>mean share %{z:.0f} %<extra></extra>",
        )
    )
    for i, j in np.ndindex(shares.shape):
        if shares[i, j] >= 0.005:
            colour = "white" if shares[i, j] > DARK * high else "#33403F"
            figure.add_annotation(
                x=x[j], y=y[i], text=_percent(float(shares[i, j])), showarrow=False, font={"size": 12, "color": colour}
            )
    figure.update_xaxes(tickmode="array", tickvals=x, ticktext=list(columns), showgrid=False, visible=not hide_axes)
    figure.update_yaxes(
        tickmode="array",
        tickvals=y,
        ticktext=list(lines),
        autorange="reversed",
        automargin=True,
        showgrid=False,
        visible=not hide_axes,
    )
    return tidy(figure, height)


def _hover(ends: pd.DataFrame, value: object, part: str) -> str:
    """Names and, where there is one, the interval of a cell."""
    line = ends.loc[(value, part)] if (value, part) in ends.index else None
    known = line is not None and np.isfinite(line["low"])
    interval = f" (95 %: {_percent(line['low'])} to {_percent(line['high'])})" if known else ""  # type: ignore[index]
    return literal(f"{value} · {part}{interval}", 120)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
