"""Which rows are alerts: what a rule does to a table of scores.

Each kind of rule gives every row a *critical value*: the value of the rule at which the row just becomes an alert.
Critical values don't depend on the rule's own value, so they are computed once, and moving the value is one comparison.

Conformal p-values that share one calibration depend on each other positively, so the procedure of Benjamini and
Hochberg keeps its guarantee with them (Bates et al. 2023, arXiv:2104.08279, theorem 2). The guarantee is on normal rows
that are exchangeable with the calibration rows. Training rows, including those that calibrate, are not: where there are
new rows, training rows don't count in the procedure; they are alerts at the same p-value, outside the guarantee.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from ad_core.alerts import guarantee_words
from ad_core.alerts.calibration import Calibration
from ad_core.alerts.extreme_values import PeaksOverThreshold
from ad_core.alerts.guarantee import (
    SAME,
    CalibrationSize,
    DriftNotChecked,
    Guarantee,
    NoCalibrationRows,
    NoPValues,
    NoScores,
    NoTail,
    NotApplicable,
    Note,
    PooledSegments,
    RowCounts,
    RowsWithdrawn,
    TiesExceedBudget,
    TooFewBlocks,
    guarantee,
)
from ad_core.alerts.rule import BY_P, FROM_HERE_UP, SHARES, USED_FOR, Rule, RuleKind, rule_in_force
from ad_core.alerts.segments import Segment, in_segments, unreachable
from ad_core.errors import DataError

__all__ = [
    "BY_P",
    "FROM_HERE_UP",
    "SHARES",
    "USED_FOR",
    "Alerts",
    "CriticalValues",
    "Rule",
    "RuleKind",
    "alerts",
    "apply",
    "apply_or_without_segment",
    "critical_values",
    "rule_in_force",
]


@dataclass(frozen=True)
class Alerts:
    """What a rule does to a batch of rows."""

    rule: Rule
    of_rows: np.ndarray
    """(rows,) bool."""
    score: float
    """The lowest score of an alert; infinite when there is none."""
    guarantee: Guarantee

    @property
    def count(self) -> int:
        """How many rows are alerts."""
        return self.guarantee.rows.alerts

    @property
    def sentence(self) -> str:
        """What is guaranteed, or why nothing is."""
        return guarantee_words.sentences(self.guarantee)

    def without_drift_check(self) -> "Alerts":
        """The same, where nothing is known of the training rows; it narrows a guarantee that holds."""
        if not self.guarantee.holds:
            return self
        reasons = (*self.guarantee.reasons, DriftNotChecked())
        return replace(self, guarantee=replace(self.guarantee, reasons=reasons))


@dataclass(frozen=True)
class BatchRows:
    """What rules look at in a batch of rows."""

    score: np.ndarray
    p_value: np.ndarray
    """(rows,) in each segment by its own calibration rows; NaN where there are none."""
    is_new: np.ndarray
    """(rows,) bool: has a score, is no training row and not withdrawn by the drift check."""
    group: np.ndarray
    """(rows,) int: the segment and the day that each row belongs to; a budget holds in each."""
    on_several_days: bool
    withdrawn: pd.Series | None = None
    """(rows,) str: why the drift check withdraws this row, else ""; None = nothing is withdrawn."""


@dataclass(frozen=True)
class CriticalValues:
    """For each row the value of a rule at which it just becomes an alert."""

    of_rows: np.ndarray
    """(rows,) NaN = never an alert."""
    rows: BatchRows
    calibration: CalibrationSize
    not_applicable: NotApplicable | None
    """Why no row has one; None where some have."""
    pooled: PooledSegments | None = None
    """Segments that have no threshold of their own."""
    segments: tuple[Segment, ...] = ()
    """Those of a rule with a segment."""


def apply(
    rule: Rule, rows: pd.DataFrame, calibration: Calibration, calibration_rows: pd.DataFrame | None = None
) -> Alerts:
    """The alerts of a rule; see `critical_values` for the arguments."""
    return alerts(rule, critical_values(rule, rows, calibration, calibration_rows))


def apply_or_without_segment(
    rule: Rule, rows: pd.DataFrame, calibration: Calibration, calibration_rows: pd.DataFrame | None = None
) -> tuple[Alerts, str]:
    """As `apply`; where the rule's segment is not known of these rows, with one threshold for all of them.

    Returns:
        The alerts, and why the segment is not used; empty where it is, or the rule has none.
    """
    try:
        return apply(rule, rows, calibration, calibration_rows), ""
    except DataError as error:
        return apply(rule.model_copy(update={"segment": None}), rows, calibration), str(error)


def critical_values(
    rule: Rule, rows: pd.DataFrame, calibration: Calibration, calibration_rows: pd.DataFrame | None = None
) -> CriticalValues:
    """What a rule compares its value with; only its kind and segment are looked at.

    Args:
        rows: `row_id`, `score`, `p_value`, `percentile`; optionally `time`, `used_for`, the rule's segment, and
            `withdrawn`: why the drift check withdraws the guarantee for a row, else "".
        calibration: that the p-values and percentiles come from.
        calibration_rows: its rows, `score`, the segment, `block` in recordings, and `left_out` where a review left some
            out; needed for a rule with a segment.

    Raises:
        DataError: neither these rows nor the calibration rows have the segment, or it is not known whether those do.
    """
    score = rows["score"].to_numpy(dtype=np.float64)
    p, percentile = (rows[name].to_numpy(dtype=np.float64).copy() for name in ("p_value", "percentile"))
    is_new = np.isfinite(score)
    if "used_for" in rows:
        is_new &= ~rows["used_for"].isin(USED_FOR).to_numpy()
    withdrawn = rows["withdrawn"].fillna("").where(is_new, "") if "withdrawn" in rows else None
    if withdrawn is not None:
        is_new &= (withdrawn == "").to_numpy()
    day = _days(rows)
    found, group = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=np.int64)
    missing: list[NotApplicable | None] = []
    segments, pooled = in_segments(rule, rows, calibration, calibration_rows)
    for number, (at, own) in enumerate((one.rows, one.calibration) for one in segments):
        group[at] = number
        if rule.segment is not None:
            p[at], percentile[at] = _ranked(own, score[at])
        batch = BatchRows(score[at], p[at], is_new[at], day[at], on_several_days=False)
        found[at], why = _in_segment(rule.kind, batch, percentile[at], own)
        missing.append(why)
    smallest = [one.calibration.smallest_p for one in segments if np.isfinite(one.calibration.smallest_p)]
    return CriticalValues(
        of_rows=found,
        rows=BatchRows(
            score=score,
            p_value=p,
            is_new=is_new,
            group=group * (day.max(initial=0) + 1) + day,
            on_several_days=bool(day.any()),
            withdrawn=withdrawn,
        ),
        calibration=CalibrationSize(
            calibration.n, calibration.approximate, min(smallest, default=float("nan")), calibration.trimmed
        ),
        not_applicable=_no_critical_values(score, missing),
        pooled=pooled,
        segments=tuple(segments) if rule.segment else (),
    )


def _no_critical_values(score: np.ndarray, missing: list[NotApplicable | None]) -> NotApplicable | None:
    """Why no row has a critical value, given why each segment has none; None where some row has one."""
    if not np.isfinite(score).any():
        return NoScores()
    return None if None in missing else missing[0]


def alerts(rule: Rule, values: CriticalValues) -> Alerts:
    """Compare the critical value of each row with the value of the rule."""
    slack, rows = SAME * abs(rule.value), values.rows
    with np.errstate(invalid="ignore"):
        if rule.kind in FROM_HERE_UP:
            of_rows = values.of_rows >= rule.value - slack
        else:
            of_rows = values.of_rows <= rule.value + slack
    counts = RowCounts(
        scored=int(np.isfinite(rows.score).sum()),
        new=int(rows.is_new.sum()),
        alerts=int(of_rows.sum()),
        new_alerts=int((of_rows & rows.is_new).sum()),
        per_day=rows.on_several_days,
        withdrawn=_withdrawn(rows, of_rows),
    )
    notes: list[Note] = [values.pooled] if values.pooled else []
    if rule.kind == "p" and (silent := unreachable(values.segments, rule.value)):
        notes.append(silent)
    if rule.kind == "budget" and counts.alerts < _room(rows, rule.value):
        notes.append(TiesExceedBudget())
    found = guarantee(
        rule,
        counts,
        values.calibration,
        _expected(rule, values, of_rows),
        values.not_applicable,
        notes,
    )
    return Alerts(rule, of_rows, float(rows.score[of_rows].min(initial=float("inf"))), found)


def _withdrawn(rows: BatchRows, of_rows: np.ndarray) -> RowsWithdrawn | None:
    if rows.withdrawn is None or not (gone := (rows.withdrawn != "").to_numpy()).any():
        return None
    why = str(rows.withdrawn[gone].value_counts().index[0])
    return RowsWithdrawn(int(gone.sum()), int((of_rows & gone).sum()), why)


def _room(rows: BatchRows, budget: float) -> int:
    """How many alerts a budget allows in all groups together."""
    return int(np.minimum(np.bincount(rows.group[np.isfinite(rows.score)]), budget).sum())


def _expected(rule: Rule, values: CriticalValues, of_rows: np.ndarray) -> float | None:
    """Maximum number of alerts that are expected to be false; see `Guarantee`."""
    rows = values.rows
    known = np.isfinite(rows.p_value)
    if values.not_applicable is not None or not values.calibration.n or not known.any():
        return None
    new = int((known & rows.is_new).sum())
    if not new and rows.withdrawn is not None and (rows.withdrawn != "").any():
        return None
    if rule.kind == "p":
        return rule.value * (new or int(known.sum())) if of_rows.any() else 0.0
    if not new:
        return None
    if rule.kind in BY_P:
        return rule.value * int((of_rows & rows.is_new).sum())
    return float(rows.p_value[of_rows & known].max(initial=0.0) * new)


def _ranked(own: Calibration, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return own.p_value(score), own.percentile(score)


def _in_segment(
    kind: RuleKind, rows: BatchRows, percentile: np.ndarray, own: Calibration
) -> tuple[np.ndarray, NotApplicable | None]:
    """(rows,) critical values of one segment, whose `group` is the day; and why there are none."""
    nothing = np.full(len(rows.score), np.nan)
    if kind == "score":
        return rows.score, None
    if kind == "budget":
        # rows of one score stand or fall together, so that chance never chooses
        return pd.Series(rows.score).groupby(rows.group).rank(method="max", ascending=False).to_numpy(), None
    if not own.n:
        return nothing, NoCalibrationRows()
    if kind == "percentile":
        return percentile, None
    if kind == "tail":
        try:
            return PeaksOverThreshold.fit(own.scores[own.counts]).rate(rows.score), None
        except DataError as error:
            return nothing, NoTail(str(error))
    if not np.isfinite(rows.p_value).any():
        return nothing, TooFewBlocks(own.n) if own.approximate else NoPValues()
    if kind == "p":
        return rows.p_value, None
    return _adjusted(rows.p_value, rows.is_new, "bh" if kind == "fdr" else "by"), None


def _adjusted(p: np.ndarray, is_new: np.ndarray, method: Literal["bh", "by"]) -> np.ndarray:
    """(rows,) the smallest false discovery rate at which each row is an alert: adjusted p-values of the new rows.

    A training row gets that of the new row with the next larger p-value, since it is an alert when that one is.
    """
    from scipy.stats import false_discovery_control

    known = np.isfinite(p)
    judged = known & is_new if (known & is_new).any() else known
    order = np.flatnonzero(judged)[np.argsort(p[judged], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = false_discovery_control(p[order], method=method)
    rest = np.flatnonzero(known & ~judged)
    place = np.searchsorted(p[order], p[rest] * (1 - SAME), side="left")
    inside = place < len(order)
    adjusted[rest[inside]] = adjusted[order[place[inside]]]
    return adjusted


def _days(rows: pd.DataFrame) -> np.ndarray:
    """(rows,) which day a row belongs to; all the same where rows have no clock times."""
    if "time" not in rows or not pd.api.types.is_datetime64_any_dtype(rows["time"]):
        return np.zeros(len(rows), dtype=np.int64)
    return np.asarray(pd.factorize(rows["time"].dt.floor("D"))[0])
