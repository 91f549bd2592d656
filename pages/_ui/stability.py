"""What alerts hang on: the button that starts the trainings without suspicious rows, and the column that they give."""

import pandas as pd
import streamlit as st

from ad_core import jobs
from ad_core.errors import AdError
from ad_core.stability import stable
from ad_core.store import RunRecord
from pages._ui import selection_words, words
from pages._ui.stored import store, table
from pages._ui.threshold import threshold_at


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
    if asked and asked[0].alive:
        st.fragment(_working, run_every=2)(asked[0].id)
        return
    if asked and asked[0].status != "done":
        st.warning(asked[0].error or f"The trainings were {asked[0].status}.", icon=words.STATUS[asked[0].status][0])
    st.button(
        "Are these alerts stable?", key="sensitivity", icon=":material/balance:", help=selection_words.SENSITIVITY,
        on_click=_submit, args=(run,),
    )  # fmt: skip


def _submit(run: RunRecord) -> None:
    try:
        jobs.submit(store(), run.dataset_id, "sensitivity", {}, f"{run.name} · are alerts stable", run.id)
    except AdError as error:
        st.session_state["_problem"] = str(error)


def _working(run_id: str) -> None:
    jobs.find_lost(store())
    run, state = store().run(run_id), jobs.state(store(), run_id)
    if not run.alive:
        st.rerun()
    text = "Waiting for the device" if run.status == "queued" else "Training without suspicious rows"
    st.progress(min(max(state.done, 0.0), 1.0), text=f"**{text}** · {100 * state.done:.0f} %")
    st.button("Cancel", icon=":material/stop_circle:", key="cancel-sensitivity", on_click=jobs.cancel,
              args=(store(), run_id))  # fmt: skip
