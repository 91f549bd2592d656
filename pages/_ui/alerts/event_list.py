"""The events that the alerts of recordings make, with the score over time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts import figures
from ad_core.alerts.rule import Rule
from ad_core.storage.run_events import merging
from pages._ui.alerts.part_filter import led_by_part, part_field
from pages._ui.alerts.swim_lanes import counts_rows, swim_lanes
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current
from pages._ui.shell.shell import chart, table_height
from pages._ui.shell.stored import store
from pages._ui.shell.threshold import Threshold, events_at

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
    if shown_events(run_id, filtered=False).empty:
        st.info(
            "No time stamp is an alert by this rule, so there is no event. Choose another value, or look at the single "
            "time stamps.",
            title="No events",
        )
        _line(run_id, rows, threshold, None)
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
    made = merging_in_words(threshold.rule, merging(store(), run_id))
    st.caption(f"{words.count(len(shown), 'event')}: {made}")
    entity = events["entity"].iloc[chosen[0] if chosen else 0] if "entity" in events else None
    _line(run_id, rows, threshold, events, entity)


def _columns(unit: str) -> dict[str, Any]:
    return {
        "peak_score": st.column_config.NumberColumn("peak score", format="%.3g"),
        "duration": st.column_config.NumberColumn(f"lasts [{unit}]", format="%.4g"),
        "n_alarms": st.column_config.NumberColumn("alerts", help="Time stamps of the event that are alerts."),
        "leads": st.column_config.TextColumn(
            "first to deviate",
            width=260,
            help="The channels whose own part of the score first rose above its 99 % level on calibration windows, and "
            "how long before the peak. SD: the largest deviation in the event, in robust standard deviations (of the "
            "root of that part). Listed are only channels that rise further than any channel does in 95 % of the "
            "normal stretches of this length; detectors of older versions have neither sizes nor this test. "
            "Known for the highest events of the rule that was in force when the run was "
            "scored, where the method scores channels by themselves.",
        ),
        "excluded": st.column_config.CheckboxColumn("excluded", help="The peak lies in a time that was excluded."),
    }


def shown_events(run_id: str, *, filtered: bool = True) -> pd.DataFrame:
    """The events by the current rule that the filter lets through, highest peak first; also what a callback sees."""
    events = events_at(run_id)
    if events is None:
        return pd.DataFrame({"row_id_peak": []})
    led = led_by_part(run_id, events["row_id_peak"]) if filtered else None
    return events if led is None else events.loc[led].reset_index(drop=True)


def merging_in_words(rule: Rule, merging: Mapping[str, Any]) -> str:
    """What makes an event of a run: the rule, and how `run_events.merging` merges its alerts."""
    return (
        f"alerts by the rule “{rule.in_words()}”, merged where at most {merging['merge_gap']:,} other time stamps lie "
        f"between them ({merging['merge_windows']:g} windows; the reader setting merge_windows, by default 2). Another "
        "rule makes other events."
    )


def _line(
    run_id: str, rows: pd.DataFrame, threshold: Threshold, events: pd.DataFrame | None, entity: object = None
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
    lowest = threshold.score
    if threshold.rule.segment is not None:  # a threshold of its own for each recording
        lowest = float(line.loc[threshold.of(line), "score"].min()) if threshold.of(line).any() else float("inf")
    chart(
        figures.timeline(line["time"].to_numpy(), score, lowest, events, now.iloc[0] if len(now) else None),
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
