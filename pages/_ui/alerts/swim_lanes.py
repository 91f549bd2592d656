"""Events as bars on the lanes of their recordings; a click chooses one."""

import pandas as pd
import streamlit as st

from ad_core.alerts import figures_events
from ad_core.storage.results import detector_run
from ad_core.theme import literal
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current
from pages._ui.shell.shell import chart
from pages._ui.shell.stored import ranked, store, summary

FEWEST = 2
"""A single event is seen well enough in the score over time."""


def swim_lanes(run_id: str, events: pd.DataFrame) -> None:
    """All events of a run over time; a click on a bar or on its peak makes it the current case."""
    if len(events) < FEWEST:
        return
    rows = ranked(run_id)
    drawn = figures_events.drawn_events(events)
    drawn = drawn.assign(
        severity=drawn["row_id_peak"].map(rows.drop_duplicates("row_id").set_index("row_id")["severity"]),
        about=[_about(event, counts_rows(run_id)) for event in drawn.to_dict("records")],
    )
    several = f" of {words.count(drawn['entity'].nunique(), 'recording')}" if "entity" in drawn else ""
    chart(
        figures_events.lanes(drawn, (rows["time"].min(), rows["time"].max()), current("row"), axis_title(run_id)),
        alt=figures_events.lanes_in_words(drawn),
        caption=f"{len(drawn):,} of {words.count(len(events), 'event')}{several}, each from start to end with its "
        "peak. Darker is more severe. Click one to choose it; draw along the time to come closer.",
        key=f"lanes-{run_id}",
        on_select=_pick,
        selection_mode="points",
    )


def counts_rows(run_id: str) -> bool:
    """Whether the recordings of a run have no time column, so that their rows are counted instead."""
    declared = summary(detector_run(store(), run_id).id).get("declared") or {}
    return not declared.get("time")


def axis_title(run_id: str) -> str:
    """What the time axis is called: nothing for dates, which speak for themselves."""
    if pd.api.types.is_datetime64_any_dtype(ranked(run_id)["time"]):
        return ""
    if counts_rows(run_id):
        return "row (there is no time column)"
    declared = summary(detector_run(store(), run_id).id).get("declared") or {}
    return str(declared["time"])


def lasts(duration: float, *, rows: bool) -> str:
    """How long an event is, for people."""
    if rows:
        return words.count(int(duration) + 1, "row")
    return words.duration(duration) if duration >= 10 else f"{duration:.3g} s"


def _about(event: dict[str, object], rows: bool) -> str:
    lines = [
        f"peak {event['peak']}, score {event['peak_score']:.3g}",
        f"{event['start']} to {event['end']}, lasts {lasts(float(event['duration']), rows=rows)}",
    ]  # type: ignore[arg-type]
    if "entity" in event:
        lines.insert(0, str(event["entity"]))
    if isinstance(event.get("leading"), str):
        lines.append(f"first to deviate: {event['leading']}")
    return "<br>".join(literal(line, 120) for line in lines)


def _pick() -> None:
    """Callback. Nothing is chosen when a mark is taken off, as a double click into the empty chart does."""
    points = (st.session_state.get(f"lanes-{current('run')}") or {}).get("selection", {}).get("points", [])
    if points and points[0].get("customdata"):
        choose(row=points[0]["customdata"][0])
