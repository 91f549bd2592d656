"""The labelled events of recordings: which were detected, and with which delay."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.evaluation.event_metrics import event_metrics
from pages._ui.shell.shell import table_height
from pages._ui.shell.stored import table


def found_events(run_id: str, rows: pd.DataFrame, labels: np.ndarray, alert: np.ndarray) -> None:
    """Detection by the current rule: a sentence, and a line for each labelled event.

    Args:
        rows: of the score table, in any order; labels and alerts are parallel to them.
    """
    in_file = table(run_id, "scores")
    if in_file is None:
        return
    place = pd.Series(np.arange(len(in_file)), index=in_file["row_id"])
    order = np.argsort(place[~place.index.duplicated()].reindex(rows["row_id"]).to_numpy(), kind="stable")
    rows, labels, alert = rows.iloc[order], labels[order], alert[order]
    time = rows.get("time")
    is_clock = time is not None and pd.api.types.is_datetime64_any_dtype(time)
    metrics = event_metrics(labels, alert, rows.get("entity"), time if is_clock else None)
    if metrics.events.empty:
        return
    st.subheader("Labelled events and the alerts of the current rule", anchor=False)
    st.markdown(metrics.in_words())
    shown = metrics.events.assign(delay=metrics.events["delay"].astype("string"))
    if (shown["recording"] == "").all():
        shown = shown.drop(columns="recording")
    st.dataframe(
        shown,
        hide_index=True,
        height=table_height(len(shown), 300),
        placeholder="–",
        alt=f"{metrics.found} of {len(shown)} labelled events have an alert",
    )
    st.caption(
        "A labelled event is a contiguous segment of rows labelled as anomalous. Its delay is the time until its first "
        "alert. A false alarm is a contiguous segment of alerts that touches no labelled event."
    )
