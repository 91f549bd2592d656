"""The sidebar: the current run and its method, a link to the case, and the jobs that are running."""

import streamlit as st

from ad_core.errors import AdError
from ad_core.jobs import queue as jobs
from ad_core.storage.records import WITH_SCORES
from ad_core.storage.store import RunRecord
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current, go, where
from pages._ui.shell.stored import store, summary


def sidebar() -> None:
    """Everything in the sidebar below the navigation. The case's fields are bound to the URL here, in the entry script:
    fields of a page would leave the URL with their page."""
    with st.sidebar:
        _select_run()
        with st.expander("Link to this case", icon=":material/link:"):
            st.caption("These ids are part of the address, so a copied address shows the same case.")
            for name, label in (("data", "Data set id"), ("run", "Run id"), ("row", "Row id")):
                st.text_input(label, key=name, bind="query-params")
        _jobs_now()


def _select_run() -> None:
    runs = [run for run in store().runs(limit=200) if run.kind in WITH_SCORES and run.status in ("done", "running")]
    names = {run.id: run.name for run in runs}
    now = st.query_params.get("run") if "run" not in st.session_state else current("run")
    if now and now not in names:
        names[now] = _name_of(now)
    names = words.distinct(names)
    st.session_state["_run"] = now or None
    st.selectbox(
        "Run",
        list(names),
        key="_run",
        index=None,
        format_func=lambda run_id: names.get(run_id, run_id),
        placeholder="No run chosen",
        on_change=lambda: choose(run=st.session_state["_run"]),
    )
    if now:
        try:
            st.caption(status_line(store().run(now)))
        except AdError:
            st.caption("This run does not exist; it may have been deleted.")


def _name_of(run_id: str) -> str:
    try:
        return store().run(run_id).name
    except AdError:
        return f"{run_id} (not found)"


def status_line(run: RunRecord) -> str:
    """One line: what a run is and how it was made."""
    facts = summary(run.id)
    method = facts.get("method") or run.config.get("pretext") or "default method"
    device = (facts.get("training") or {}).get("device") or run.device
    what = [method, run.config.get("preset", ""), words.KINDS[run.kind], words.ago(run.created), str(device)]
    return f"`{run.id}` · " + " · ".join(part for part in what if part)


def _jobs_now() -> None:
    """The progress of the jobs; it is updated every four seconds, but only while a job is alive."""
    alive = [run for run in store().runs(limit=50) if run.alive]
    known = st.session_state.get("_alive", [])
    for run_id in set(known) - {run.id for run in alive}:
        _announce_end(run_id)
    st.session_state["_alive"] = [run.id for run in alive]
    if alive:
        st.fragment(_chip, run_every=4)()


def _chip() -> None:
    jobs.find_lost(store())
    runs = [store().run(run_id) for run_id in st.session_state.get("_alive", [])]
    if any(not run.alive for run in runs):
        st.rerun()
    for run in (run for run in runs if run.status == "running"):
        state = jobs.state(store(), run.id)
        label = f"{run.name}: {words.STAGES.get(state.stage, 'starting').lower()}"
        st.progress(min(max(state.done, 0.0), 1.0), text=label)
        page, case = where(run)
        st.button(
            "Show",
            key=f"chip-{run.id}",
            type="tertiary",
            icon=":material/visibility:",
            on_click=go,
            args=(page,),
            kwargs=case,
        )
    if waiting := sum(run.status == "queued" for run in runs):
        st.caption(f":material/hourglass_empty: {words.count(waiting, 'job')} waiting for the device.")


def _announce_end(run_id: str) -> None:
    try:
        run = store().run(run_id)
    except AdError:
        return
    icon, _ = words.STATUS[run.status]
    st.toast(f"{words.KINDS[run.kind].capitalize()} “{run.name}”: {run.status}.", icon=icon, duration="long")
