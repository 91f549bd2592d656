"""Figures that compare two runs, each with a description in words."""

import pandas as pd
import plotly.graph_objects as go

from ad_core.evaluation.run_comparison import Compared
from ad_core.theme import ALERT, CHOSEN, MUTED, NORMAL, tidy

MOST_POINTS = 4000
"""Maximum number of rows without an alert, and of alerts, that are drawn; of more rows a random sample is drawn."""

KINDS = (("neither", MUTED), ("alert of both", ALERT), ("only of the first", CHOSEN), ("only of the second", NORMAL))


def rank_scatter(found: Compared) -> go.Figure:
    """The percentile of each row in both runs."""
    rows = _drawn(found.rows)
    a, b = rows["alert_a"], rows["alert_b"]
    figure = go.Figure()
    for (name, colour), chosen in zip(KINDS, (~a & ~b, a & b, a & ~b, b & ~a), strict=True):
        part = rows[chosen]
        if len(part):
            figure.add_scatter(
                x=part["percentile_a"],
                y=part["percentile_b"],
                mode="markers",
                name=f"{name} ({int(chosen.sum()):,})",
                marker={"size": 5 if name == "neither" else 8, "color": colour, "opacity": 0.75},
                customdata=part[["row_id"]],
                hovertemplate="%{customdata[0]}<br>%{x:.1f} | %{y:.1f}<extra></extra>",
            )
    figure.update_xaxes(title="percentile in the first run", range=[-2, 103])
    figure.update_yaxes(title="percentile in the second run", range=[-2, 103])
    return tidy(figure, 420)


def rank_scatter_in_words(found: Compared) -> str:
    """The message of `rank_scatter`."""
    counts = found.alerts
    ranks = "" if pd.isna(found.spearman) else f"Rank correlation {found.spearman:.2f} over {len(found.rows):,} rows. "
    return (
        f"{ranks}{counts['both']:,} rows are alerts of both runs, {counts['only_a']:,} only of the first, "
        f"{counts['only_b']:,} only of the second."
    )


def _drawn(rows: pd.DataFrame) -> pd.DataFrame:
    if len(rows) <= MOST_POINTS:
        return rows
    alert = rows["alert_a"] | rows["alert_b"]
    rest = rows[~alert]
    return pd.concat([rest.sample(min(len(rest), MOST_POINTS), random_state=0), rows[alert].head(MOST_POINTS)])
