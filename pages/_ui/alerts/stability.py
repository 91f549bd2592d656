"""Stability of alerts: the button that starts retrainings without suspicious rows, and the column with their result."""

import pandas as pd
import streamlit as st

from ad_core.jobs.stability import stable
from ad_core.storage.store import RunRecord
from pages._ui.shell import selection_words
from pages._ui.shell.side_job import followed, submit
from pages._ui.shell.stored import store, table
from pages._ui.shell.threshold import threshold_at


def stability(run_id: str, rows: pd.DataFrame) -> pd.Series | None:
    """(rows,) such as "3 of 3" for each alert, None for other rows; None while the check was not run."""
    ranks = table(run_id, "sensitivity")
    if ranks is None:
        return None
    threshold = threshold_at(run_id)
    times = stable(ranks, threshold.alerts).set_axis(ranks["row_id"])
    texts = times.astype(str) + f" of {ranks.shape[1] - 1}"
    of_rows = rows["row_id"].map(texts[~texts.index.duplicated()])
    return of_rows.where(threshold.of(rows))


def stability_button(run: RunRecord) -> None:
    """Starts the retrainings and shows their progress; nothing once there is a result."""
    if run.kind != "train" or table(run.id, "sensitivity") is not None:
        return
    asked = store().runs(kind="sensitivity", parent=run.id, limit=1)
    if followed(asked[0] if asked else None, "Retraining without suspicious rows"):
        return
    st.button(
        "Are these alerts stable?",
        key="sensitivity",
        icon=":material/balance:",
        help=selection_words.SENSITIVITY,
        on_click=submit,
        args=(run.dataset_id, "sensitivity", {}, f"{run.name} · stability check", run.id),
    )
