"""Where alerts begin: a rule, and what it does to a table of scores.

Each kind of rule gives every row a *level*: the value at which the row just becomes an alert. Levels don't depend on
the rule's value, so they are computed once, and moving the value is one comparison.

Conformal p-values that share one calibration depend on each other positively, so the procedure of Benjamini and
Hochberg keeps its guarantee with them (Bates et al. 2023, arXiv:2104.08279, theorem 2). The guarantee is on normal rows
that are exchangeable with the calibration rows. Training Rows the model or calibrate it are not: they don't count in
the procedure where there are others, and are alerts at the same p-value, outside the guarantee.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.extreme_values import PeaksOverThreshold
from ad_core.alerts.guarantee import Findings, guarantee
from ad_core.alerts.rule import BY_P, FROM_HERE_UP, SHARES, USED_FOR, Rule, RuleKind, default_rule
from ad_core.errors import DataError

__all__ = [
    "BY_P",
    "FROM_HERE_UP",
    "SHARES",
    "USED_FOR",
    "Alerts",
    "Levels",
    "Rule",
    "RuleKind",
    "alerts",
    "apply",
    "default_rule",
    "levels",
]

SAME = 1e-9
"""Relative difference below which two values are equal: p-values and shares are rounded quotients."""


@dataclass(frozen=True)
class Alerts:
    """What a rule does to a batch of rows."""

    rule: Rule
    of_rows: np.ndarray
    """(rows,) bool."""
    score: float
    """The lowest score of an alert; infinite when there is none."""
    count: int
    expected_false: float | None
    """How many of them are expected to be false at most; None where nothing says so."""
    guaranteed: bool
    """Whether that number is a guarantee, under the conditions that the sentence names."""
    sentence: str
    """What is guaranteed, or why nothing is."""


@dataclass(frozen=True)
class Levels:
    """What a kind of rule sees in a batch of rows."""

    of_rows: np.ndarray
    """(rows,) level; NaN = never an alert."""
    score: np.ndarray
    p: np.ndarray
    """(rows,) p-values, in each segment by its own calibration rows; NaN where there are none."""
    fresh: np.ndarray
    """(rows,) bool: has a score, and neither taught the model nor calibrates it."""
    lacks: str
    """Why there are no levels at all, as a sentence; else empty."""
    n: int
    smallest_p: float
    approximate: bool
    group: np.ndarray
    """(rows,) int: the segment and the day that each row belongs to."""
    a_day: bool


def apply(
    rule: Rule, rows: pd.DataFrame, calibration: Calibration, calibration_rows: pd.DataFrame | None = None
) -> Alerts:
    """The alerts of a rule; see `levels` for the arguments."""
    return alerts(rule, levels(rule, rows, calibration, calibration_rows))


def levels(
    rule: Rule, rows: pd.DataFrame, calibration: Calibration, calibration_rows: pd.DataFrame | None = None
) -> Levels:
    """What the rule compares its value with; the value itself is not looked at.

    Args:
        rows: `row_id`, `score`, `p_value`, `percentile`; optionally `time`, `used_for`, and the rule's segment.
        calibration: that the p-values and percentiles come from.
        calibration_rows: its rows, `score`, the segment, and `block` in recordings; needed for a rule with a segment.

    Raises:
        DataError: the segment is not a column of the rows, or it is not known of the calibration rows.
    """
    score = rows["score"].to_numpy(dtype=np.float64)
    p, percentile = (rows[name].to_numpy(dtype=np.float64).copy() for name in ("p_value", "percentile"))
    fresh = np.isfinite(score)
    if "used_for" in rows:
        fresh &= ~rows["used_for"].isin(USED_FOR).to_numpy()
    day = _days(rows)
    found, group, reasons = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=np.int64), []
    parts = _segments(rule.segment, rows, calibration, calibration_rows)
    for number, (at, own) in enumerate(parts):
        group[at] = number
        if rule.segment is not None:
            p[at], percentile[at] = _ranked(own, score[at])
        found[at], why = _levels(rule.kind, score[at], p[at], percentile[at], fresh[at], own, day[at])
        reasons.append(why)
    smallest = [own.smallest_p for _, own in parts if own is not None and own.n]
    return Levels(
        of_rows=found,
        score=score,
        p=p,
        fresh=fresh,
        lacks=("No row has a score, so there is nothing to alert on." if not np.isfinite(score).any() else "")
        or (reasons[0] if all(reasons) else ""),
        n=calibration.n,
        smallest_p=max(smallest) if smallest else float("nan"),
        approximate=calibration.approximate,
        group=group * (day.max(initial=0) + 1) + day,
        a_day=bool(day.any()),
    )


def alerts(rule: Rule, seen: Levels) -> Alerts:
    """Compare each row's level with the rule's value."""
    slack = SAME * abs(rule.value)
    with np.errstate(invalid="ignore"):
        reached = (
            seen.of_rows >= rule.value - slack if rule.kind in FROM_HERE_UP else seen.of_rows <= rule.value + slack
        )
    covered = reached & seen.fresh
    findings = Findings(
        scored=int(np.isfinite(seen.score).sum()),
        fresh=int(seen.fresh.sum()),
        alerts=int(reached.sum()),
        covered=int(covered.sum()),
        expected=_expected(rule, seen, reached),
        lacks=seen.lacks,
        n=seen.n,
        smallest_p=seen.smallest_p,
        approximate=seen.approximate,
        a_day=seen.a_day,
        tied=rule.kind == "budget" and int(reached.sum()) < _room(seen, rule.value),
        apart=rule.segment is not None,
    )
    guaranteed, sentence = guarantee(rule.kind, rule.value, rule.segment, findings)
    lowest = float(seen.score[reached].min()) if reached.any() else float("inf")
    return Alerts(rule, reached, lowest, findings.alerts, findings.expected, guaranteed, sentence)


def _room(seen: Levels, budget: float) -> int:
    """How many alerts a budget allows in all groups together."""
    return int(np.minimum(np.bincount(seen.group[np.isfinite(seen.score)]), budget).sum())


def _expected(rule: Rule, seen: Levels, reached: np.ndarray) -> float | None:
    """How many false alerts to expect at most; see `Alerts`."""
    known = np.isfinite(seen.p)
    if seen.lacks or not seen.n or not known.any():
        return None
    fresh = int((known & seen.fresh).sum())
    if rule.kind == "p":
        return rule.value * (fresh or int(known.sum())) if reached.any() else 0.0
    if not fresh:
        return None
    if rule.kind in BY_P:
        return rule.value * int((reached & seen.fresh).sum())
    largest = seen.p[reached & known]
    return float(largest.max() * fresh) if len(largest) else 0.0


def _segments(
    segment: str | None, rows: pd.DataFrame, calibration: Calibration, calibration_rows: pd.DataFrame | None
) -> list[tuple[np.ndarray, Calibration | None]]:
    """Positions of each segment's rows with their own calibration; None where a segment has no calibration rows."""
    if segment is None:
        return [(np.arange(len(rows)), calibration)]
    if segment not in rows:
        raise DataError(f"There is no column {segment!r} in the scores, so there is no threshold for each of them.")
    if calibration_rows is None or segment not in calibration_rows:
        raise DataError(
            f"It is not known which {segment} each calibration row belongs to: the detector is of an older version. "
            f"Train it again, or use one threshold for all."
        )
    own: dict[object, Calibration] = {}
    for value, part in calibration_rows.groupby(segment):
        blocks = part.get("block")
        own[value] = Calibration.fit(part["score"], blocks=blocks)
    groups = rows.reset_index(drop=True).groupby(segment, dropna=False).indices
    return [(np.asarray(at), own.get(value)) for value, at in groups.items()]


def _ranked(own: Calibration | None, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if own is None:
        return np.full(len(score), np.nan), np.full(len(score), np.nan)
    return own.p_value(score), own.percentile(score)


def _levels(
    kind: RuleKind,
    score: np.ndarray,
    p: np.ndarray,
    percentile: np.ndarray,
    fresh: np.ndarray,
    own: Calibration | None,
    day: np.ndarray,
) -> tuple[np.ndarray, str]:
    """(rows,) levels of one segment, and why there are none."""
    nothing = np.full(len(score), np.nan)
    if kind == "score":
        return score, ""
    if kind == "budget":
        # rows of one score stand or fall together, so that chance never chooses
        return pd.Series(score).groupby(day).rank(method="max", ascending=False).to_numpy(), ""
    if own is None or not own.n:
        return nothing, "There are no calibration rows, so nothing says what is usual. Choose a budget or a score."
    if kind == "percentile":
        return percentile, ""
    if kind == "tail":
        try:
            return PeaksOverThreshold.fit(own.scores[own.counts]).rate(score), ""
        except DataError as error:
            return nothing, f"{error} Choose another rule."
    if not np.isfinite(p).any():
        why = f"{own.n} blocks of calibration rows are too few for them" if own.approximate else "no row has one"
        return (
            nothing,
            f"There are no p-values: {why}. Choose a budget, a percentile or a score; they guarantee nothing.",
        )
    return (p if kind == "p" else _adjusted(p, fresh, "bh" if kind == "fdr" else "by")), ""


def _adjusted(p: np.ndarray, fresh: np.ndarray, method: Literal["bh", "by"]) -> np.ndarray:
    """(rows,) the smallest false share at which a row is an alert: adjusted p-values of the fresh rows; a training row
    gets that of the fresh row with the next larger p-value, as it is an alert when that one is.
    """
    from scipy.stats import false_discovery_control

    known = np.isfinite(p)
    judged = known & fresh if (known & fresh).any() else known
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
