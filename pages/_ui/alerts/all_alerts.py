"""All alerts of a run: their row ids, and what drives them."""

import pandas as pd
import streamlit as st

from ad_core.explain.global_importance import GlobalImportance, first_parts, global_importance, signed
from pages._ui.shell.stored import ranked, store, table
from pages._ui.shell.threshold import current_rule, events_at, threshold_at


def modality_of(run_id: str) -> str:
    """The kind of data of a run."""
    return store().dataset(store().run(run_id).dataset_id).modality


def alert_ids(run_id: str) -> pd.Series:
    """Row ids of the alerts by the current rule, highest first; of recordings those of the peaks of the events."""
    if (events := events_at(run_id)) is not None:
        return events["row_id_peak"]
    rows = ranked(run_id)
    return rows.loc[threshold_at(run_id).of(rows), "row_id"]


def importance_of_alerts(run_id: str) -> GlobalImportance:
    """Their global feature importance; cached while neither the explanations nor the threshold change."""
    files = (table(run_id, "explanations"), table(run_id, "checks"), ranked(run_id))
    return _importance(run_id, current_rule(run_id).model_dump_json(), tuple(map(id, files)))


def firsts(run_id: str) -> pd.Series:
    """Row id -> the feature that raises its score most, for all rows that have been explained."""
    parts = table(run_id, "explanations")
    return pd.Series(dtype="object") if parts is None or parts.empty else _firsts(run_id, id(parts))


@st.cache_resource(show_spinner=False, max_entries=8)
def _importance(run_id: str, rule: str, files: tuple[int, ...]) -> GlobalImportance:  # noqa: ARG001  a changed file is another key
    return global_importance(table(run_id, "explanations"), table(run_id, "checks"), alert_ids(run_id))


@st.cache_resource(show_spinner=False, max_entries=8)
def _firsts(run_id: str, file: int) -> pd.Series:  # noqa: ARG001
    parts = table(run_id, "explanations")
    assert parts is not None  # firsts has checked this
    return first_parts(signed(parts))
