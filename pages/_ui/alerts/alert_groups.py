"""Groups of alerts with the same main features: a filter by group, and a rule that describes it."""

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from ad_core.explain.clusters import AlertGroup, SurrogateRule, alert_groups, surrogate_rule
from pages._ui.shell import words
from pages._ui.shell.stored import batch, ranked, store, table
from pages._ui.shell.threshold import threshold_at


def group_field(run_id: str) -> None:
    """A choice of a group, with a rule that describes it; nothing where there are no groups."""
    groups = {_title(group): group for group in _groups(run_id)}
    if not groups:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Group",
            list(groups),
            index=None,
            placeholder="All alerts",
            key=f"group-{run_id}",
            width=360,
            help="Explained alerts whose scores are raised by the same features. The button below the table gives one "
            "verdict to all rows that are shown.",
        )
        if chosen is not None and (rule := _rule(run_id, groups[chosen])) is not None:
            st.markdown(
                f":gray[Rule:] {words.plain(rule.text)} :gray[· matches {100 * rule.coverage:.0f} % of the group; "
                f"{100 * rule.precision:.0f} % of the rows that it matches are in the group]",
                width="stretch",
            )
    grouped = sum(len(group.row_ids) for group in groups.values())
    explained = _explained_alerts(run_id)["row_id"].nunique()
    st.caption(f"{grouped} of {words.count(explained, 'explained alert')} are in {words.count(len(groups), 'group')}.")


def in_group(run_id: str, rows: pd.DataFrame) -> np.ndarray | None:
    """(rows,) bool: those of the chosen group; None where none is chosen."""
    chosen = st.session_state.get(f"group-{run_id}")
    group = next((group for group in _groups(run_id) if _title(group) == chosen), None)
    return None if group is None else rows["row_id"].isin(group.row_ids).to_numpy()


def group_names(run_id: str) -> pd.Series:
    """Row id -> name of its group, for the alerts that are in a group."""
    return pd.Series({row_id: group.name for group in _groups(run_id) for row_id in group.row_ids}, dtype="object")


def _title(group: AlertGroup) -> str:
    return f"{group.name} ({len(group.row_ids)})"


def _explained_alerts(run_id: str) -> pd.DataFrame:
    parts = table(run_id, "explanations")
    if parts is None or store().dataset(store().run(run_id).dataset_id).modality == "image":
        return pd.DataFrame({"row_id": []})  # cases of images don't share boxes
    rows = ranked(run_id)
    alerts = rows.loc[threshold_at(run_id).of(rows), "row_id"]
    return parts[parts["row_id"].isin(alerts)]


def _groups(run_id: str) -> list[AlertGroup]:
    parts = _explained_alerts(run_id)
    return _alert_groups(run_id, tuple(parts["row_id"].unique()), parts) if len(parts) else []


@st.cache_data(show_spinner="Grouping the alerts ...", max_entries=6)
def _alert_groups(run_id: str, row_ids: tuple[str, ...], _parts: pd.DataFrame) -> list[AlertGroup]:  # noqa: ARG001
    return alert_groups(_parts)


def _rule(run_id: str, group: AlertGroup) -> SurrogateRule | None:
    if store().dataset(store().run(run_id).dataset_id).modality != "table":
        return None
    try:
        return _described(run_id, group.row_ids)
    except AdError:
        return None


@st.cache_data(show_spinner=False, max_entries=12)
def _described(run_id: str, row_ids: tuple[str, ...]) -> SurrogateRule | None:
    data = batch(run_id)
    columns = [name for name in data.schema.scored if name in data.data and data.data[name].notna().any()]
    return surrogate_rule(data.data[columns], data.rows["row_id"].isin(row_ids).to_numpy())
