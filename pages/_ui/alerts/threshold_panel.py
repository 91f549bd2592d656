"""The panel of the Alerts page that chooses the rule for alerts, and says what it guarantees and what it changes."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ad_core.alerts import figures
from ad_core.alerts.threshold import BY_P, SHARES, Rule
from ad_core.alerts.threshold_preview import moved
from ad_core.errors import AdError
from pages._ui.alerts.rule_words import (
    LABELS_BEFORE,
    MORE_RULES,
    MORE_RULES_HELP,
    RULE_AXES,
    RULE_VALUES,
    RULES,
    RULES_HELP,
)
from pages._ui.alerts.threshold_saving import saving
from pages._ui.shell.navigate import go_button
from pages._ui.shell.shell import chart
from pages._ui.shell.stored import calibration_rows, ranked
from pages._ui.shell.threshold import (
    Threshold,
    alerts_by_value,
    critical_values_of,
    doubted,
    look_at,
    saved_rule,
    threshold_at,
)

MORE = "more"
KEYS = {
    "p": "alpha",
    "fdr": "fdr",
    "fdr_dependent": "any_fdr",
    "budget": "budget",
    "percentile": "percentile",
    "score": "cut",
    "tail": "tail",
}
"""Kind of rule -> the query parameter of its value."""
SHARES_OFFERED = {
    "p": (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
    "fdr": (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
    "fdr_dependent": (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5),
    "tail": (0.00001, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01),
}
START = {"p": 0.01, "fdr": 0.1, "fdr_dependent": 0.1, "budget": 20, "percentile": 99.0, "tail": 0.001}


def threshold_panel(run_id: str, kinds: DeltaGenerator) -> Threshold:
    """The rule as widgets bound to the URL, with what it guarantees; returns what it does to the run.

    Args:
        run_id: the run.
        kinds: the container for the kinds of rules side by side.

    Raises:
        DataError: a threshold per recording was chosen, and it is not known which rows belong to which recording.
    """
    saved = _saved_for(run_id)
    _start_with(run_id, saved)
    with kinds:
        kind = _kind(saved)
    rule = _rule(run_id, kind, saved)
    look_at(run_id, rule)
    now, before = threshold_at(run_id, rule), threshold_at(run_id, saved)
    st.markdown(now.found.sentence)
    if change := moved(before.found, now.found, critical_values_of(run_id, rule)):
        st.caption(f":material/compare_arrows: {change}")
    _review_offer(run_id, now)
    saving(run_id, rule, is_saved=rule == saved_rule(run_id))
    return now


def _saved_for(run_id: str) -> Rule:
    """The rule in force, without its segment where this run has none."""
    saved = saved_rule(run_id)
    try:
        threshold_at(run_id, saved)
    except AdError as error:
        st.warning(f"The saved threshold can't be kept here. {error}", icon=":material/warning:")
        return saved.model_copy(update={"segment": None})
    return saved


def _start_with(run_id: str, saved: Rule) -> None:
    """Set the widgets: the first run of a tab starts with the rule of the link, another run with its own rule."""
    for name, labels in LABELS_BEFORE.items():
        if (label := st.query_params.get(name)) in labels:
            st.session_state[name] = labels[label]  # it counts where the link names no rule of today
    if st.session_state.get("_ruled") not in (None, run_id):
        st.session_state["rule"] = _group(saved.kind)
        st.session_state["more_rules"] = saved.kind if saved.kind in MORE_RULES else None
        st.session_state["apart"] = saved.segment is not None
        st.session_state[KEYS[saved.kind]] = _typed(saved)
    st.session_state["_ruled"] = run_id


def threshold_curve(run_id: str, now: Threshold) -> None:
    """A chart of the number of alerts at other values of the rule."""
    saved = saved_rule(run_id)
    values, counts = alerts_by_value(run_id, now.rule)
    if not len(values):
        return
    here = (now.rule.value, now.alerts)
    same_kind = (saved.kind, saved.segment) == (now.rule.kind, now.rule.segment)
    there = (saved.value, threshold_at(run_id, saved).alerts) if same_kind and saved != now.rule else None
    log = now.rule.kind in (*SHARES, "budget") and bool(values[0] > 0)
    chart(
        figures.alerts_curve(values, counts, here, there, RULE_AXES[now.rule.kind], log=log),
        alt=figures.alerts_curve_in_words(values, counts, here),
        key="alerts-curve",
    )


def _kind(saved: Rule) -> str:
    kind = st.segmented_control(
        "Rule for alerts",
        list(RULES),
        default=_group(saved.kind),
        format_func=RULES.get,
        key="rule",
        required=True,
        bind="query-params",
        help=RULES_HELP,
        wrap=True,
    )
    if kind == MORE:
        first = saved.kind if saved.kind in MORE_RULES else next(iter(MORE_RULES))
        kind = st.segmented_control(
            "Further rules",
            list(MORE_RULES),
            default=first,
            format_func=MORE_RULES.get,
            key="more_rules",
            required=True,
            bind="query-params",
            help=MORE_RULES_HELP,
        )
    return kind or saved.kind


def _rule(run_id: str, kind: str, saved: Rule) -> Rule:
    own = saved.value if saved.kind == kind else START.get(kind) or _high_score(run_id)
    value = _share(kind, own) if kind in SHARES else _number(kind, own)
    return Rule.model_validate({"kind": kind, "value": value, "segment": _segment(run_id, kind, saved)})


def _share(kind: str, own: float) -> float:
    offered = sorted({*SHARES_OFFERED[kind], own})
    title, about = RULE_VALUES[kind]
    return st.select_slider(
        title,
        offered,
        value=own,
        key=KEYS[kind],
        bind="query-params",
        format_func=lambda a: f"{100 * a:g} %",
        help=about,
    )


def _number(kind: str, own: float) -> float:
    title, about = RULE_VALUES[kind]
    look = {"key": KEYS[kind], "bind": "query-params", "help": about, "width": 240}
    if kind == "budget":
        return st.number_input(title, min_value=1, value=int(own), step=1, **look)
    if kind == "percentile":
        return st.number_input(title, 1.0, 100.0, value=float(own), step=0.1, format="%.6g", **look)
    return st.number_input(title, value=float(own), step=None, format="%.6g", **look)


def _segment(run_id: str, kind: str, saved: Rule) -> str | None:
    """The column of the recordings, where there are several, it is known which calibration rows belong to which, and a
    threshold for each is chosen.
    """
    rows, known = ranked(run_id), calibration_rows(run_id)
    if (
        kind == "score"
        or "entity" not in rows
        or rows["entity"].nunique() < 2
        or known is None
        or "entity" not in known
    ):
        return None
    apart = st.toggle(
        "One threshold per recording",
        value=saved.segment is not None,
        key="apart",
        bind="query-params",
        help="Each recording is compared with its own calibration rows, and has a budget of its own.",
    )
    return "entity" if apart else None


def _high_score(run_id: str) -> float:
    """The fixed score that is offered first: the score that 1 % of the rows exceed."""
    scores = ranked(run_id)["score"].dropna()
    return float(f"{np.quantile(scores, 0.99):.4g}") if len(scores) else 0.0


def _group(kind: str) -> str:
    return MORE if kind in MORE_RULES else kind


def _typed(rule: Rule) -> float | int:
    """The value as its widget needs it."""
    return int(rule.value) if rule.kind == "budget" else rule.value


def _review_offer(run_id: str, now: Threshold) -> None:
    """For rules that use p-values: a button to the calibration rows, and a warning where few of them decide much."""
    if now.rule.kind not in BY_P:
        return
    found = doubted(run_id, now.rule)
    if found is not None:
        st.warning(found.in_words(), icon=":material/manage_search:")
    go_button(
        "Review the highest calibration rows",
        "calibration",
        icon=":material/rule:",
        type="primary" if found is not None else "tertiary",
        help="Anomalies among the calibration rows make the p-values of similar rows large, so that these are no "
        "alerts. Those that you confirm are left out.",
    )
