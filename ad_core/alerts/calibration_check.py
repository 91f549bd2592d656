"""Whether a few calibration rows keep many scored rows from being alerts: a reason to look at these few, and no proof.

In usual data about (k + 1) / (n + 1) of the scored rows lie beyond all but k of n calibration rows, since the rank of a
normal row
 among them is uniform. Far more than that are anomalies, or a change in what is usual; if the k rows are
anomalies too, they hide those.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.threshold import BY_P, USED_FOR, Rule, apply

TRIED = (1, 2, 3, 5, 8, 12, 20, 30, 50)
LARGEST_SHARE = 0.1
"""More of the calibration rows than this are not a few."""
NEW_ALERTS = 3
SIGMAS = 3.0
"""Rows beyond that are no alerts yet are more than chance when they exceed what is expected by so many square roots."""


@dataclass(frozen=True)
class CalibrationDoubt:
    """A few calibration rows on which the alerts hang."""

    highest: int
    calibration_rows: int
    beyond: int
    """Scored rows beyond all other calibration rows."""
    by_chance: float
    """How many of them chance would bring."""
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


def check_calibration(rule: Rule, rows: pd.DataFrame, calibration: Calibration) -> CalibrationDoubt | None:
    """Look for the fewest calibration rows that hide most; None where none do, or the rule needs no p-values.

    Args:
        rule: that says where alerts begin; those with a segment are not looked at.
        rows: as `threshold.apply` takes them. Training Rows don't count where there are others.
        calibration: that their p-values come from.
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
    """(k,) scores of the rows that did not teach, or of all where all did."""
    known = rows.loc[rows["score"].notna()]
    fresh = known.loc[~known["used_for"].isin(USED_FOR)] if "used_for" in known else known
    return np.asarray((fresh if len(fresh) else known)["score"], dtype=np.float64)
