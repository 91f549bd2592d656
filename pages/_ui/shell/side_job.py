"""Jobs that a page starts about the run that it shows: submit, follow, cancel."""

import streamlit as st

from ad_core.errors import AdError
from ad_core.jobs import queue as jobs
from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.stored import store


def submit(dataset_id: str, kind: str, config: dict, name: str, parent: str | None = None) -> None:
    """Callback of a button; an error is shown when the page is drawn next."""
    try:
        jobs.submit(store(), dataset_id, kind, config, name, parent)
    except AdError as error:
        st.session_state["_problem"] = str(error)


def watched(run_id: str) -> tuple[RunRecord, jobs.JobState]:
    """A job and its progress, for a fragment; when it has ended the whole page runs again."""
    jobs.find_lost(store())
    run, state = store().run(run_id), jobs.state(store(), run_id)
    if not run.alive:
        st.rerun()
    return run, state


def cancel_button(run: RunRecord) -> None:
    """Stops the job."""
    st.button(
        "Cancel", icon=":material/stop_circle:", key=f"cancel-{run.kind}", on_click=jobs.cancel, args=(store(), run.id)
    )


def followed(latest: RunRecord | None, text: str) -> bool:
    """Whether the job is running; then show its progress. If it failed or was stopped, show the reason.

    Args:
        latest: the newest job of its kind; None = there was none.
        text: what the job does, shown with its progress.
    """
    if latest is None:
        return False
    if latest.alive:
        st.fragment(_working, run_every=2)(latest.id, text)
        return True
    if latest.status != "done":
        st.warning(latest.error or f"It was {latest.status}.", icon=words.STATUS[latest.status][0])
    return False


def _working(run_id: str, text: str) -> None:
    run, state = watched(run_id)
    now = "Waiting for the device" if run.status == "queued" else text
    left = f" · about {words.duration(state.eta_s)} left" if state.eta_s is not None else ""
    st.progress(min(max(state.done, 0.0), 1.0), text=f"**{now}** · {100 * state.done:.0f} %{left}")
    cancel_button(run)
