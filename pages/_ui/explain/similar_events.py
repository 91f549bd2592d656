"""Similar earlier events, with their verdicts."""

from typing import Any

import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from ad_core.explain.global_importance import COUNTED
from ad_core.explain.similar import similar_by_attribution, similar_by_signal
from ad_core.storage.records import WITH_SCORES, RunRecord
from ad_core.storage.results import detector_run, stored_window
from pages._ui.alerts.all_alerts import modality_of
from pages._ui.alerts.swim_lanes import counts_rows, lasts
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current
from pages._ui.shell.shell import table_height
from pages._ui.shell.stored import ranked, said, store, table
from pages._ui.shell.threshold import events_at

MOST = 5
ALIKE = 0.5
"""Minimum similarity of a listed event."""


def similar_events(run_id: str, row_id: str) -> None:
    """A list of the most similar earlier events that were explained; a button opens one."""
    rows = ranked(run_id)
    if modality_of(run_id) != "sensor":
        return
    st.subheader("Similar earlier events", anchor=False)
    if _grade(run_id).get(row_id) not in COUNTED:
        st.caption("This explanation did not pass the faithfulness check, so events can't be compared by it.")
        return
    own = rows.loc[rows["row_id"] == row_id].iloc[0]
    earlier = _earlier(run_id, own)
    if earlier.empty:
        st.caption("No earlier event has an explanation that passed the faithfulness check.")
        return
    alike, by = _alike(run_id, row_id, earlier)
    earlier = earlier.assign(alike=earlier["key"].map(alike))
    close = earlier[earlier["alike"] >= ALIKE].nlargest(MOST, "alike")
    if close.empty:
        explained = words.count(len(earlier), "earlier event")
        st.caption(f"None of {explained} with an explanation that passed the check is similar {by}.")
        return
    _list(close, run_id)
    st.caption(
        f"{words.count(len(close), 'event')} of {len(earlier)} earlier ones with an explanation that passed the check. "
        f"Similarity {by}: 100 % = the same."
    )


def _list(close: pd.DataFrame, run_id: str) -> None:
    shown = pd.DataFrame(
        {
            "similarity": 100 * close["alike"],
            "peak": close["peak"],
            "lasts": [lasts(seconds, rows=counts_rows(run_id)) for seconds in close["duration"]],
            "recording": close.get("entity"),
            "verdict": close["verdict"],
            "in run": close["run_name"],
            "case": "Open",
        }
    )
    if shown["in run"].nunique() < 2 and (close["run"] == run_id).all():
        shown = shown.drop(columns="in run")
    st.dataframe(
        shown.dropna(axis="columns", how="all"),
        hide_index=True,
        height=table_height(len(shown), 260),
        placeholder="–",
        alt=f"{len(shown)} earlier events, most similar first",
        column_config={
            "similarity": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.0f %%", width=110),
            "case": st.column_config.ButtonColumn(
                "",
                type="tertiary",
                key="similar-click",
                on_click=_open,
                args=(list(zip(close["run"], close["row_id_peak"], strict=True)),),
            ),
        },
    )


def _earlier(run_id: str, own: pd.Series) -> pd.DataFrame:
    """Earlier events with an explanation that passed the check; with `run`, `run_name`, `verdict`, and a `key`.

    Dates compare across the files that one detector scored; seconds and row numbers only within a recording.
    """
    dated = pd.api.types.is_datetime64_any_dtype(ranked(run_id)["time"])
    found = []
    for run in _family(run_id) if dated else [store().run(run_id)]:
        try:
            events, grades = events_at(run.id), _grade(run.id)
        except AdError as error:
            st.caption(f"Events of run “{words.plain(run.name)}” are left out: {words.plain(str(error))}")
            continue
        if events is None or events.empty:
            continue
        known = events[events["row_id_peak"].map(grades).isin(COUNTED) & (events["peak"] < own["time"])]
        if not dated and "entity" in known:
            known = known[known["entity"] == own["entity"]]
        verdict = known["row_id_peak"].map(said(run.id)["verdict"])
        found.append(
            known.assign(
                run=run.id,
                run_name=run.name,
                key=run.id + " " + known["row_id_peak"].astype(str),
                verdict=verdict.map(lambda word: words.VERDICTS[word][0], na_action="ignore"),
            )
        )
    together = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    return together if together.empty else together.drop_duplicates(_same(together))


def _same(events: pd.DataFrame) -> list[str]:
    """The columns that identify an event, so that an event of two runs is listed once."""
    return [column for column in ("entity", "peak") if column in events]


def _family(run_id: str) -> list[RunRecord]:
    """This run and the others of the same detector."""
    training = detector_run(store(), run_id)
    others = [training, *store().runs(parent=training.id, limit=20)]
    return [store().run(run_id), *(run for run in others if run.id != run_id and run.kind in WITH_SCORES)]


def _grade(run_id: str) -> dict[str, str]:
    checks = table(run_id, "checks")
    return {} if checks is None or checks.empty else dict(zip(checks["row_id"], checks["grade"], strict=True))


def _alike(run_id: str, row_id: str, earlier: pd.DataFrame) -> tuple[pd.Series, str]:
    """Key -> similarity, and what it is computed from."""
    own_key = f"{run_id} {row_id}"
    wanted = {own_key, *earlier["key"]}
    parts = []
    for run in {run_id, *earlier["run"]}:
        lines = table(run, "explanations")
        if lines is not None:
            parts.append(lines.assign(row_id=f"{run} " + lines["row_id"].astype(str)))
    together = pd.concat(parts, ignore_index=True)
    together = together[together["row_id"].isin(wanted)]
    if together["channel"].nunique() > 1:
        return similar_by_attribution(together, own_key), "by the channels that raise the score"
    return similar_by_signal(_signals(run_id, row_id, earlier), own_key), "by the signal of the channel"


def _signals(run_id: str, row_id: str, earlier: pd.DataFrame) -> dict[str, Any]:
    """Key -> values of the only channel in the window around the peak."""
    cases = [(run_id, row_id), *zip(earlier["run"], earlier["row_id_peak"], strict=True)]
    found = {}
    for run, row in cases:
        window = stored_window(store().folder(run), row)
        if window is not None:
            found[f"{run} {row}"] = window[next(c for c in window.columns if c != "time")].to_numpy()
    return found


def _open(cases: list[tuple[str, str]]) -> None:
    """Callback."""
    run, row = cases[st.session_state["similar-click"]["row"]]
    choose(row=row) if run == current("run") else choose(run=run, row=row)
