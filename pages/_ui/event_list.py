"""Alerts of recordings as events, with the score over time."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core import figures
from pages._ui import words
from pages._ui.navigate import choose, current
from pages._ui.shell import chart, table_height
from pages._ui.stored import table
from pages._ui.threshold import Threshold

EVENT_P = 0.01
"""A run's events are made of time stamps with at most this p-value; the slider does not change them."""


def event_list(run_id: str, rows: pd.DataFrame, threshold: Threshold) -> None:
    """The events of a run, highest peak first; choosing one makes its peak the current case."""
    events = table(run_id, "events")
    if events is None or events.empty:
        st.info("No stretch of time stands out. Look at the single time stamps instead.", title="No events")
        _line(run_id, rows, threshold.score, None)
        return
    key = f"events-{run_id}"
    at = np.flatnonzero((events["row_id_peak"] == current("row")).to_numpy())
    chosen = [int(at[0])] if len(at) else []
    if st.session_state.get(key, {}).get("selection", {}).get("rows", []) != chosen:
        st.session_state[key] = {"selection": {"rows": chosen, "columns": [], "cells": []}}
    shown = events[
        [c for c in ("entity", "start", "peak", "end", "duration", "peak_score", "n_alarms", "leading") if c in events]
    ]
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        on_select=_pick,
        selection_mode="single-row",
        height=table_height(len(shown), 260),
        alt=f"{len(shown)} events, highest peak first",
        column_config={
            "peak_score": st.column_config.NumberColumn("peak score", format="%.3g"),
            "duration": st.column_config.NumberColumn("lasts [s]", format="%.4g"),
            "n_alarms": st.column_config.NumberColumn(
                "alarms", help="Time stamps at or above the threshold of events."
            ),
        },
    )
    by_p = threshold.smallest_p is not None and threshold.smallest_p <= EVENT_P
    rule = f"with p ≤ {EVENT_P:g}" if by_p else "above percentile 99 of the calibration rows"
    st.caption(f"{words.count(len(shown), 'event')}: neighbouring time stamps {rule}, merged over short gaps.")
    entity = events["entity"].iloc[chosen[0] if chosen else 0] if "entity" in events else None
    _line(run_id, rows, threshold.score, events, entity)


def _line(
    run_id: str, rows: pd.DataFrame, threshold: float, events: pd.DataFrame | None, entity: object = None
) -> None:
    text = "The score over time"
    if "entity" in rows and rows["entity"].nunique() > 1:
        names = rows["entity"].unique().tolist()
        entity = st.selectbox(
            "Recording", names, index=names.index(entity) if entity in names else 0, key=f"line-{run_id}-{entity}"
        )
        rows = rows.loc[rows["entity"] == entity]
        events = None if events is None else events.loc[events["entity"] == entity]
        text += f" of {entity}"
    line = rows.sort_values("time")
    now = line.loc[line["row_id"] == current("row"), "time"]
    score = line["score"].to_numpy(dtype=np.float64)
    chart(
        figures.timeline(line["time"].to_numpy(), score, threshold, events, now.iloc[0] if len(now) else None),
        alt=figures.timeline_in_words(score, events),
        caption=f"{text}: {len(line):,} time stamps, thinned so that extremes stay; events shaded, the "
        "current case violet.",
        key="timeline",
    )


def _pick() -> None:
    run_id = current("run") or ""
    picked = st.session_state[f"events-{run_id}"]["selection"]["rows"]
    events = table(run_id, "events")
    choose(row=events["row_id_peak"].iloc[picked[0]] if picked and events is not None else None)
