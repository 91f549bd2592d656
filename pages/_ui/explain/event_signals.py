"""The signals of a recording around an event: during the event, or over the whole recording."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts import figures_events
from ad_core.data.dataset import Role
from ad_core.errors import AdError
from pages._ui.shell import words
from pages._ui.shell.shell import chart
from pages._ui.shell.stored import batch
from pages._ui.shell.threshold import events_at

AROUND = {"window": "Window", "event": "Whole event", "recording": "Whole recording"}
CHANNELS = 8
TIME = "\0time"
"""A name that no column of a user has."""
BESIDE = 1.0
"""Time shown before and after an event, as a multiple of its length."""


def around_field(run_id: str, row_id: str) -> str:
    """A choice of how much to show; always the window where the case is not the peak of an event."""
    if event_of(run_id, row_id) is None:
        return "window"
    return str(
        st.segmented_control(
            "Show",
            list(AROUND),
            default="window",
            format_func=AROUND.get,
            key="around",
            required=True,
            bind="query-params",
            label_visibility="collapsed",
        )
    )


def event_of(run_id: str, row_id: str) -> pd.Series | None:
    """The event by the current rule whose peak this row is."""
    events = events_at(run_id)
    matching = None if events is None else events.loc[events["row_id_peak"] == row_id]
    return None if matching is None or matching.empty else matching.iloc[0]


def event_signals(run_id: str, row_id: str, around: str, first: list[str]) -> None:
    """Lines of the channels, those with the largest attribution on top.

    Args:
        around: "event" or "recording".
        first: channels in the order of their attribution.
    """
    event = event_of(run_id, row_id)
    if event is None:
        return
    try:
        data = batch(run_id)
    except AdError as error:
        st.warning(f"The recording can't be opened any more: {words.plain(str(error))}", icon=":material/link_off:")
        return
    numbers = [c for c in data.schema.names(Role.FEATURE) if pd.api.types.is_numeric_dtype(data.data[c])]
    columns = sorted(numbers, key=lambda c: first.index(c) if c in first else len(first))[:CHANNELS]
    inside = _rows(data.rows, event, around)
    frame = data.data.iloc[inside][columns].assign(**{TIME: data.rows["time"].iloc[inside].to_numpy()})
    frame = frame.sort_values(TIME)
    chart(
        figures_events.signal(frame, columns, TIME, event),
        alt=f"{len(columns)} channels from {frame[TIME].iloc[0]} to {frame[TIME].iloc[-1]}, the event shaded",
        caption=f"{len(columns)} of {words.count(len(numbers), 'channel')}, {len(frame):,} time stamps, "
        "downsampled, extremes kept. The event is shaded, its peak violet. Drag along the time axis to zoom all "
        "channels.",
        key="course",
    )


def _rows(rows: pd.DataFrame, event: pd.Series, around: str) -> np.ndarray:
    """Positions of the time stamps to be drawn."""
    keep = np.ones(len(rows), dtype=bool)
    if "entity" in rows and "entity" in event:
        keep &= (rows["entity"] == event["entity"]).to_numpy()
    if around == "event":
        pad = (event["end"] - event["start"]) * BESIDE
        keep &= rows["time"].between(event["start"] - pad, event["end"] + pad).to_numpy()
    return np.flatnonzero(keep & rows["time"].notna().to_numpy())
