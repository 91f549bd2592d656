"""Explain a row that has not been explained yet, or again with another method, as a job."""

from collections.abc import Sequence

import streamlit as st

from ad_core.storage.store import RunRecord
from pages._ui.explain.explain_parts import BASELINES, METHODS
from pages._ui.shell.progress import progress
from pages._ui.shell.side_job import submit
from pages._ui.shell.stored import store


def on_demand(
    run: RunRecord, row_id: str, *, has_score: bool, again: str | None = None, offered: Sequence[str] | None = None
) -> None:
    """The button that starts the job, and the progress of the job.

    Args:
        again: the method of the present explanation; None = there is none.
        offered: the methods that the detector supports, where that is known.
    """
    if not has_score:
        st.info("A row without a score can't be explained; its note says why it has none.", icon=":material/info:")
        return
    asked = [
        job for job in store().runs(kind="explain", parent=run.id, limit=20) if row_id in job.config.get("row_ids", [])
    ]
    if asked and asked[0].alive:
        progress(asked[0])
        return
    if asked and asked[0].status != "done":
        st.error(asked[0].error or f"The explanation was {asked[0].status}.", icon=":material/error:")
    if again is None:
        st.info(
            "A run explains only its highest scores, and this row is not among them.",
            title="Not explained yet",
            icon=":material/info:",
        )
        st.button(
            "Explain this row", type="primary", icon=":material/troubleshoot:", on_click=_ask, args=(run, row_id, None)
        )
        return
    with st.expander("Explain with another method or another baseline", icon=":material/swap_horiz:"):
        possible = [name for name in METHODS if name in (offered or METHODS)]
        at = possible.index(again) if again in possible else 0
        method = st.selectbox(
            "Method", possible, at, format_func=lambda name: f"{METHODS[name][0]} ({METHODS[name][1]})"
        )
        baseline = st.segmented_control(
            "Baseline", list(BASELINES), default="nearest", format_func=BASELINES.get, required=True
        )
        st.button("Explain again", on_click=_ask, args=(run, row_id, method, baseline))


def _ask(run: RunRecord, row_id: str, method: str | None, baseline: str = "nearest") -> None:
    config = {"row_ids": [row_id], "method": method, "baseline": baseline}
    submit(run.dataset_id, "explain", config, f"Explain {row_id}", run.id)
