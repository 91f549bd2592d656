"""A case of a recording: attribution by channel and time, actual and expected signals."""

import pandas as pd
import streamlit as st

from ad_core.explain import figures
from ad_core.storage.results import Case
from pages._ui.explain.event_signals import around_field, event_of, event_signals
from pages._ui.shell import words
from pages._ui.shell.shell import chart

CHANNELS = 6


def window(run_id: str, row_id: str, case: Case) -> None:
    """The window around the case, the channels with the largest attribution on top."""
    if case.window is None:
        st.info("The window of this case is not stored. Explain the row again.", icon=":material/info:")
        return
    frame = case.window
    channels = [c for c in frame.columns if c != "time" and not c.endswith(" expected")]
    heat = case.map
    order = (
        sorted(range(len(channels)), key=lambda i: -abs(float(heat[i].sum())))
        if heat is not None and len(heat) == len(channels)
        else range(len(channels))
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Where and when", anchor=False, width="content")
        around = around_field(run_id, row_id)
    if around != "window":
        event_signals(run_id, row_id, around, [channels[i] for i in order])
        _event(run_id, row_id)
        return
    whole = len(channels) > CHANNELS and st.toggle(f"All {len(channels)} channels", key="all-channels")
    drawn = list(order) if whole else list(order)[:CHANNELS]
    shown = [channels[i] for i in drawn]
    part = heat[drawn] if heat is not None and len(heat) == len(channels) else None
    chart(
        figures.window(frame, shown, part),
        alt=figures.window_in_words(shown, part, len(frame)),
        caption=f"{len(shown)} of {words.count(len(channels), 'channel')}, {len(frame):,} time stamps. Orange "
        "raises the score, blue lowers it.",
        key="window",
    )
    _event(run_id, row_id)


def _event(run_id: str, row_id: str) -> None:
    event = event_of(run_id, row_id)
    if event is not None:
        leads = event.get("leads")
        first = f" First channels to deviate: {leads}." if pd.notna(leads) else ""
        first += " SD: robust standard deviations of their part of the score." if " SD)" in first else ""
        st.caption(
            f"Peak of the event from {event['start']} to {event['end']} ({event['duration']:.4g} s, "
            f"{event['n_alarms']} alerts).{first}"
        )
