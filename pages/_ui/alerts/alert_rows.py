"""The rows of the Alerts page: what is shown of them, the filters, and the choice of one."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.errors import AdError
from pages._ui.alerts.alert_groups import group_field, in_group
from pages._ui.alerts.other_runs import other_ranks, other_runs_field
from pages._ui.alerts.part_filter import led_by_part, part_field
from pages._ui.alerts.stability import stability
from pages._ui.shell import selection_words, words
from pages._ui.shell.navigate import choose, current
from pages._ui.shell.stored import batch, ranked, reasons, reference_ranks, said, table
from pages._ui.shell.threshold import threshold_at

MOST = 10_000
"""Maximum number of rows sent to the browser; in a longer table, fetched while scrolling, no row can be chosen."""

MAX_VALUES = 60
NONE_YET = "none"
"""The filter for rows without a verdict."""


def alert_filters(run_id: str) -> None:
    """Fields that narrow the rows; `view` reads them, so that a callback sees the same rows as the page."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Search by row id",
            key="search",
            icon=":material/search:",
            placeholder="Part of an id",
            width=220,
            bind="query-params",
        )
        there = [s for s in words.SEVERITY if s and (ranked(run_id)["severity"] == s).any()]
        st.pills("Severity", there, selection_mode="multi", key=f"severity-{run_id}")
        if len(said(run_id)):
            names = {word: sign for word, (sign, _, _) in words.VERDICTS.items()} | {NONE_YET: "none yet"}
            st.pills("Verdict", list(names), selection_mode="multi", format_func=names.get, key=f"verdict-{run_id}")
        part_field(run_id)
        st.toggle("Alerts only", key="alerts_only", bind="query-params")
    group_field(run_id)
    other_runs_field(run_id)
    with st.expander(
        "Filter by a column of the data", icon=":material/filter_alt:", on_change="rerun", key="by-column"
    ) as box:
        if box.open:
            _column_filter(run_id)


def _column_filter(run_id: str) -> None:
    try:
        data = batch(run_id).data
    except AdError as error:
        st.warning(f"The data can't be opened any more, so they can't filter: {error}")
        return
    left, right = st.columns([1, 2])
    column = left.selectbox(
        "Column", list(data.columns), index=None, key=f"column-{run_id}", placeholder="Choose a column"
    )
    if column is None:
        return
    values = data[column]
    key = f"values-{run_id}-{column}"
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        low, high = float(values.min()), float(values.max())
        if low < high:
            right.slider(f"{column} between", low, high, (low, high), key=key)
        return
    common = values.astype("string").value_counts().index[:MAX_VALUES].tolist()
    right.multiselect(f"{column} is", common, key=key)


def view(run_id: str) -> pd.DataFrame:
    """The rows that the filters let through, most anomalous first, with reasons."""
    rows = _base(run_id, _key(run_id))
    now = rows["row_id"].map(said(run_id)["verdict"])
    rows = rows.assign(verdict=now.map(lambda word: words.VERDICTS[word][0], na_action="ignore"))
    keep = np.ones(len(rows), dtype=bool)
    if wanted := st.session_state.get(f"verdict-{run_id}"):
        keep &= now.fillna(NONE_YET).isin(wanted).to_numpy()
    if text := (st.session_state.get("search") or "").strip():
        keep &= rows["row_id"].astype("string").str.contains(text, regex=False, case=False).to_numpy(dtype=bool)
    if chosen := st.session_state.get(f"severity-{run_id}"):
        keep &= rows["severity"].isin(chosen).to_numpy()
    if st.session_state.get("alerts_only"):
        keep &= threshold_at(run_id).of(rows)
    for chosen_alone in (in_group(run_id, rows), led_by_part(run_id, rows["row_id"])):
        if chosen_alone is not None:
            keep &= chosen_alone
    column = st.session_state.get(f"column-{run_id}")
    if st.session_state.get("by-column") and column and (values := st.session_state.get(f"values-{run_id}-{column}")):
        keep &= rows["row_id"].isin(_fulfilling(run_id, column, values)).to_numpy()
    return rows if keep.all() else rows.loc[keep].reset_index(drop=True)


def _fulfilling(run_id: str, column: str, values: object) -> pd.Series:
    dataset = batch(run_id)
    data = dataset.data[column]
    chosen = data.between(*values) if isinstance(values, tuple) else data.astype("string").isin(values)  # type: ignore[misc]
    return dataset.rows.loc[chosen.to_numpy(dtype=bool, na_value=False), "row_id"]


def _key(run_id: str) -> tuple[int, ...]:
    """The shared frames are replaced when their file changes, so their identity is the key of what is made of them."""
    return id(ranked(run_id)), id(reasons(run_id)), id(reference_ranks(run_id))


@st.cache_resource(show_spinner=False, max_entries=4)
def _base(run_id: str, key: tuple[int, ...]) -> pd.DataFrame:  # noqa: ARG001
    rows = ranked(run_id).copy()
    rows["rank"] = rows["severity"].map(words.SEVERITY)
    why = reasons(run_id)
    rows["reasons"] = rows["row_id"].map(why) if len(why) else None
    ranks = reference_ranks(run_id)
    if ranks is not None:
        rows[list(ranks.columns)] = ranks.reindex(rows["row_id"]).to_numpy()
    return rows


def alert_table(run_id: str, rows: pd.DataFrame) -> None:
    """The table; choosing a row makes it the current case."""
    if len(rows) > MOST:
        rows = _part(rows)
    if (steady := stability(run_id, rows)) is not None:
        rows = rows.assign(stable=steady)
    key = f"alerts-{run_id}"
    at = np.flatnonzero((rows["row_id"] == current("row")).to_numpy())
    chosen = [int(at[0])] if len(at) else []
    if len(rows) <= MOST and st.session_state.get(key, {}).get("selection", {}).get("rows", []) != chosen:
        st.session_state[key] = {"selection": {"rows": chosen, "columns": [], "cells": []}}
    others = other_ranks(run_id, rows)
    rows = rows.assign(**others, grade=_grades(run_id, rows["row_id"]))
    extras = [*others, *(c for c in ("entity", "time", "label", "excluded") if c in rows)]
    survived = ["stable"] if "stable" in rows else []
    references = [c for c in ("isolation_forest", "nearest_neighbours") if c in rows]
    figures = ["score", "p_value", "percentile"]
    shown = rows[["row_id", "rank", *survived, "verdict", "reasons", "grade", *figures, *extras, *references, "note"]]
    for column in ("reasons", "verdict", "grade"):
        if not shown[column].notna().any():
            shown = shown.drop(columns=column)
    if not shown["note"].astype(bool).any():
        shown = shown.drop(columns="note")
    if not shown["p_value"].notna().any():
        shown = shown.drop(columns="p_value")
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        lazy=True if len(shown) > MOST else None,
        on_select="ignore" if len(shown) > MOST else _pick,
        selection_mode="single-row",
        height=460,
        placeholder="–",
        alt=f"{len(shown)} rows with severity, score, percentile and p-value, most anomalous first",
        column_config={
            "rank": st.column_config.TextColumn("severity", width=90),
            "row_id": st.column_config.TextColumn("row", width=130, pinned=True),
            "verdict": st.column_config.TextColumn("verdict", width=100, help="The newest word on this row."),
            "score": st.column_config.NumberColumn("score", format="%.3g", width=75),
            "percentile": st.column_config.ProgressColumn(
                "percentile", min_value=0, max_value=100, format="%.1f", width=120
            ),
            "p_value": st.column_config.NumberColumn("p", format="%.2g", width=70),
            "reasons": st.column_config.TextColumn("mainly", width=150),
            "grade": st.column_config.TextColumn("explanation", width=120, help=words.GRADE_HELP),
            "stable": st.column_config.TextColumn("stable in", width=80, help=selection_words.STABLE),
            "isolation_forest": _rank_column("isolation forest"),
            "nearest_neighbours": _rank_column("nearest neighbours"),
            **{name: _rank_column(name, "this run") for name in others},
        },
    )


def _part(rows: pd.DataFrame) -> pd.DataFrame:
    """The top of a long list, where rows can be chosen, or all of it, where they can't."""
    with st.container(horizontal=True, vertical_alignment="center"):
        whole = st.toggle("All rows, to scroll through", key="whole-list")
        text = (
            "a row can't be chosen in this view"
            if whole
            else f"the {MOST:,} most unusual; search and filters reach all"
        )
        st.caption(f"{len(rows):,} rows: {text}.")
    return rows if whole else rows.head(MOST)


def _grades(run_id: str, row_ids: pd.Series) -> pd.Series:
    """(rows,) whether the explanation can be believed, in a word with its sign; missing where there is none."""
    explained, checks = reasons(run_id).index, table(run_id, "checks")
    found = pd.Series(words.GRADE_SIGNS["not checked"], index=pd.Index(explained))
    if checks is not None and len(checks):
        found.update(checks.drop_duplicates("row_id", keep="last").set_index("row_id")["grade"].map(words.GRADE_SIGNS))
    return row_ids.map(found)


def _rank_column(title: str, whose: str = "this classical detector") -> Any:
    about = f"Rank of the row for {whose}: 100 = its most unusual."
    return st.column_config.NumberColumn(title, format="%.0f", help=about)


def _pick() -> None:
    run_id = current("run") or ""
    picked = st.session_state[f"alerts-{run_id}"]["selection"]["rows"]
    rows = view(run_id)
    choose(row=rows["row_id"].iloc[picked[0]] if picked and picked[0] < len(rows) else None)
