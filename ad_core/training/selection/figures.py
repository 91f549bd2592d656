"""The recommendation as a chart: a dot with an interval per method and kind of synthetic anomaly."""

import plotly.graph_objects as go

from ad_core.training.selection.recommendation import Recommendation, Standing

COLOURS = ("#2F8F8B", "#4F7CC4", "#E0702C", "#8468B5", "#B08A2E", "#8FA3A8")
"""One per kind; the symbols differ too, so that the chart can be read without colours."""

SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "x")
MOST = 12
"""Maximum number of methods in the chart, the best ones; the table has all."""

LINE_PX = 18
GUESSING = 0.5


def kinds_chart(found: Recommendation) -> go.Figure:
    """A line per method, best mean on top, and on it a dot per kind of synthetic anomaly with its 95 % interval."""
    drawn = shown(found)[::-1]  # plotly begins below
    figure, kinds = go.Figure(), list(found.kinds)
    for number, kind in enumerate(kinds):
        shift = (len(kinds) - 1) / 2 - number  # the first kind on top within a method
        figures = [line.by_kind[kind] for line in drawn]
        figure.add_scatter(
            x=[f.auroc for f in figures],
            y=[at + 0.8 * shift / len(kinds) for at in range(len(drawn))],
            mode="markers",
            name=found.kinds[kind]["title"],
            marker={"color": COLOURS[number % 6], "symbol": SHAPES[number % 6], "size": 7},
            error_x={
                "type": "data",
                "array": [f.high - f.auroc for f in figures],
                "arrayminus": [f.auroc - f.low for f in figures],
                "thickness": 1.2,
                "width": 0,
            },
            customdata=[[line.title, f.low, f.high] for line, f in zip(drawn, figures, strict=True)],
            hovertemplate="%{customdata[0]}: %{x:.2f} [%{customdata[1]:.2f} to %{customdata[2]:.2f}]",
        )
    figure.add_vline(x=GUESSING, line={"dash": "dot", "width": 1})
    figure.update_xaxes(
        title="AUROC of synthetic anomalies against held-out normal items (dotted: chance)", range=[None, 1.01]
    )
    names = [f"<b>{line.title}</b>" if line.method == found.task else line.title for line in drawn]
    figure.update_yaxes(tickvals=list(range(len(drawn))), ticktext=names, automargin=True, zeroline=False)
    return figure.update_layout(
        height=130 + LINE_PX * len(drawn) * max(len(kinds) // 2, 2),
        margin={"l": 8, "r": 8, "t": 60, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


def kinds_in_words(found: Recommendation) -> str:
    """The finding of `kinds_chart`: which kinds the best task finds best and worst."""
    line = found.standing(found.task or "") or (found.standings[0] if found.standings else None)
    if line is None:
        return "No method has been tried."
    order = sorted(line.by_kind, key=lambda kind: line.by_kind[kind].auroc)
    best, worst = line.by_kind[order[-1]], line.by_kind[order[0]]
    return (
        f"{len(found.standings)} methods on {len(found.kinds)} kinds of synthetic anomalies. {line.title} finds best "
        f"“{found.kinds[order[-1]]['title']}” ({best.auroc:.2f}, {best.low:.2f} to {best.high:.2f}) and worst "
        f"“{found.kinds[order[0]]['title']}” ({worst.auroc:.2f}, {worst.low:.2f} to {worst.high:.2f})."
    )


def shown(found: Recommendation) -> list[Standing]:
    """The methods in the chart: the best by mean, and always the recommended task and Balanced."""
    wanted = {line.method for line in found.standings[:MOST]} | {found.task, "balanced"}
    return [line for line in found.standings if line.method in wanted]
