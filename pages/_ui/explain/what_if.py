"""What if: the score of a row with other values in some cells, beside the original score."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.allowed_values import Allowed
from ad_core.data.tables.values import numbers
from ad_core.errors import AdError
from ad_core.storage.results import Case
from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.side_job import submit
from pages._ui.shell.small_job import asked_for, follow, show_failure
from pages._ui.shell.stored import batch, editable
from pages._ui.shell.threshold import current_rule

TRIES_SHOWN = 6
MOST_OPTIONS = 1000
"""Maximum number of values in a list to choose from; with more values the value is typed."""


def what_if(run: RunRecord, row_id: str, case: Case) -> None:
    """The cells to change, the button, and the new scores."""
    st.subheader(
        "What if",
        anchor=False,
        help="Enter other values in some cells to see the score that the row would have. Your file is not changed.",
    )
    try:
        allowed, row = editable(run.id), _cells(run.id, row_id)
    except AdError as error:
        st.warning(str(error), icon=":material/warning:")
        return
    if row is None:
        return
    names = _by_share(list(allowed), case)
    chosen = st.multiselect(
        "Cells to change",
        names,
        default=names[:2],
        key=f"change-{row_id}",
        persist_state="session",
        width=640,
        help="Those with the largest attribution come first.",
    )
    asked = asked_for("whatif", run, row_id)
    busy = bool(asked) and asked[0].alive
    if chosen:
        _form(run, row_id, {name: allowed[name] for name in chosen}, row, busy=busy)
    if busy:
        follow(asked[0])
    elif asked:
        show_failure(asked[0])
    _outcomes([job for job in asked if job.status == "done"])


def _cells(run_id: str, row_id: str) -> pd.Series | None:
    dataset = batch(run_id)
    at = np.flatnonzero((dataset.rows["row_id"] == row_id).to_numpy())
    return dataset.data.iloc[int(at[0])] if len(at) else None


def _by_share(names: list[str], case: Case) -> list[str]:
    if case.explanation is None:
        return names
    first = [part for part in case.explanation["part"] if part in names]
    return first + [name for name in names if name not in first]


def _form(run: RunRecord, row_id: str, allowed: dict[str, Allowed], row: pd.Series, *, busy: bool) -> None:
    keys = {name: f"cell-{row_id}-{name}" for name in allowed}
    with st.form("what-if", border=False):
        with st.grid("auto", min_column_width=220):
            for name, column in allowed.items():
                _field(column, row[name], keys[name])
        st.form_submit_button(
            "Score it",
            icon=":material/play_arrow:",
            disabled=busy,
            on_click=_ask,
            args=(run, row_id, allowed, row, keys),
            help="The detector is loaded in its own process, which takes some seconds.",
        )


def _field(column: Allowed, cell: Any, key: str) -> None:
    """The widget that accepts only values that are allowed in the column."""
    missing = pd.isna(cell)
    if column.levels and len(column.levels) <= MOST_OPTIONS:
        options = [*column.levels, *([None] if column.missing else [])]
        at = options.index(_cell_text(column, cell)) if _cell_text(column, cell) in options else None
        st.selectbox(column.name, options, at, key=key, format_func=lambda v: "(missing)" if v is None else v)
    elif column.kind is ColumnKind.NUMBER and not column.levels:
        whole, digits = column.decimals == 0, column.decimals
        known = numbers(pd.Series([cell], dtype="object"))[0][0]  # NaN where the cell can't be read
        value = None if np.isnan(known) else int(known) if whole else float(known)
        st.number_input(
            column.name,
            value=value,
            step=1 if whole else None,
            key=key,
            placeholder="(missing)",
            format=None if whole else "%.6g" if digits is None else f"%.{digits}f",
            help=f"{column.low:,.6g} to {column.high:,.6g} in the training rows.",
        )
    elif column.kind is ColumnKind.DATE:
        moment = None if missing else column.moment_of(cell)
        if column.whole_days:
            st.date_input(column.name, None if moment is None else moment.date(), key=key, format="YYYY-MM-DD")
        else:
            st.datetime_input(column.name, None if moment is None else moment.to_pydatetime(), key=key)
    else:
        st.text_input(column.name, "" if missing else str(cell), key=key)


def _ask(run: RunRecord, row_id: str, allowed: dict[str, Allowed], row: pd.Series, keys: dict[str, str]) -> None:
    """Submit the changed cells; a value that is not allowed in a column gives an error."""
    changes: dict[str, Any] = {}
    try:
        for name, column in allowed.items():
            typed = st.session_state.get(keys[name])
            wanted = None if typed is None else typed.isoformat(" ") if hasattr(typed, "hour") else str(typed)
            if not column.same(row[name], wanted) and not (wanted is None and _cell_text(column, row[name]) is None):
                changes[name] = wanted
                column.read(wanted)
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    if not changes:
        st.session_state["_problem"] = (
            "No cell is changed yet. Enter another value in at least one cell, then score it."
        )
        return
    config = {"row_id": row_id, "tries": [changes], "rule": current_rule(run.id).model_dump(mode="json")}
    submit(run.dataset_id, "whatif", config, row_id, run.id)


def _outcomes(jobs: list[RunRecord]) -> None:
    """A table of the original row and its score after each of the last changes."""
    if not jobs:
        return
    newest = jobs[0].summary["tries"]
    lines = [newest[0], *(job.summary["tries"][1] for job in jobs[:TRIES_SHOWN])]
    shown = pd.DataFrame(
        {
            "": [line["try"] for line in lines],
            "score": [words.number(line["score"]) for line in lines],
            "percentile": [words.number(line["percentile"]) for line in lines],
            "p": [words.p_text(line["p_value"]) for line in lines],
            "severity": [words.SEVERITY[line["severity"]] for line in lines],
            "alert": ["yes" if line["alert"] else "no" for line in lines],
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        alt="The row as it is and with other values, each with its score",
        column_config={"": st.column_config.TextColumn(width="large")},
    )
    notes = [line["note"] for line in lines if line["note"]]
    sentences = [f"{words.count(len(lines) - 1, 'change')}, the newest first.", *dict.fromkeys(notes)]
    st.caption(" ".join(sentences))


def _cell_text(column: Allowed, cell: Any) -> str | None:
    try:
        return column.read(cell)
    except AdError:
        return None
