"""The current case beside a list: its score, its main features, and a link to the full explanation."""

import numpy as np
import streamlit as st

from ad_core.errors import AdError
from ad_core.explain import figures
from pages._ui.shell import words
from pages._ui.shell.images import file_of, small
from pages._ui.shell.navigate import choose, current, go_button
from pages._ui.shell.shell import chart
from pages._ui.shell.stored import batch, case, ranked, reference_ranks, store
from pages._ui.verdicts.buttons import verdict_badge, verdict_line

TOP_PERCENT = 5
"""A classical detector agrees when the row is among this percentage of its highest scores."""


def case_card(run_id: str) -> None:
    """The row that `?row=` names, or a hint how to select one."""
    row_id = current("row")
    if row_id is None:
        with st.container(border=True):
            st.markdown("**No row selected**")
            st.markdown(":gray[Select a row to see which features raise its score.]")
        return
    found = ranked(run_id).loc[ranked(run_id)["row_id"] == row_id]
    if found.empty:
        st.warning(f"There is no row “{row_id}” in this run.", icon=":material/link_off:")
        st.button("Clear the selection", on_click=choose, kwargs={"row": None})
        return
    row = found.iloc[0]
    with st.container(border=True):
        st.markdown(f"**{row_id}**")
        if row["note"]:
            st.info(row["note"])
        with st.container(horizontal=True, gap="small"):
            st.badge(
                words.SEVERITY[row["severity"]], color="orange" if row["severity"] in ("Critical", "High") else "gray"
            )
            st.markdown(
                f":gray[score] {words.number(row['score'])} :gray[· percentile] "
                f"{words.number(row['percentile'])} :gray[· p] {words.p_text(row['p_value'])}"
            )
            verdict_badge(run_id, row_id)
        case_picture(run_id, row_id)
        case_reasons(run_id, row_id)
        _references(run_id, row_id)
        verdict_line(run_id, row_id)
        go_button(
            "Explain this case",
            "explain",
            type="primary",
            icon=":material/troubleshoot:",
            width="stretch",
            key="case-explain",
        )


def case_picture(run_id: str, row_id: str) -> None:
    """The image itself, where rows are images."""
    if store().dataset(store().run(run_id).dataset_id).modality != "image":
        return
    try:
        dataset = batch(run_id)
    except AdError:
        return
    if file := file_of(dataset, row_id):
        st.image(small(file, 420), width="stretch", alt=row_id)


def case_reasons(run_id: str, row_id: str) -> None:
    """The features that raise the score of the row most, where it has been explained."""
    explained = case(run_id, row_id).explanation
    if explained is None:
        st.caption("Not explained yet. Open the case to explain it.")
        return
    if "channel" in explained and explained["channel"].notna().all():
        explained = explained.groupby("channel", sort=False)["attribution"].sum().rename_axis("part").reset_index()
    parts, values = explained["part"].tolist(), explained["attribution"].to_numpy(dtype=np.float64)
    chart(
        figures.attribution_bars(parts, values, keep=5),
        alt=figures.attribution_in_words(parts, values),
        key="case-bars",
    )


def _references(run_id: str, row_id: str) -> None:
    """The number of classical detectors that agree; the rank from each of them in the help text."""
    ranks = reference_ranks(run_id)
    if ranks is None or row_id not in ranks.index:
        return
    known = ranks.loc[row_id].dropna().sort_values(ascending=False)
    if len(known):
        agree = int((known > 100 - TOP_PERCENT).sum())
        listed = "\n".join(f"- {words.method_title(name)}: {rank:.1f}" for name, rank in known.items())
        st.caption(
            f"{agree} of {words.count(len(known), 'classical detector')} rank it in their top {TOP_PERCENT} %.",
            help=f"Percentile rank of this row for each of them, 100 = highest score:\n\n{listed}",
        )
