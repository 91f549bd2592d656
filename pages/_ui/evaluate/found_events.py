"""The events of labelled recordings: which were found, and how late."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.evaluation.event_metrics import event_metrics
from pages._ui.shell.shell import table_height
from pages._ui.shell.stored import table


def found_events(run_id: str, rows: pd.DataFrame, labels: np.ndarray, alert: np.ndarray) -> None:
    """The finding for the alerts by the current rule, and a line for each labelled event.

    Args:
        rows: of the score table, in any order; labels and alerts run parallel to them.
    """
    in_file = table(run_id, "scores")
    if in_file is None:
        return
    place = pd.Series(np.arange(len(in_file)), index=in_file["row_id"])
    order = np.argsort(place[~place.index.duplicated()].reindex(rows["row_id"]).to_numpy(), kind="stable")
    rows, labels, alert = rows.iloc[order], labels[order], alert[order]
    time = rows.get("time")
    is_clock = time is not None and pd.api.types.is_datetime64_any_dtype(time)
    found = event_metrics(labels, alert, rows.get("entity"), time if is_clock else None)
    if found.events.empty:
        return
    st.subheader("Labelled events and the alerts of the current rule", anchor=False)
    st.markdown(found.in_words())
    shown = found.events.assign(delay=found.events["delay"].astype("string"))
    if (shown["recording"] == "").all():
        shown = shown.drop(columns="recording")
    st.dataframe(
        shown,
        hide_index=True,
        height=table_height(len(shown), 300),
        placeholder="–",
        alt=f"{found.found} of {len(shown)} labelled events have an alert",
    )
    st.caption(
        "A labelled event is a run of rows labelled as anomalous. Its delay is the time until its first alert. A false "
        "alarm is a run of alerts that touches none."
    )
