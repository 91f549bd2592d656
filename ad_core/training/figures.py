"""Charts of a training: losses by step, and how the rows were split."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ad_core.theme import ALERT, MUTED, NORMAL, thinned, tidy


def loss_curve(curve: Sequence[Mapping[str, float]]) -> go.Figure:
    """Training loss and held-out loss by step."""
    frame = pd.DataFrame(list(curve))
    figure = go.Figure()
    for column, name, colour in (("loss", "training rows", NORMAL), ("held_out_loss", "early-stop rows", ALERT)):
        if column in frame and frame[column].notna().any():
            line = frame[["step", column]].dropna()
            line = line.iloc[thinned(line[column].to_numpy(dtype=np.float64))]
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
    """One bar: shares of the rows for the fit, the early stop, the calibration, and those that are only scored."""
    figure = go.Figure()
    parts = (
        ("fit", fit, NORMAL),
        ("stop", early_stop, "#6FA9B8"),
        ("calibrate", calibration, "#4F7CC4"),
        ("score", other, MUTED),
    )
    for name, n, colour in parts:
        if n:
            figure.add_bar(
                x=[n],
                y=[""],
                orientation="h",
                name=name,
                marker_color=colour,
                marker_line_width=0,
                text=[name],
                textposition="inside",
                insidetextanchor="middle",
                textfont={"color": "white"},
                hovertemplate=f"{name}: {n:,} rows<extra></extra>",
            )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    still = {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "uniformtext": {"minsize": 11, "mode": "hide"}}
    return tidy(figure, 34, barmode="stack", showlegend=False, **still)
