"""Score file: score new data with a trained detector."""

from pathlib import Path

import streamlit as st

from ad_core.alerts import figures
from ad_core.errors import AdError
from ad_core.jobs import queue as jobs
from ad_core.storage.results import detector_run
from pages._ui.alerts.drift import drift_gate
from pages._ui.data.datasets import name_for
from pages._ui.data.new_data import check_match, missing_allowed, remember_batch
from pages._ui.data.sources import path_field, upload_field
from pages._ui.shell import words
from pages._ui.shell.downloads import download_buttons
from pages._ui.shell.navigate import choose, current, go_button
from pages._ui.shell.progress import progress
from pages._ui.shell.result_columns import as_shown, result_columns
from pages._ui.shell.shell import chart, errors_shown, nothing_yet, page_top
from pages._ui.shell.stored import calibration_scores, ranked, store, summary
from pages._ui.shell.threshold import threshold_at

LISTED, NOTICES = 200, 6
"""Maximum number of rows, and of notices about how the file was read, that are shown."""


def start(training_id: str, paths: list[str], name: str, allow_missing: bool) -> None:
    """Callback of the main button."""
    try:
        record = remember_batch(training_id, paths, name, allow_missing=allow_missing)
        run = jobs.submit(store(), record.id, "score", {}, name, training_id)
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    choose(run=run.id)


page_top("score_file")
trained = store().runs(kind="train", status="done")
if not trained:
    nothing_yet(
        "No detector yet",
        "Scoring needs a trained detector. Train one first; a sample takes a minute.",
        "Go to Home",
        "home",
    )
with errors_shown():
    run = store().run(current("run") or trained[0].id)
    training = detector_run(store(), run.id)

if run.kind == "score":
    st.subheader(run.name, anchor=False)
    st.caption(f"Scored with “{training.name}”.")
    st.button("Score another file", icon=":material/add:", on_click=choose, kwargs={"run": training.id})
    if run.status != "done":
        progress(run)
        st.stop()
    rows, facts = ranked(run.id), summary(run.id)
    for sentence in facts.get("matches") or []:
        st.warning(sentence, icon=":material/difference:")
    for notice in (facts.get("notices") or [])[:NOTICES]:
        st.info(notice, icon=":material/info:")
    drift_gate(facts)
    with errors_shown():
        threshold = threshold_at(run.id)
    calibrated = calibration_scores(training.id)
    with st.container(horizontal=True):
        st.metric("Rows", f"{len(rows):,}", border=True, width=170)
        st.metric("Scored", f"{int(rows['score'].notna().sum()):,}", border=True, width=170)
        st.metric("Alerts", f"{threshold.alerts:,}", border=True, width=190, help=threshold.found.sentence)
    chart(
        figures.score_histogram(rows["score"].to_numpy(), threshold.of(rows), calibrated),
        alt=figures.histogram_in_words(rows["score"].to_numpy(), threshold.of(rows)),
        caption="The outline is the histogram of the calibration rows, scaled to this number of rows. If most new "
        "scores are shifted against it, the data have drifted.",
        key="batch-histogram",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        go_button("Open in Alerts", "alerts", type="primary", icon=":material/notifications:")
        download_buttons(rows.drop(columns="used_for", errors="ignore"), f"scores-{run.id}")
    st.dataframe(
        as_shown(rows, LISTED), hide_index=True, height=320, alt="The highest scores", column_config=result_columns()
    )
    st.caption(f"{min(len(rows), LISTED):,} of {words.count(len(rows), 'row')} shown, highest score first.")
    st.stop()

names = words.distinct({r.id: r.name for r in trained} | {training.id: training.name})
chosen = st.selectbox(
    "Detector",
    list(names),
    index=list(names).index(training.id),
    format_func=lambda i: f"{names[i]}  ({words.ago(store().run(i).created)})",
    key=f"detector-{training.id}",
)
if not (store().folder(chosen) / "bundle").exists():
    nothing_yet(
        "This run has no detector",
        "It ended before the detector was saved. Run it again.",
        "Show the run",
        "train",
        run=chosen,
    )
later = store().dataset(store().run(chosen).dataset_id).facts.get("score_later") or []
ways = ["Suggested file"] * bool(later) + ["Upload", "Path on this machine"]
way = st.segmented_control("New data", ways, default=ways[0], key=f"way-{chosen}", required=True)
try:
    if way == "Upload":
        paths = upload_field(f"score-{chosen}", "New data, of the same kind")
    elif way == "Path on this machine":
        paths = path_field(f"score-path-{chosen}")
    else:
        paths = later
        st.markdown(", ".join(f"`{'/'.join(Path(path).parts[-3:])}`" for path in later))
except AdError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
if not paths:
    st.caption("Choose the new data to check whether they match the detector.")
    st.stop()
texts = [str(path) for path in paths]
allow_missing = missing_allowed(chosen, texts[0])
fits = check_match(chosen, texts, allow_missing=allow_missing)
name = st.text_input("Name of the batch", value=name_for([Path(text) for text in texts]), key=f"batch-{texts[0]}")
st.button(
    "Score",
    type="primary",
    icon=":material/play_arrow:",
    disabled=not fits,
    on_click=start,
    args=(chosen, texts, name or texts[0], allow_missing),
)
