"""Whether a few calibration rows keep scored rows from being alerts: a reason to look at these few, and no proof.

The rank of a normal row among the calibration rows is uniform, so about (k + 1) / (n + 1) of the scored rows lie beyond
all but k of n calibration rows. If far more do, these are anomalies, or normal rows have changed. If the k calibration
rows are anomalies too, they make the p-values of the others large, so that those are no alerts.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.guarantee import fewest_alerts
from ad_core.alerts.threshold import BY_P, USED_FOR, Rule, apply

TRIED = (1, 2, 3, 5, 8, 12, 20, 30, 50)
"""Numbers of highest calibration rows that are left out for a trial, one after the other."""
LARGEST_SHARE = 0.1
"""Maximum share of the calibration rows that is left out."""
NEW_ALERTS = 3
"""Minimum number of alerts that must be gained."""
SIGMAS = 3.0
"""More non-alert rows than expected: threshold in standard deviations (√expected)."""


@dataclass(frozen=True)
class CalibrationDoubt:
    """A few calibration rows that decide whether many rows are alerts."""

    highest: int
    calibration_rows: int
    beyond: int
    """Scored rows beyond all other calibration rows."""
    by_chance: float
    """How many of them are expected by chance."""
    scored: int
    alerts_now: int
    alerts_without: int
    unit: str

    def in_words(self) -> str:
        """The finding in two sentences."""
        few = f"the {self.highest} highest" if self.highest > 1 else "the highest"
        return (
            f"{self.beyond:,} of {self.scored:,} scored rows lie beyond all but {few} of "
            f"{self.calibration_rows:,} calibration {self.unit}; chance would bring about {self.by_chance:.2g}. If "
            f"{'those are anomalies' if self.highest > 1 else 'that one is an anomaly'}, leaving them out changes the "
            f"alerts from {self.alerts_now:,} to {self.alerts_without:,}."
        )


@dataclass(frozen=True)
class HeldBack:
    """A rule for the false discovery rate that finds nothing, and how few calibration rows decide that.

    Unlike `CalibrationDoubt` it is no sign that these are anomalies: so many rows can lie beyond them by chance.
    """

    needed: int
    """Fewest alerts that the rule allows, and the largest p-value that they may have."""
    largest_p: float
    p: float
    """The p-value of the row with this rank."""
    highest: int
    beyond: int
    by_chance: float
    scored: int
    alerts_without: int
    unit: str

    def in_words(self) -> str:
        """Why there is no alert, and what would change it."""
        many = f"{self.needed:,} alerts need" if self.needed > 1 else "One alert needs"
        few = f"the {self.highest} highest calibration {self.unit}" if self.highest > 1 else "the highest one"
        them = "they are anomalies" if self.highest > 1 else "that is an anomaly"
        return (
            f"No row is an alert. {many} p ≤ {self.largest_p:.2g}, and the {_ordinal(self.needed)} smallest p is "
            f"{self.p:.2g}. {self.beyond:,} of {self.scored:,} scored rows lie beyond all but {few}, where chance "
            f"would bring about {self.by_chance:.2g}. That alone is no sign; but if {them}, leaving them out brings "
            f"{self.alerts_without:,} alerts. A look at them decides."
        )


def held_back(rule: Rule, rows: pd.DataFrame, calibration: Calibration) -> HeldBack | None:
    """Why a rule for the false discovery rate finds nothing, and the smallest number of highest calibration rows
    without which it would find something; None where it finds something, or where more are to blame.

    Args:
        rule, rows, calibration: as for `check_calibration`.
    """
    if rule.kind not in ("fdr", "fdr_dependent") or rule.segment is not None or not calibration.n:
        return None
    found, scores = apply(rule, rows, calibration), _judged(rows)
    if found.count or not np.isfinite(calibration.smallest_p):
        return None
    counted = calibration.scores[calibration.counts]
    needed = max(1, min(fewest_alerts(rule, len(scores), calibration.smallest_p), len(scores)))
    p = np.sort(calibration.p_value(scores))
    for k in TRIED:
        if k > LARGEST_SHARE * len(counted):
            break
        rest = Calibration(counted[:-k], np.ones(len(counted) - k, dtype=bool), calibration.approximate)
        without = apply(rule, rows.assign(p_value=rest.p_value(rows["score"])), rest).count
        if without >= NEW_ALERTS:
            beyond = int((scores >= rest.scores[-1]).sum())
            by_chance = (k + 1) / (len(counted) + 1) * len(scores)
            largest_p, unit = calibration.smallest_p, "blocks" if calibration.approximate else "rows"
            numbers = (k, beyond, by_chance, len(scores), without)
            return HeldBack(needed, largest_p, float(p[needed - 1]), *numbers, unit)
    return None


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def check_calibration(rule: Rule, rows: pd.DataFrame, calibration: Calibration) -> CalibrationDoubt | None:
    """Find the smallest number of highest calibration rows that keep many rows from being alerts.

    Args:
        rule: the rule in force; those with a segment are not checked.
        rows: as `threshold.apply` takes them. Training rows don't count where there are new rows.
        calibration: that their p-values come from.

    Returns:
        None where there are no such calibration rows, or the rule needs no p-values.
    """
    if rule.kind not in BY_P or rule.segment is not None or not calibration.n:
        return None
    now = apply(rule, rows, calibration).count
    counted = calibration.scores[calibration.counts]
    scores = _judged(rows)
    for k in TRIED:
        if k > LARGEST_SHARE * len(counted):
            break
        rest = Calibration(counted[:-k], np.ones(len(counted) - k, dtype=bool), calibration.approximate)
        beyond, by_chance = int((scores >= rest.scores[-1]).sum()), (k + 1) / (len(counted) + 1) * len(scores)
        if beyond - now <= by_chance + SIGMAS * by_chance**0.5:
            continue
        without = apply(rule, rows.assign(p_value=rest.p_value(rows["score"])), rest).count
        if without >= now + NEW_ALERTS:
            unit = "blocks" if calibration.approximate else "rows"
            return CalibrationDoubt(k, len(counted), beyond, by_chance, len(scores), now, without, unit)
    return None


def _judged(rows: pd.DataFrame) -> np.ndarray:
    """(k,) scores of the new rows, or of all where all are training rows."""
    known = rows.loc[rows["score"].notna()]
    new = known.loc[~known["used_for"].isin(USED_FOR)] if "used_for" in known else known
    if "withdrawn" in new and (new["withdrawn"] == "").any():
        new = new.loc[new["withdrawn"] == ""]
    return np.asarray((new if len(new) else known)["score"], dtype=np.float64)
