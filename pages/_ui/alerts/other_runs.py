"""What other runs say of the same rows: a column for each, so that disagreement can be seen."""

import pandas as pd
import streamlit as st

from ad_core.storage.records import WITH_SCORES
from pages._ui.shell.stored import ranked, store

MOST = 6
"""Maximum number of columns beside the scores."""


def other_runs_field(run_id: str) -> None:
    """A choice of runs that scored the same data; nothing where there is none."""
    if names := _names(run_id):
        st.multiselect(
            "Beside other runs",
            list(names),
            format_func=names.get,
            key=f"others-{run_id}",
            max_selections=MOST,
            placeholder="Choose runs",
            help="A column for each run on the same data: 100 = its most unusual row. Where "
            "tasks that ask different things agree, an alert rests on more than one view.",
        )


def other_ranks(run_id: str, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Name of each chosen run -> (rows,) its percentile of these rows."""
    names = _names(run_id)
    chosen = [one for one in st.session_state.get(f"others-{run_id}") or [] if one in names]
    found = {}
    for one in chosen:
        scores = ranked(one).drop_duplicates("row_id").set_index("row_id")["score"]
        found[names[one]] = rows["row_id"].map(100 * scores.rank(pct=True))
    return found


def _names(run_id: str) -> dict[str, str]:
    """Id -> name with method of the other runs with scores on this data set, newest first."""
    others = store().runs(dataset_id=store().run(run_id).dataset_id, status="done")
    return {
        run.id: f"{run.name} · {run.summary.get('method') or run.kind} · {run.id}"
        for run in others
        if run.id != run_id and run.kind in WITH_SCORES
    }
