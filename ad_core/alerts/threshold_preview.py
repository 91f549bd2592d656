"""What changes when the threshold moves: how many rows become alerts, which ones, and the curve in between."""

from typing import Any

import numpy as np

from ad_core.alerts.threshold import FROM_HERE_UP, SHARES, Alerts, CriticalValues, Rule

DRAWN = 200
"""Maximum number of points of a curve."""

DECADES = 1e3
"""A curve of shares begins at the chosen value divided by this, or higher."""

LARGEST_SHARE = 0.5
"""A curve of shares ends here: beyond it most rows are alerts."""


def moved(before: Alerts, after: Alerts, values: CriticalValues) -> str:
    """One sentence on what another rule changes, such as "Moving from 43 to 60 alerts adds rows with p between 0.004
    and 0.009."; empty where the rule is the same.

    Args:
        before: the alerts of the saved rule.
        after: those of the rule that is looked at, on the same rows.
        values: of the rows, for any rule.
    """
    if before.rule == after.rule:
        return ""
    added, gone = after.of_rows & ~before.of_rows, before.of_rows & ~after.of_rows
    if not added.any() and not gone.any():
        return f"Moving from “{before.rule.in_words()}” to “{after.rule.in_words()}” leaves the alerts as they are."
    parts = [f"{verb} {_described(which, values)}" for verb, which in (("adds", added), ("drops", gone)) if which.any()]
    return f"Moving from {before.count:,} to {after.count:,} alerts {' and '.join(parts)}."


def curve(rule: Rule, critical: CriticalValues) -> tuple[np.ndarray, np.ndarray]:
    """How many rows are alerts at each value of the rule.

    Returns:
        (k,) values, ascending, and (k,) numbers of alerts; k is at most DRAWN, and 0 where no row can be an alert.
    """
    of_rows = np.sort(critical.of_rows[np.isfinite(critical.of_rows)])
    if rule.kind in SHARES:
        of_rows = of_rows.round(12)  # shares are quotients: those that differ by rounding are the same value
    values = np.unique(of_rows)
    if rule.kind == "budget":
        values = values[: max(DRAWN, 4 * int(rule.value))]
    elif rule.kind not in FROM_HERE_UP:
        values = values[(values >= rule.value / DECADES) & (values <= max(LARGEST_SHARE, rule.value))]
    if len(values) > DRAWN:
        values = values[np.unique(_spread(len(values), from_top=rule.kind in FROM_HERE_UP))]
    if rule.kind in FROM_HERE_UP:
        return values, len(of_rows) - np.searchsorted(of_rows, values, side="left")
    return values, np.searchsorted(of_rows, values, side="right")


def _spread(n: int, *, from_top: bool) -> np.ndarray:
    """Positions that are dense where alerts are few, since that is where thresholds are."""
    near = np.geomspace(1, n, DRAWN).astype(np.int64) - 1
    return n - 1 - near[::-1] if from_top else near


def _described(which: np.ndarray, values: CriticalValues) -> str:
    count = int(which.sum())
    rows = f"{count:,} row{'' if count == 1 else 's'} with"
    p: Any = values.rows.p_value[which]
    if np.isfinite(p).all():
        return f"{rows} {_between('p', p)}"
    return f"{rows} {_between('score', values.rows.score[which])}"


def _between(name: str, values: np.ndarray) -> str:
    low, high = f"{values.min():.2g}", f"{values.max():.2g}"
    return f"{name} {low}" if low == high else f"{name} between {low} and {high}"
