"""Alerts of recordings as events, with the score over time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts import figures
from pages._ui.alerts.part_filter import led_by_part, part_field
from pages._ui.alerts.swim_lanes import counts_rows, swim_lanes
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current
from pages._ui.shell.shell import chart, table_height
from pages._ui.shell.stored import summary, table
from pages._ui.shell.threshold import Threshold

TABLE = [
    "entity",
    "start",
    "peak",
    "end",
    "duration",
    "peak_score",
    "n_alarms",
    "leads",
    "excluded",
]


def event_list(run_id: str, rows: pd.DataFrame, threshold: Threshold) -> None:
    """The events of a run, highest peak first; choosing one makes its peak the current case."""
    events = table(run_id, "events")
    if events is None or events.empty:
        st.info("No stretch of time stands out. Look at the single time stamps instead.", title="No events")
        _line(run_id, rows, threshold.score, None)
        return
    part_field(run_id)
    events = shown_events(run_id)
    if events.empty:
        st.info("No event passes this filter. Clear it.", title="Nothing to show")
        return
    swim_lanes(run_id, events)
    key = f"events-{run_id}"
    at = np.flatnonzero((events["row_id_peak"] == current("row")).to_numpy())
    chosen = [int(at[0])] if len(at) else []
    if st.session_state.get(key, {}).get("selection", {}).get("rows", []) != chosen:
        st.session_state[key] = {"selection": {"rows": chosen, "columns": [], "cells": []}}
    shown = events[[c for c in TABLE if c in events]]
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        on_select=_pick,
        selection_mode="single-row",
        height=table_height(len(shown), 260),
        alt=f"{len(shown)} events, highest peak first",
        column_config=_columns("rows" if counts_rows(run_id) else "s"),
    )
    st.caption(f"{words.count(len(shown), 'event')}: {rule_in_words(summary(run_id).get('events'))}")
    entity = events["entity"].iloc[chosen[0] if chosen else 0] if "entity" in events else None
    _line(run_id, rows, threshold.score, events, entity)


def _columns(unit: str) -> dict[str, Any]:
    return {
        "peak_score": st.column_config.NumberColumn("peak score", format="%.3g"),
        "duration": st.column_config.NumberColumn(f"lasts [{unit}]", format="%.4g"),
        "n_alarms": st.column_config.NumberColumn("alarms", help="Time stamps at or above the threshold of events."),
        "leads": st.column_config.TextColumn(
            "moved first",
            width=260,
            help="The channels whose own part of the score left their usual range (99 %) first, and how long "
            "before the peak. Looked up for the highest events, where the method knows where its surprise sits.",
        ),
        "excluded": st.column_config.CheckboxColumn("excluded", help="The peak lies in a time that was excluded."),
    }


def shown_events(run_id: str) -> pd.DataFrame:
    """The events that the filter lets through, highest peak first; also what a callback sees."""
    events = table(run_id, "events")
    if events is None:
        return pd.DataFrame({"row_id_peak": []})
    led = led_by_part(run_id, events["row_id_peak"])
    return events if led is None else events.loc[led].reset_index(drop=True)


def rule_in_words(rule: Mapping[str, Any] | None) -> str:
    """What made the events of a run; runs of older versions have not kept it."""
    if rule is None:
        return "neighbouring alarms, merged where they are at most two windows apart."
    with_p = rule["by"] if rule["by"].startswith("above") else f"with {rule['by']}"
    return (
        f"time stamps {with_p}, merged where at most {rule['merge_gap']:,} quiet ones lie between them "
        f"({rule['merge_windows']:g} windows; the reader setting merge_windows, usually 2). The threshold does not "
        "change them."
    )


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
        f"current case violet. {words.EDGE}",
        key="timeline",
    )


def _pick() -> None:
    run_id = current("run") or ""
    picked = st.session_state[f"events-{run_id}"]["selection"]["rows"]
    events = shown_events(run_id)
    choose(row=events["row_id_peak"].iloc[picked[0]] if picked and picked[0] < len(events) else None)
