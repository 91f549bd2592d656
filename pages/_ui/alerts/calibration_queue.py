"""The highest calibration rows one by one: what each looks like, and whether it is an anomaly."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts import figures
from ad_core.errors import AdError
from ad_core.review.recalibration import CalibrationReview
from ad_core.storage import verdicts
from pages._ui.alerts.case_card import case_picture, case_reasons
from pages._ui.shell import words
from pages._ui.shell.author import author, author_field
from pages._ui.shell.row_values import row_values
from pages._ui.shell.shell import chart, table_height
from pages._ui.shell.stored import ranked, store
from pages._ui.shell.threshold import current_rule

SAID = {"": "", "anomaly": "⬤ anomaly", "normal": "○ kept"}
AROUND = 200
"""Number of time stamps that are drawn before and after a row of a recording."""


def row_in_view(found: CalibrationReview) -> str:
    """The row that was chosen in the queue, else the highest that nobody has judged."""
    chosen = st.session_state.get("_calibration_row")
    if chosen in set(found.queue["row_id"]):
        return chosen
    open_ones = found.queue.loc[found.queue["verdict"] == "", "row_id"]
    return str(open_ones.iloc[0] if len(open_ones) else found.queue["row_id"].iloc[0])


def queue_table(found: CalibrationReview, run_id: str) -> None:
    """The queue, highest first; choosing a line shows that row."""
    queue, key = found.queue, f"calibration-queue-{run_id}"
    at = int(np.flatnonzero((queue["row_id"] == row_in_view(found)).to_numpy())[0])
    if st.session_state.get(key, {}).get("selection", {}).get("rows", []) != [at]:
        st.session_state[key] = {"selection": {"rows": [at], "columns": [], "cells": []}}
    shown = pd.DataFrame(
        {
            "row": queue["row_id"],
            "score": queue["score"],
            "verdict": [SAID.get(verdict, verdict.replace("_", " ")) for verdict in queue["verdict"]],
            "left out": queue["left_out"],
        }
    )
    row_ids = queue["row_id"].tolist()
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        on_select=lambda: _pick(key, row_ids),
        selection_mode="single-row",
        height=table_height(len(shown), 420),
        alt=f"The {len(shown)} highest calibration rows, highest first",
        column_config={"score": st.column_config.NumberColumn(format="%.3g")},
    )


def row_card(run_id: str, row_id: str, found: CalibrationReview) -> None:
    """What a row looks like, and the two answers."""
    line = found.queue.set_index("row_id").loc[row_id]
    with st.container(border=True):
        st.markdown(f"**{row_id}** :gray[score] {words.number(line['score'])}")
        case_picture(run_id, row_id)
        _values(run_id, row_id)
        case_reasons(run_id, row_id)
        with st.container(horizontal=True):
            answers = {"kwargs": {"run_id": run_id, "row_id": row_id}, "on_click": _say}
            st.button(
                "Confirm as anomaly",
                type="primary",
                icon=":material/report:",
                args=("anomaly",),
                shortcut="A",
                **answers,
            )
            st.button("Keep", icon=":material/check:", args=("normal",), shortcut="N", **answers)
            if line["verdict"]:
                st.button("Take back", icon=":material/undo:", args=(verdicts.TAKEN_BACK,), **answers)
        with st.popover("Who says so", type="tertiary"):
            author_field()


def _values(run_id: str, row_id: str) -> None:
    """The row's own columns; of a recording the scores around it."""
    if store().dataset(store().run(run_id).dataset_id).modality == "sensor":
        _around(ranked(run_id), row_id)
        return
    row_values(run_id, row_id)


def _around(rows: pd.DataFrame, row_id: str) -> None:
    mine = rows.loc[rows["row_id"] == row_id]
    if mine.empty:
        return
    line = rows.loc[rows["entity"] == mine["entity"].iloc[0]] if "entity" in rows else rows
    line = line.sort_values("time", ignore_index=True)
    at = int(np.flatnonzero((line["row_id"] == row_id).to_numpy())[0])
    line = line.iloc[max(at - AROUND, 0) : at + AROUND + 1]
    score = line["score"].to_numpy(dtype=np.float64)
    chart(
        figures.timeline(line["time"].to_numpy(), score, float("inf"), None, mine["time"].iloc[0]),
        alt=figures.timeline_in_words(score, None),
        caption="The score around this time stamp. Confirming it leaves out its whole block of the recording.",
        key="calibration-around",
    )


def _pick(key: str, row_ids: list[str]) -> None:
    picked = st.session_state[key]["selection"]["rows"]
    if picked:
        st.session_state["_calibration_row"] = row_ids[picked[0]]


def _say(verdict: str, *, run_id: str, row_id: str) -> None:
    rule = current_rule(run_id).model_dump(mode="json")
    try:
        verdicts.give(
            store(),
            run_id,
            [row_id],
            verdict,
            author=author(),
            tag="calibration review" if verdict else "",
            threshold=rule,
        )
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    st.session_state["_calibration_row"] = row_id if verdict == verdicts.TAKEN_BACK else None
