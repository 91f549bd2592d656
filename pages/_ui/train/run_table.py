"""The table of the Runs page."""

import pandas as pd
import streamlit as st

from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.stored import store


@st.cache_data(show_spinner=False, ttl=60)
def _disk_use(run_id: str, status: str) -> int:  # noqa: ARG001  a finished run is another key
    return store().disk_use(run_id)


def run_table(runs: list[RunRecord]) -> pd.DataFrame:
    """One line per run, as shown."""
    names = {record.id: record.name for record in store().datasets()}
    return pd.DataFrame(
        {
            "status": [run.status for run in runs],
            "name": [run.name for run in runs],
            "kind": [words.KINDS[run.kind] for run in runs],
            "data": [names.get(run.dataset_id, "(deleted)") for run in runs],
            "method": [
                run.summary.get("method") or run.config.get("pretext") or ("default" if run.kind == "train" else "")
                for run in runs
            ],
            "preset": [run.config.get("preset", "") for run in runs],
            "created": [run.created for run in runs],
            "took": [(run.ended - run.started).total_seconds() if run.ended and run.started else None for run in runs],
            "disk [MB]": [_disk_use(run.id, run.status) / 1e6 for run in runs],
            "note": [run.note for run in runs],
            "id": [run.id for run in runs],
        }
    )
