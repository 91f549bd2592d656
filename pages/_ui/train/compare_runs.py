"""Compare two runs: settings, data, and the rows on which they disagree."""

import pandas as pd
import streamlit as st

from ad_core.evaluation import figures_runs
from ad_core.evaluation.run_comparison import compare, differences, identity_in_words
from ad_core.storage.store import RunRecord
from pages._ui.shell.navigate import go
from pages._ui.shell.shell import chart, errors_shown
from pages._ui.shell.stored import ranked, store
from pages._ui.shell.threshold import threshold_at

KEEP = ("row_id", "percentile_a", "percentile_b")


def compare_runs(run: RunRecord, others: list[RunRecord]) -> None:
    """A choice of the other run, and the differences."""
    scored = [other for other in others if other.id != run.id and _has_scores(other)]
    if not scored or not _has_scores(run):
        return
    st.subheader("Compare", anchor=False)
    names = {other.id: f"{other.name} · {other.id}" for other in scored}
    chosen = st.selectbox(
        f"Compare “{run.name}” with",
        list(names),
        index=None,
        format_func=names.get,
        placeholder="Choose another run",
        key="beside",
        bind="query-params",
        width=480,
    )
    if chosen is None:
        return
    with errors_shown():
        other = store().run(chosen)
        _differences(run, other)


def _differences(run: RunRecord, other: RunRecord) -> None:
    tables, alerts = [], []
    for one in (run, other):
        rows = ranked(one.id)
        tables.append(rows)
        alerts.append(threshold_at(one.id).of(rows))
    comparison = compare(*tables, *alerts)
    prints = [store().dataset(one.dataset_id).fingerprint for one in (run, other)]
    st.markdown(identity_in_words(prints[0], prints[1], len(comparison.rows), [len(t) for t in tables]))
    left, right = st.columns([3, 2], gap="large")
    with left:
        if len(comparison.rows):
            chart(
                figures_runs.rank_scatter(comparison), alt=figures_runs.rank_scatter_in_words(comparison), key="ranks"
            )
            st.caption(figures_runs.rank_scatter_in_words(comparison))
    with right:
        st.markdown("**Different settings**")
        changed = differences(_config(run), _config(other))
        if changed.empty:
            st.caption("None: both runs have the same settings.")
        else:
            st.dataframe(changed, hide_index=True, alt=f"{len(changed)} settings that differ")
        if len(comparison.overlap):
            st.markdown("**Overlap of the highest scores**")
            st.dataframe(
                comparison.overlap.round(2).rename(columns={"k": "highest", "by_chance": "by chance"}),
                hide_index=True,
                alt="Share of the highest rows that both runs have in common",
            )
    first, second = st.columns(2, gap="large")
    for column, side, of in ((first, "a", run), (second, "b", other)):
        with column:
            _only(comparison.disagreements(side), of, side)


def _only(rows: pd.DataFrame, run: RunRecord, side: str) -> None:
    st.markdown(f"**Alerts only in “{run.name}”**")
    if rows.empty:
        st.caption("None.")
        return
    shown = rows[list(KEEP)].round(1)
    shown.columns = ["row", "percentile, first", "percentile, second"]
    state = st.dataframe(
        shown,
        hide_index=True,
        height=260,
        on_select="rerun",
        selection_mode="single-row",
        key=f"only-{side}",
        alt=f"{len(rows)} rows, the widest disagreement first",
    )
    picked = state["selection"]["rows"]
    if picked:
        row = rows["row_id"].iloc[picked[0]]
        st.button(
            f"Explain {row}", key=f"explain-{side}", on_click=go, args=("explain",), kwargs={"run": run.id, "row": row}
        )


def _has_scores(run: RunRecord) -> bool:
    return run.kind in ("train", "score") and (store().folder(run.id) / "scores.parquet").exists()


def _config(run: RunRecord) -> dict[str, object]:
    """The settings of a run; of a scored file those of its detector."""
    training = store().run(run.parent) if run.kind == "score" and run.parent else run
    return {**training.config, "detector": training.id if run.kind == "score" else None}
