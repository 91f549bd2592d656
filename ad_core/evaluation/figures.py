"""Figures of the evaluation with labels, each with a description in words."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ad_core.theme import ALERT, MUTED, NORMAL, tidy

HEIGHT = 340


def precision_recall(curve: pd.DataFrame, base_rate: float, now: tuple[float, float] | None) -> go.Figure:
    """Precision-recall curve, with random scores as a dashed line and the current threshold as a point.

    Args:
        curve: `recall`, `precision`.
        base_rate: share of anomalies among the labelled rows, which is the precision of random scores.
        now: recall and precision at the current threshold; None = it gives no alert.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=curve["recall"],
        y=curve["precision"],
        mode="lines",
        name="this run",
        line={"color": NORMAL, "width": 2.5, "shape": "hv"},
        hovertemplate="recall %{x:.2f}<br>precision %{y:.2f}<extra></extra>",
    )
    _random_scores(figure, [0, 1], [base_rate, base_rate])
    _present(figure, now, "recall %{x:.2f}<br>precision %{y:.2f}")
    return _square(
        figure, "recall: share of the anomalies that are alerts", "precision: share of alerts that are right"
    )


def precision_recall_in_words(curve: pd.DataFrame, base_rate: float) -> str:
    """The message of `precision_recall`."""
    at_half = float(curve.loc[curve["recall"] >= 0.5, "precision"].max())
    return (
        f"At a recall of 50 % of the labelled anomalies, {100 * at_half:.0f} % of the alerts are right; "
        f"random scores would give {100 * base_rate:.1f} %."
    )


def roc(curve: pd.DataFrame, now: tuple[float, float] | None) -> go.Figure:
    """ROC curve, with random scores as the diagonal and the current threshold as a point."""
    figure = go.Figure()
    figure.add_scatter(
        x=curve["false_alarms"],
        y=curve["recall"],
        mode="lines",
        name="this run",
        line={"color": NORMAL, "width": 2.5},
        hovertemplate="false positive rate %{x:.3f}<br>recall %{y:.2f}<extra></extra>",
    )
    _random_scores(figure, [0, 1], [0, 1])
    _present(figure, now, "false positive rate %{x:.3f}<br>recall %{y:.2f}")
    return _square(figure, "false positive rate: share of the normal rows that are alerts", "recall")


def roc_in_words(curve: pd.DataFrame) -> str:
    """The message of `roc`."""
    recall = float(np.interp(0.05, curve["false_alarms"], curve["recall"]))
    return f"At a false positive rate of 5 %, {100 * recall:.0f} % of the labelled anomalies are found."


def kept_guarantees(lines: pd.DataFrame) -> go.Figure:
    """The realised rate of each guarantee with its 95 % interval, and a tick at the guaranteed rate."""
    names = [_guarantee(line) for line in lines.itertuples()]
    figure = go.Figure()
    figure.add_scatter(
        x=lines["realised"],
        y=names,
        mode="markers",
        name="realised (95 % interval)",
        marker={"size": 10, "color": [NORMAL if held else ALERT for held in lines["held"]]},
        error_x={
            "type": "data",
            "array": lines["high"] - lines["realised"],
            "arrayminus": lines["realised"] - lines["low"],
            "color": MUTED,
        },
        hovertemplate="%{y}<br>%{x:.3f}<extra></extra>",
    )
    figure.add_scatter(
        x=lines["guaranteed"],
        y=names,
        mode="markers",
        name="guaranteed at most",
        marker={"symbol": "line-ns", "size": 20, "line": {"width": 3, "color": MUTED}},
        hoverinfo="skip",
    )
    figure.update_xaxes(title="share", rangemode="tozero")
    figure.update_yaxes(automargin=True, autorange="reversed")
    return tidy(figure, 120 + 36 * len(lines))


def kept_guarantees_in_words(lines: pd.DataFrame) -> str:
    """The message of `kept_guarantees`."""
    tested = lines[lines["held"].notna()]
    broken = [_guarantee(line) for line in tested.itertuples() if not line.held]
    count = f"{len(tested)} tested guarantee{'' if len(tested) == 1 else 's'}"
    if broken:
        text = f"{len(broken)} of {count} {'was' if len(broken) == 1 else 'were'} significantly exceeded: "
        text += f"{', '.join(broken)}."
    else:
        text = f"None of {count} was significantly exceeded." if len(tested) else "No guarantee could be tested."
    untested = [_guarantee(line) for line in lines[lines["held"].isna()].itertuples()]
    return f"{text} Not tested: {', '.join(untested)}." if untested else text


def _guarantee(line: Any) -> str:
    none = "" if line.alerts else " (no alert)"
    return f"{line.guarantee} ≤ {100 * line.guaranteed:g} %{none}"


def _random_scores(figure: go.Figure, x: list[float], y: list[float]) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name="random scores",
        line={"color": MUTED, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )


def _present(figure: go.Figure, now: tuple[float, float] | None, hover: str) -> None:
    if now is not None:
        figure.add_scatter(
            x=[now[0]],
            y=[now[1]],
            mode="markers",
            name="current threshold",
            marker={"size": 12, "color": ALERT, "symbol": "diamond"},
            hovertemplate=f"{hover}<extra></extra>",
        )


def _square(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure.update_xaxes(title=x, range=[-0.02, 1.02])
    figure.update_yaxes(title=y, range=[-0.02, 1.05])
    return tidy(figure, HEIGHT)
