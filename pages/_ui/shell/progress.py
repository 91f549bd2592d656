"""The progress of a job, and the next steps when it has ended."""

import streamlit as st

from ad_core.errors import AdError
from ad_core.jobs import queue as jobs
from ad_core.storage.run_files import WEIGHTS
from ad_core.storage.store import RunRecord
from ad_core.training import figures
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, go, go_button
from pages._ui.shell.shell import chart
from pages._ui.shell.side_job import watched
from pages._ui.shell.stored import show_damage, store, summary


def progress(run: RunRecord) -> None:
    """The progress of a run while it works, afterwards its result and the next step."""
    if run.alive:
        st.fragment(_working, run_every=2)(run.id)
    else:
        _ended(run)


def _working(run_id: str) -> None:
    run, state = watched(run_id)
    if run.status == "queued":
        st.info(
            "Another job is using the device. This one starts automatically afterwards.",
            title="Waiting",
            icon=":material/hourglass_empty:",
        )
    text = words.STAGES.get(state.stage, "Starting the worker")
    st.progress(min(max(state.done, 0.0), 1.0), text=f"**{text}** · {100 * state.done:.0f} % · {_eta(state.eta_s)}")
    _stages(run, state.stage)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Cancel", icon=":material/stop_circle:", key="cancel", on_click=jobs.cancel, args=(store(), run_id))
        if (store().folder(run_id) / "scores.parquet").exists():
            go_button(
                "See alerts",
                "alerts",
                type="primary",
                key="early-alerts",
                help="The scores are ready; the map and the explanations follow.",
            )
        st.markdown(":gray[:material/verified_user: You can close this page: the job continues in its own process.]")
    _curve(state.curve)
    _log(state.log_tail, open_at_first=False)


def _ended(run: RunRecord) -> None:
    state = jobs.state(store(), run.id)
    if run.status == "done":
        _done(run)
    else:
        texts = {
            "failed": "The job failed",
            "lost": "The process of this job is gone",
            "stopped": "The job was stopped",
        }
        show = {"failed": st.error, "lost": st.warning, "stopped": st.info}[run.status]
        show(
            run.error or "Its data and settings are kept.",
            title=texts[run.status],
            icon=words.STATUS[run.status][0],
        )
        with st.container(horizontal=True):
            st.button("Run again", type="primary", icon=":material/replay:", on_click=_again, args=(run.id,))
            if (store().folder(run.id) / "scores.parquet").exists():
                go_button("See alerts", "alerts", help="The scores are complete; the map or explanations are missing.")
            go_button("Change the data", "data", case={"data": run.dataset_id, "run": None})
    for sentence in state.damage:
        show_damage(sentence)
    _curve(state.curve)
    _log(state.log_tail, open_at_first=run.status == "failed")


def _done(run: RunRecord) -> None:
    facts = summary(run.id)
    training = facts.get("training") or {}
    st.success(_result(run, facts), title="Done", icon=":material/check_circle:")
    with st.container(horizontal=True):
        go_button("See alerts", "alerts", type="primary", icon=":material/notifications:")
        later = store().dataset(run.dataset_id).facts.get("score_later") if run.kind == "train" else None
        if later:
            go_button("Score the newer file", "score_file", icon=":material/rule:")
    split = facts.get("split") or {}
    unit = {"image": "image", "sensor": "window"}.get(str(facts.get("modality")), "row")
    with st.container(horizontal=True):
        if split:
            fit, calibrated = split["fit"], max(split["calibration"], (facts.get("calibration") or {}).get("rows") or 0)
            if calibrated > split["calibration"]:  # each row is scored without itself: all train, all calibrate
                fit = sum(split.values())
            st.metric("Trained on", words.count(fit, unit), border=True)
            st.metric("Calibrated on", words.count(calibrated, unit), border=True)
        if training.get("seconds"):
            st.metric("Training took", words.duration(training["seconds"]), border=True)
        if training.get("steps"):
            st.metric("Steps", f"{training['steps']:,}", border=True)
        if training.get("device"):
            st.metric("Device", str(training["device"]), border=True)
    for notice in (facts.get("notices") or [])[:6]:
        st.warning(notice, icon=":material/info:")


def _result(run: RunRecord, facts: dict) -> str:
    smallest = (facts.get("calibration") or {}).get("smallest_p")
    method = str(facts.get("method", "")).replace("_", " ").capitalize()
    p = f" The smallest possible p-value is {words.p_text(smallest)}." if smallest else ""
    what = "trained a detector and scored every row" if run.kind == "train" else "scored every row of the new file"
    return f"{method} {what}.{p}"


def _stages(run: RunRecord, now: str) -> None:
    names = list(WEIGHTS[run.kind])
    at = names.index(now) if now in names else -1
    marks = [f":green[✓ {n}]" if i < at else f"**● {n}**" if i == at else f":gray[○ {n}]" for i, n in enumerate(names)]
    st.markdown(" &nbsp; ".join(marks))


def _curve(curve: list) -> None:
    if curve:
        chart(
            figures.loss_curve(curve),
            alt=figures.loss_in_words(curve),
            caption="Training loss; lower is better.",
            key="loss",
        )


def _log(lines: list[str], *, open_at_first: bool) -> None:
    with st.expander(f"Log ({len(lines)} lines)", expanded=open_at_first, icon=":material/article:"):
        st.code("\n".join(lines) or "Nothing yet.", language=None, height=260)


def _again(run_id: str) -> None:
    try:
        run = jobs.rerun(store(), run_id)
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    choose(run=run.id)


def _eta(seconds: float | None) -> str:
    return "estimating the time left" if seconds is None else f"about {words.duration(seconds)} left"


def open_results(run_id: str) -> None:
    """Callback: open the results of a run."""
    go("alerts", run=run_id)
