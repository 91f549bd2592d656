"""Which rows are alerts, and which events they make: by the rule that is chosen on the Alerts page, else by the rule in
force.

All pages ask here. The rule that is chosen on the Alerts page is remembered for the other pages while this tab stays
open.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts.calibration_check import CalibrationDoubt, HeldBack, check_calibration, held_back
from ad_core.alerts.threshold import Alerts, CriticalValues, Rule, alerts, critical_values, rule_in_force
from ad_core.alerts.threshold_preview import curve
from ad_core.storage import run_events, saved_thresholds
from pages._ui.shell.stored import (
    calibration,
    calibration_rows,
    events_stamp,
    ranked,
    scores_stamp,
    store,
    summary,
    table,
)


@dataclass(frozen=True)
class Threshold:
    """What a rule does to a run."""

    found: Alerts
    row_ids: pd.Series
    """(rows,) of all rows, parallel to `found.of_rows`."""
    smallest_p: float | None

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.found.rule

    @property
    def score(self) -> float:
        """The lowest score of an alert; infinite when there is none."""
        return self.found.score

    @property
    def alerts(self) -> int:
        """How many rows are alerts."""
        return self.found.count

    def of(self, rows: pd.DataFrame) -> np.ndarray:
        """(rows,) bool, for any rows of the run that have a `row_id`."""
        if len(rows) == len(self.row_ids) and rows["row_id"].equals(self.row_ids):
            return self.found.of_rows
        return rows["row_id"].isin(self.row_ids[self.found.of_rows]).to_numpy()


def saved_rule(run_id: str) -> Rule:
    """The rule in force: the one saved for the run's detector, else the default for its calibration."""
    return rule_in_force(saved_thresholds.current(store(), run_id), _smallest_p(run_id))


def current_rule(run_id: str) -> Rule:
    """The rule that is chosen on the Alerts page of this tab, else the rule in force."""
    looked_at = st.session_state.get("_rules", {}).get(run_id)
    return Rule.model_validate(looked_at) if looked_at else saved_rule(run_id)


def look_at(run_id: str, rule: Rule) -> None:
    """Remember the rule for the other pages, where it is not the rule in force."""
    looked_at = st.session_state.setdefault("_rules", {})
    if rule == saved_rule(run_id):
        looked_at.pop(run_id, None)
    else:
        looked_at[run_id] = rule.model_dump(mode="json")


def threshold_at(run_id: str, rule: Rule | None = None) -> Threshold:
    """What a rule does to a run; by default the current one.

    Raises:
        DataError: the rule has a segment that is not known.
    """
    rule = rule or current_rule(run_id)
    return _threshold(run_id, rule.model_dump_json(), scores_stamp(run_id))


def events_at(run_id: str) -> pd.DataFrame | None:
    """The events that the alerts of the current rule make, highest peak first; None for data that are no recordings.

    Raises:
        DataError: the rule has a segment that is not known.
    """
    rule = current_rule(run_id).model_dump_json()
    table(run_id, "events")  # where it is damaged this says so: the events stay, which channels led is gone
    return _events(run_id, rule, f"{scores_stamp(run_id)}|{events_stamp(run_id)}")


def critical_values_of(run_id: str, rule: Rule) -> CriticalValues:
    """The critical values of a run's rows for rules of this kind; kept while its files do not change."""
    return _critical_values(run_id, rule.kind, rule.segment, scores_stamp(run_id))


def alerts_by_value(run_id: str, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """How many alerts each value of the rule would bring; see `threshold_preview.curve`."""
    return curve(rule, critical_values_of(run_id, rule))


def doubted(run_id: str, rule: Rule) -> CalibrationDoubt | None:
    """Whether a few calibration rows keep many rows from being alerts."""
    return _doubt(run_id, rule.model_dump_json(), scores_stamp(run_id))


def held(run_id: str, rule: Rule) -> HeldBack | None:
    """Why a rule for the false discovery rate finds nothing, and how few calibration rows decide that."""
    return _held(run_id, rule.model_dump_json(), scores_stamp(run_id))


def _smallest_p(run_id: str) -> float | None:
    return (summary(run_id).get("calibration") or {}).get("smallest_p")


@st.cache_resource(show_spinner=False, max_entries=24)
def _critical_values(run_id: str, kind: str, segment: str | None, stamp: str) -> CriticalValues:  # noqa: ARG001
    any_value = {"budget": 1.0, "percentile": 99.0, "score": 0.0}.get(kind, 0.5)  # it is not looked at
    rule = Rule.model_validate({"kind": kind, "value": any_value, "segment": segment})
    return critical_values(rule, ranked(run_id), calibration(run_id), calibration_rows(run_id) if segment else None)


@st.cache_resource(show_spinner=False, max_entries=24)
def _threshold(run_id: str, rule: str, stamp: str) -> Threshold:  # noqa: ARG001
    chosen = Rule.model_validate_json(rule)
    found = alerts(chosen, critical_values_of(run_id, chosen))
    return Threshold(found, ranked(run_id)["row_id"], _smallest_p(run_id))


@st.cache_resource(show_spinner=False, max_entries=12)
def _events(run_id: str, rule: str, stamp: str) -> pd.DataFrame | None:  # noqa: ARG001
    found = threshold_at(run_id, Rule.model_validate_json(rule)).found
    return run_events.events_of(store(), run_id, found, ranked(run_id))


@st.cache_resource(show_spinner=False, max_entries=24)
def _doubt(run_id: str, rule: str, stamp: str) -> CalibrationDoubt | None:  # noqa: ARG001
    return check_calibration(Rule.model_validate_json(rule), ranked(run_id), calibration(run_id))


@st.cache_resource(show_spinner=False, max_entries=24)
def _held(run_id: str, rule: str, stamp: str) -> HeldBack | None:  # noqa: ARG001
    return held_back(Rule.model_validate_json(rule), ranked(run_id), calibration(run_id))
