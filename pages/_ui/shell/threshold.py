"""Which rows are alerts: the rule that somebody is looking at, else the one saved for the run, else a sensible one.

All pages ask here. What is looked at on the Alerts page is remembered for the other pages while this tab stays open.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from ad_core.alerts.calibration_check import CalibrationDoubt, check_calibration
from ad_core.alerts.threshold import Alerts, Levels, Rule, alerts, default_rule, levels
from ad_core.alerts.threshold_preview import curve
from ad_core.storage import saved_thresholds
from pages._ui.shell.stored import calibration, calibration_rows, ranked, scores_stamp, store, summary


@dataclass(frozen=True)
class Threshold:
    """Where alerts begin, for one run."""

    found: Alerts
    row_ids: pd.Series
    """(rows,) of all rows, parallel to `found.of_rows`."""
    smallest_p: float | None

    @property
    def rule(self) -> Rule:
        """What says where they begin."""
        return self.found.rule

    @property
    def score(self) -> float:
        """The lowest score of an alert; infinite when there is none."""
        return self.found.score

    @property
    def alerts(self) -> int:
        """How many there are."""
        return self.found.count

    def of(self, rows: pd.DataFrame) -> np.ndarray:
        """(rows,) bool, for any rows of the run that have a `row_id`."""
        if len(rows) == len(self.row_ids) and rows["row_id"].equals(self.row_ids):
            return self.found.of_rows
        return rows["row_id"].isin(self.row_ids[self.found.of_rows]).to_numpy()


def saved_rule(run_id: str) -> Rule:
    """The threshold saved for a run's detector; until somebody saves one, what suits its calibration."""
    return saved_thresholds.current(store(), run_id) or default_rule(_smallest_p(run_id))


def current_rule(run_id: str) -> Rule:
    """What this tab looks at, else the saved one."""
    looked_at = st.session_state.get("_rules", {}).get(run_id)
    return Rule.model_validate(looked_at) if looked_at else saved_rule(run_id)


def look_at(run_id: str, rule: Rule) -> None:
    """Remember what other pages shall show; the saved rule needs no remembering."""
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


def seen_by(run_id: str, rule: Rule) -> Levels:
    """What rules of this kind see in a run; kept while its files do not change."""
    return _levels(run_id, rule.kind, rule.segment, scores_stamp(run_id))


def alerts_by_value(run_id: str, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """How many alerts each value of the rule would bring; see `threshold_change.curve`."""
    return curve(rule, seen_by(run_id, rule))


def doubted(run_id: str, rule: Rule) -> CalibrationDoubt | None:
    """Whether a few calibration rows keep many rows from being alerts."""
    return _doubt(run_id, rule.model_dump_json(), scores_stamp(run_id))


def _smallest_p(run_id: str) -> float | None:
    return (summary(run_id).get("calibration") or {}).get("smallest_p")


@st.cache_resource(show_spinner=False, max_entries=24)
def _levels(run_id: str, kind: str, segment: str | None, stamp: str) -> Levels:  # noqa: ARG001
    any_value = {"budget": 1.0, "percentile": 99.0, "score": 0.0}.get(kind, 0.5)  # levels don't depend on it
    rule = Rule.model_validate({"kind": kind, "value": any_value, "segment": segment})
    return levels(rule, ranked(run_id), calibration(run_id), calibration_rows(run_id) if segment else None)


@st.cache_resource(show_spinner=False, max_entries=24)
def _threshold(run_id: str, rule: str, stamp: str) -> Threshold:  # noqa: ARG001
    chosen = Rule.model_validate_json(rule)
    found = alerts(chosen, seen_by(run_id, chosen))
    return Threshold(found, ranked(run_id)["row_id"], _smallest_p(run_id))


@st.cache_resource(show_spinner=False, max_entries=24)
def _doubt(run_id: str, rule: str, stamp: str) -> CalibrationDoubt | None:  # noqa: ARG001
    return check_calibration(Rule.model_validate_json(rule), ranked(run_id), calibration(run_id))
