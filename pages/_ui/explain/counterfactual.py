"""Counterfactual of a case: the smallest change that makes it normal, searched on demand and kept with the run."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts.rule import Rule
from ad_core.data.dataset import Role
from ad_core.errors import AdError
from ad_core.explain import figures
from ad_core.explain.heat_overlay import outlined
from ad_core.storage.results import Case
from ad_core.storage.store import RunRecord
from ad_core.types import Modality
from pages._ui.shell import words
from pages._ui.shell.shell import chart
from pages._ui.shell.side_job import submit
from pages._ui.shell.small_job import asked_for, follow, show_failure
from pages._ui.shell.stored import batch, editable
from pages._ui.shell.threshold import current_rule

PARTS = {Modality.TABLE: "columns", Modality.SENSOR: "channels", Modality.IMAGE: "regions"}


def counterfactual(run: RunRecord, row_id: str, case: Case, modality: Modality) -> None:
    """The counterfactual where there is one, and the button that searches for it."""
    st.subheader(
        "What would make it normal",
        anchor=False,
        help=f"Counterfactual: the smallest change of at most three {PARTS[modality]} after which this is no alert "
        "and is close to normal rows. It says what the detector uses, not what caused the anomaly.",
    )
    asked, rule = asked_for("counterfactual", run, row_id), current_rule(run.id)
    if asked and asked[0].alive:
        follow(asked[0])
        return
    if asked:
        show_failure(asked[0])
    if case.counterfactual is not None:
        _result(case, case.counterfactual, modality)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        fixed = [] if modality is Modality.IMAGE else _fixed(run, modality)
        found = case.counterfactual is not None
        st.button(
            "Search again" if found else "Search",
            key="find-normal",
            icon=":material/content_paste_search:",
            on_click=_ask,
            args=(run, row_id, fixed, rule),
            help="Takes some seconds to a minute, in its own process. The result is saved with the run.",
        )


def _ask(run: RunRecord, row_id: str, fixed: list[str], rule: Rule) -> None:
    config = {"row_id": row_id, "fixed": fixed, "rule": rule.model_dump(mode="json")}
    submit(run.dataset_id, "counterfactual", config, f"What would make {row_id} normal", run.id)


def _fixed(run: RunRecord, modality: Modality) -> list[str]:
    """Features that must not change, kept in the address of the page."""
    try:
        names = list(editable(run.id)) if modality is Modality.TABLE else batch(run.id).schema.names(Role.FEATURE)
    except AdError:
        return []
    known = st.session_state.get("fixed")
    if known and (there := [name for name in known if name in names]) != known:  # another run's columns
        st.session_state["fixed"] = there
    return st.multiselect(
        f"{PARTS[modality].capitalize()} that must not change",
        names,
        key="fixed",
        bind="query-params",
        placeholder="None",
        width=480,
    )


def _result(case: Case, found: dict[str, Any], modality: Modality) -> None:
    if not found["found"]:
        st.info(words.plain(found["sentence"]), icon=":material/info:")
        _meaning(found, modality)
        return
    text = found["sentence"]
    st.markdown(f"**{words.plain(text[0].upper() + text[1:] if modality is Modality.IMAGE else text)}**")
    for other in found["others"]:
        st.markdown(f"or {words.plain(other['sentence'])}")
    if modality is Modality.IMAGE and isinstance(case.changed, np.ndarray):
        shown = case.changed if case.changed.ndim == 3 else np.repeat(case.changed[..., None], 3, axis=2)
        for box in found["changes"]:
            shown = outlined(shown, (box["y0"], box["x0"], box["y1"], box["x1"]))
        st.image(shown, width=320, caption="The changed image", alt="The image with the framed region painted over")
    if modality is Modality.SENSOR and isinstance(case.changed, pd.DataFrame):
        channels = [change["part"] for change in found["changes"]]
        chart(
            figures.window(case.changed, channels, None, second="changed"),
            key="changed-window",
            alt=f"The window as it is and changed on {', '.join(channels)}",
            caption="Dotted: the changed signal.",
        )
    _meaning(found, modality)


def _meaning(found: dict[str, Any], modality: Modality) -> None:
    """The meaning of normal in this search, and its limits."""
    begin, distance = found.get("begin"), found.get("typical_distance")
    text = f"Normal means: no alert by the rule in force ({found['rule']}"
    text += f"; a score below {words.number(begin)})" if begin is not None else ")"
    if distance is not None:
        text += f", and no further from normal rows than these typically are from each other ({words.number(distance)})"
    if found["fixed"]:
        text += f". Not changed: {', '.join(found['fixed'])}"
    if modality is Modality.SENSOR:
        text += ". The scores are of the window around this time stamp"
    if found["tried"]:
        text += f". {found['tried']:,} changes tried"
    st.caption(words.plain(text.rstrip(".") + "."))
