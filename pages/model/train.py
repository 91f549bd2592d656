"""Train: choose the method and its settings, start, and follow the progress."""

import streamlit as st

from ad_core.data.label_questions import undecided
from ad_core.errors import AdError
from ad_core.jobs import queue as jobs
from ad_core.storage.records import WITH_SCORES
from pages._ui.shell import words
from pages._ui.shell.navigate import choose, current, go_button
from pages._ui.shell.progress import progress
from pages._ui.shell.shell import errors_shown, nothing_yet, page_top
from pages._ui.shell.stored import dataset, store
from pages._ui.train.method_cards import chosen_method, method_key, method_settings
from pages._ui.train.recommendation import recommendation_panel

PRESETS = {"quick": "Quick", "standard": "Standard", "thorough": "Thorough"}
ROWS = {"unsure": "Not sure", "clean": "None", "mixed": "Some"}


def start(config: dict, name: str) -> None:
    """Callback of the main button."""
    try:
        run = jobs.submit(store(), current("data") or "", "train", config, name)
    except AdError as error:
        st.session_state["_problem"] = str(error)
        return
    choose(run=run.id)


page_top("train")

if current("run"):
    with errors_shown():
        run = store().run(current("run") or "")
    if run.kind == "recommend":
        nothing_yet(
            "This run is a method comparison",
            "Its result is shown on the Train page of its data set.",
            "Show the result",
            "train",
            data=run.dataset_id,
            run=None,
        )
    if run.kind not in WITH_SCORES:
        run = store().run(run.parent or "")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.name, anchor=False, width="content")
        st.badge(run.status, icon=words.STATUS[run.status][0], color=words.STATUS[run.status][1])
        if not run.alive:
            st.space("stretch")
            st.button(
                "Train another detector",
                icon=":material/add:",
                on_click=choose,
                kwargs={"run": None, "data": run.dataset_id},
            )
    progress(run)
    st.stop()

if current("data") is None:
    nothing_yet("No data chosen", "A detector is trained on a data set. Open one first.", "Open data", "data")
with errors_shown():
    record = store().dataset(current("data") or "")
    data = dataset(record)
if columns := undecided(data.schema):
    nothing_yet(
        "A column may hold true labels",
        f"Say on the Data page what {', '.join(columns[:5])} holds; nothing is trained before.",
        "Answer on the Data page",
        "data",
        data=record.id,
    )

unit = "image" if record.modality == "image" else "row"
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(
        f"{words.MODALITY_ICONS[record.modality]} **{record.name}** :gray[· "
        f"{words.count(int(data.is_training.sum()), f'training {unit}')}]",
        width="content",
    )
    go_button("Change", "data", type="tertiary", icon=":material/edit:")

card = chosen_method(record.modality)
st.subheader("Training", anchor=False)
left, middle, right = st.columns(3, gap="medium")
preset, question = "standard", None
if card.kind == "pretext":
    preset = left.segmented_control(
        "Preset",
        list(PRESETS),
        default="quick",
        format_func=PRESETS.get,
        key="preset",
        required=True,
        persist_state="session",
    )
else:
    if "question" in card.settings["pretext"].get("properties", {}):
        question = left.selectbox(
            "Anomalies to find",
            list(words.QUESTIONS),
            format_func=words.QUESTIONS.get,
            key="question",
            help=words.QUESTION,
        )
    else:
        left.caption(f"Preset  \n{words.NO_PRESET}")
known = middle.selectbox(
    "Anomalies in the training rows", list(ROWS), format_func=ROWS.get, key="training-rows", help=words.TRAINING_ROWS
)
device = right.selectbox(
    "Device", jobs.devices(), format_func=lambda d: f"auto ({jobs.slot('auto')})" if d == "auto" else d, key="device"
)
recommendation_panel(record.id, known, device, method_key(record.modality))
with st.expander("More settings", icon=":material/tune:"):
    one, two = st.columns(2)
    name = one.text_input("Name of the run", value=f"{record.name} · {card.title}", key=f"name-{record.id}-{card.name}")
    seed = two.number_input(
        "Seed", 0, 2**31 - 1, 0, key="seed", help="The same seed gives the same detector on the same kind of device."
    )
    scorer, settings = method_settings(card, record.modality)
    if question not in (None, "unsure"):
        settings["pretext"] = {**settings.get("pretext", {}), "question": question}
config = {
    "pretext": card.name,
    "scorer": scorer,
    "preset": preset,
    "seed": int(seed),
    "device": device,
    "training_rows": known,
    "settings": settings,
}
effort = (preset or "quick") if card.kind == "pretext" else card.kind
with st.bottom, st.container(horizontal=True, wrap=False, vertical_alignment="center"):
    st.caption(f":material/schedule: {words.estimate(len(data), record.modality, effort)}", width="stretch")
    st.button("Train", type="primary", icon=":material/play_arrow:", on_click=start, args=(config, name or record.name))
