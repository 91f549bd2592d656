"""The percentile ranks of the same rows in other runs, a column for each, to show disagreement."""

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
            "Compare with other runs",
            list(names),
            format_func=names.get,
            key=f"others-{run_id}",
            max_selections=MOST,
            placeholder="Choose runs",
            help="Adds the percentile rank from each of these runs on the same data; 100 = highest score. An alert "
            "on which different methods agree does not depend on one of them.",
        )


def other_ranks(run_id: str, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Name of each chosen run -> (rows,) its percentile of these rows."""
    names = _names(run_id)
    chosen = [one for one in st.session_state.get(f"others-{run_id}") or [] if one in names]
    ranks = {}
    for one in chosen:
        scores = ranked(one).drop_duplicates("row_id").set_index("row_id")["score"]
        ranks[names[one]] = rows["row_id"].map(100 * scores.rank(pct=True))
    return ranks


def _names(run_id: str) -> dict[str, str]:
    """Id -> name with method of the other runs with scores on this data set, newest first."""
    others = store().runs(dataset_id=store().run(run_id).dataset_id, status="done")
    return {
        run.id: f"{run.name} · {run.summary.get('method') or run.kind} · {run.id}"
        for run in others
        if run.id != run_id and run.kind in WITH_SCORES
    }
