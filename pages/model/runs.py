"""Runs: list, rename, annotate, repeat, delete, compare."""

import streamlit as st

from ad_core.errors import AdError
from ad_core.jobs import queue as jobs
from ad_core.storage.records import WITH_SCORES
from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current, go, where
from pages._ui.shell.shell import nothing_yet, page_top, table_height
from pages._ui.shell.sidebar import status_line
from pages._ui.shell.stored import store
from pages._ui.train.compare_runs import compare_runs
from pages._ui.train.run_table import run_table

MOST = 500


@st.dialog("Delete this run?", width="medium")
def confirm_delete(run: RunRecord) -> None:
    """Ask before a run is deleted."""
    users = store().runs(parent=run.id)
    st.markdown(
        f"**{run.name}** with its detector, scores and explanations ({words.size(store().disk_use(run.id))}). "
        "Your data files stay."
    )
    if users:
        st.warning(
            f"{words.count(len(users), 'run')} used its detector and would be deleted too.", icon=":material/warning:"
        )
    agreed = st.checkbox("Yes, delete it permanently")
    if st.button("Delete", type="primary", icon=":material/delete:", disabled=not agreed):
        try:
            store().delete_run(run.id, children=bool(users))
        except AdError as error:
            st.error(str(error))
            return
        st.session_state["_deleted"] = run.name
        st.rerun()


def attempt(work: object, *arguments: object) -> None:
    """Callback: change the store; an error is shown when the page is drawn next."""
    try:
        work(*arguments)  # type: ignore[operator]
    except AdError as error:
        st.session_state["_problem"] = str(error)


page_top("runs")
if deleted := st.session_state.pop("_deleted", None):
    st.toast(f"“{deleted}” was deleted.", icon=":material/delete:")

runs = store().runs(limit=MOST)
if not runs:
    nothing_yet("No runs yet", "A run appears here as soon as a training is started.", "Go to Home", "home")
shown = run_table(runs)
at = next((i for i, run in enumerate(runs) if run.id == current("run")), None)
state = st.dataframe(
    shown,
    key="runs-table",
    hide_index=True,
    placeholder="–",
    on_select="rerun",
    selection_mode="single-row",
    selection_default={"selection": {"rows": [] if at is None else [at], "columns": []}},
    height=table_height(len(shown), 430),
    alt=f"{len(shown)} runs, newest first",
    column_config={
        "created": st.column_config.DatetimeColumn("created", format="D MMM YYYY, HH:mm"),
        "took": st.column_config.NumberColumn("took [s]", format="%.0f"),
        "disk [MB]": st.column_config.NumberColumn(format="%.1f"),
        "name": st.column_config.TextColumn("name", width="medium", pinned=True),
    },
)
total = words.size(store().disk_use())
st.caption(
    f"{words.count(len(shown), 'run')} shown. This installation uses {total} on the disk.", help=f"In {store().home}"
)

picked = state["selection"]["rows"]
if not picked or picked[0] >= len(runs):
    st.info("Select a run in the table to open, rename, annotate, repeat or delete it.", icon=":material/touch_app:")
    st.stop()
run = runs[picked[0]]
with st.container(border=True):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.name, anchor=False, width="content")
        icon, colour = words.STATUS[run.status]
        st.badge(run.status, icon=icon, color=colour)
        st.space("stretch")
        has_scores = (store().folder(run.id) / "scores.parquet").exists()
        page, case = ("alerts", {"run": run.id}) if has_scores else where(run)
        st.button("Open", type="primary", icon=":material/open_in_new:", on_click=go, args=(page,), kwargs=case)
        st.button(
            "Progress and log",
            icon=":material/article:",
            on_click=go,
            args=("train",),
            kwargs={"run": run.id},
            disabled=run.kind not in WITH_SCORES,
        )
        st.button("Run again", icon=":material/replay:", on_click=attempt, args=(jobs.rerun, store(), run.id))
        if run.alive:
            st.button("Cancel", icon=":material/stop_circle:", on_click=attempt, args=(jobs.cancel, store(), run.id))
        elif st.button("Delete", icon=":material/delete:"):
            confirm_delete(run)
    st.caption(status_line(run))
    if run.error:
        st.error(run.error, icon=":material/error:")
    left, right = st.columns([1, 2])
    name = left.text_input("Name", value=run.name, key=f"rename-{run.id}")
    note = right.text_input("Note", value=run.note, key=f"note-{run.id}", placeholder="What should a colleague know?")
    if name != run.name or note != run.note:
        attempt(store().rename_run, run.id, name)
        attempt(store().note_run, run.id, note)
        st.rerun()
    with st.expander("Settings"):
        st.json({"data": run.dataset_id, "config": run.config, "parent": run.parent})
        st.button("Open its data", on_click=choose, kwargs={"data": run.dataset_id}, key="its-data")
compare_runs(run, runs)
