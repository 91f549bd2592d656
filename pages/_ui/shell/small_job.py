"""A short job about one case, followed in place: a progress bar, the present stage, and a cancel button."""

import streamlit as st

from ad_core.storage.records import RunRecord
from pages._ui.shell import words
from pages._ui.shell.side_job import cancel_button, watched
from pages._ui.shell.stored import store


def asked_for(kind: str, run: RunRecord, row_id: str) -> list[RunRecord]:
    """Jobs of this kind about one row of a run, the newest first."""
    return [job for job in store().runs(kind=kind, parent=run.id, limit=100) if job.config.get("row_id") == row_id]


def follow(job: RunRecord) -> None:
    """Show its progress; when it has ended the page runs again."""
    st.fragment(_working, run_every=1)(job.id)


def show_failure(job: RunRecord) -> None:
    """Show why it failed or was stopped, if it did."""
    if not job.alive and job.status != "done":
        st.error(job.error or f"It was {job.status}.", icon=words.STATUS[job.status][0])


def _working(run_id: str) -> None:
    job, state = watched(run_id)
    text = "Another job is using the device; this one starts automatically"
    if job.status == "running":
        text = words.STAGES.get(state.stage, "Loading the detector in its own process, which takes some seconds")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(max(state.done, 0.0), 1.0), text=f"**{text}** · {100 * state.done:.0f} %", width="stretch")
        cancel_button(job)
