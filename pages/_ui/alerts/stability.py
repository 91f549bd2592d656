"""What alerts hang on: the button that starts the trainings without suspicious rows, and the column that they give."""

import pandas as pd
import streamlit as st

from ad_core.jobs.stability import stable
from ad_core.storage.store import RunRecord
from pages._ui.shell import selection_words
from pages._ui.shell.side_job import followed, submit
from pages._ui.shell.stored import store, table
from pages._ui.shell.threshold import threshold_at


def stability(run_id: str, rows: pd.DataFrame) -> pd.Series | None:
    """Such as "3 of 3" for each alert, None for what is no alert; None altogether while it was not run."""
    found = table(run_id, "sensitivity")
    if found is None:
        return None
    threshold = threshold_at(run_id)
    times = stable(found, threshold.alerts).set_axis(found["row_id"])
    texts = times.astype(str) + f" of {found.shape[1] - 1}"
    of_rows = rows["row_id"].map(texts[~texts.index.duplicated()])
    return of_rows.where(threshold.of(rows))


def stability_button(run: RunRecord) -> None:
    """Starts the trainings, follows them, and disappears once there is a result."""
    if run.kind != "train" or table(run.id, "sensitivity") is not None:
        return
    asked = store().runs(kind="sensitivity", parent=run.id, limit=1)
    if followed(asked[0] if asked else None, "Training without suspicious rows"):
        return
    st.button(
        "Are these alerts stable?",
        key="sensitivity",
        icon=":material/balance:",
        help=selection_words.SENSITIVITY,
        on_click=submit,
        args=(run.dataset_id, "sensitivity", {}, f"{run.name} · are alerts stable", run.id),
    )
