"""The lowest score at which one row is an alert, while the scores of all other rows stay."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.rule import Rule
from ad_core.alerts.threshold import apply
from ad_core.errors import DataError

TOGETHER = ("fdr", "fdr_dependent", "budget")
"""Rules whose decision for one row depends on the other rows in the batch."""

HALVINGS = 40
"""Number of bisection steps between two known scores."""


def alert_boundary(
    rule: Rule,
    rows: pd.DataFrame,
    row_id: str,
    calibration: Calibration,
    calibration_rows: pd.DataFrame | None = None,
) -> float:
    """The lowest score at which this row would be an alert; infinite where no score is one.

    As the score of a row rises, it becomes an alert at one place and stays one, so bisection finds the place.

    Args:
        rows: the score table of the whole batch, as for `threshold.apply`; for rules that decide each row by itself
            the line of this row suffices.
        calibration, calibration_rows: as for `threshold.apply`.

    Raises:
        DataError: the row does not exist, or the rule's segment is not known.
    """
    place = np.flatnonzero((rows["row_id"] == row_id).to_numpy())
    if not len(place):
        raise DataError(f"There is no row {row_id!r} among the scores. Search for it on the Alerts page.")
    at = int(place[0])
    if rule.kind not in TOGETHER:
        rows, at = rows.iloc[[at]], 0

    def is_alert(score: float) -> bool:
        changed = rows.copy()
        for name, value in (
            ("score", score),
            ("p_value", float(calibration.p_value(score))),
            ("percentile", float(calibration.percentile(score))),
        ):
            changed.iloc[at, changed.columns.get_loc(name)] = value
        return bool(apply(rule, changed, calibration, calibration_rows).of_rows[at])

    known = [rows["score"].to_numpy(dtype=np.float64), calibration.scores]
    if calibration_rows is not None:
        known.append(calibration_rows["score"].to_numpy(dtype=np.float64))
    values = np.unique(np.concatenate([*known, [rule.value] if rule.kind == "score" else []]))
    return _first(is_alert, values[np.isfinite(values)], exact=rule.kind in TOGETHER)


def _first(is_alert: Callable[[float], bool], values: np.ndarray, exact: bool) -> float:
    """The lowest score of an alert, which lies above one of these ascending values and at most at the next one."""
    width = float(values[-1] - values[0]) or 1.0
    values = np.concatenate([[values[0] - width], values, [values[-1] + 1e3 * width]])
    if not is_alert(values[-1]):
        return float("inf")
    low, high = -1, len(values) - 1  # an alert at `high`, none at `low`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_alert(values[middle]) else (middle, high)
    if low < 0:
        return float("-inf")
    none, some = float(values[low]), float(values[high])
    for _ in range(0 if exact else HALVINGS):
        half = (none + some) / 2
        none, some = (none, half) if is_alert(half) else (half, some)
    return some
