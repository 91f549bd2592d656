"""Evaluation of a scored file with labels: curves, realised error rates of the guarantees, and metrics per segment."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ad_core.evaluation.metrics import FEW, evaluate, precision_at
from ad_core.evaluation.precision import wilson

POINTS = 400
"""Maximum number of points of a curve."""

FALSE_ALARM_SHARES, FALSE_ALERT_SHARES = (0.01, 0.05, 0.1), (0.05, 0.1, 0.2)
"""Guarantees in the table: false positive rates (by p-values) and false discovery rates (by Benjamini-Hochberg)."""

FEWEST_OF_SEGMENT = 5
"""Minimum number of labelled anomalies, and of labelled normal rows, for the metrics of a segment."""

MOST_SEGMENTS = 50
"""Maximum number of segments, the most frequent ones."""


class Curves(NamedTuple):
    """Error rates at each threshold, from the highest score down."""

    precision_recall: pd.DataFrame
    """`recall`, `precision`."""
    roc: pd.DataFrame
    """`false_alarms` (false positive rate, share of the normal rows), `recall`."""


def known_rows(labels: npt.ArrayLike, scores: npt.ArrayLike) -> np.ndarray:
    """(n,) bool: rows with a label and a score."""
    return ~np.isnan(np.asarray(labels, np.float64)) & ~np.isnan(np.asarray(scores, np.float64))


def curves(labels: npt.ArrayLike, scores: npt.ArrayLike) -> Curves | None:
    """Precision-recall curve and ROC curve; None unless there are labelled anomalies and labelled normal rows.

    Args:
        labels: (n,) 1 = anomaly, 0 = normal, NaN = unknown.
        scores: (n,) higher = more anomalous, NaN = not scored.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    known = known_rows(labels, scores)
    y, s = np.asarray(labels, np.float64)[known] > 0, np.asarray(scores, np.float64)[known]
    if y.all() or not y.any():
        return None
    level = np.unique(s, return_inverse=True)[1]  # infinite scores are ranked too
    precision, recall, _ = precision_recall_curve(y, level)
    false_positive_rate, true_positive_rate, _ = roc_curve(y, level)
    return Curves(
        _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]})),
        _thinned(pd.DataFrame({"false_alarms": false_positive_rate, "recall": true_positive_rate})),
    )


def precision_table(
    labels: npt.ArrayLike, scores: npt.ArrayLike, ks: Sequence[int] = (10, 20, 50, 100)
) -> pd.DataFrame:
    """`k`, `precision` of the k highest scores, `low`, `high` (95 %, Wilson 1927); no k above the number of rows."""
    known = known_rows(labels, scores)
    y, s = np.asarray(labels, np.float64)[known] > 0, np.asarray(scores, np.float64)[known]
    lines = []
    for k in ks:
        if k <= len(s):
            share = precision_at(y, s, k)
            lines.append({"k": k, "precision": share, **_interval(round(share * k), k)})
    return pd.DataFrame(lines, columns=["k", "precision", "low", "high"])


def guarantees_table(labels: npt.ArrayLike, p_values: npt.ArrayLike) -> pd.DataFrame:
    """Guaranteed and realised error rates among the labelled rows.

    Alerts are found in the whole file, since a false discovery rate depends on all rows.

    Args:
        labels: (n,) 1 = anomaly, 0 = normal, NaN = unknown.
        p_values: (n,) of all rows that are neither training nor calibration rows; NaN = none.

    Returns:
        One line per guarantee: `guarantee` ("false positive rate" of normal rows at p <= share, or "false discovery
        rate" of the alerts by Benjamini & Hochberg 1995), `guaranteed`, `alerts` (with a label),
        `realised` with `low` and `high`, `recall`, `held` (False only if the whole interval is above `guaranteed`; NaN
        where nothing tests the guarantee: there is no normal row, or no alert for a false discovery rate). Empty
        without p-values.
    """
    from scipy.stats import false_discovery_control  # takes a while to load

    y, p = np.asarray(labels, np.float64), np.asarray(p_values, np.float64)
    known = known_rows(y, p)
    if not known.any():
        return pd.DataFrame()
    ranked = np.isfinite(p)
    adjusted = np.full(len(p), np.nan)
    adjusted[ranked] = false_discovery_control(p[ranked])
    anomalous, p, adjusted = y[known] > 0, p[known], adjusted[known]
    lines = []
    for share in FALSE_ALARM_SHARES:
        alert = p <= share * (1 + 1e-9)
        lines.append(_kept("false positive rate", share, alert, anomalous, of=~anomalous))
    for share in FALSE_ALERT_SHARES:
        alert = adjusted <= share
        lines.append(_kept("false discovery rate", share, alert, anomalous, of=alert))
    return pd.DataFrame(lines)


def by_segment(labels: npt.ArrayLike, scores: npt.ArrayLike, segment: pd.Series) -> pd.DataFrame:
    """The metrics of `metrics.evaluate` for each value of a column, the most frequent first.

    Returns:
        `segment`, `n`, `positives`, `auroc` and `average_precision` with `_low` and `_high`; NaN if a segment has fewer
        than FEWEST_OF_SEGMENT labelled anomalies or labelled normal rows.
    """
    known = known_rows(labels, scores)
    y, s = np.asarray(labels, np.float64)[known], np.asarray(scores, np.float64)[known]
    names = segment.to_numpy()[known]
    lines = []
    for name in pd.Series(names).value_counts(dropna=False).head(MOST_SEGMENTS).index:
        inside = pd.isna(names) if pd.isna(name) else names == name
        positives, n = int((y[inside] > 0).sum()), int(inside.sum())
        enough = min(positives, n - positives) >= FEWEST_OF_SEGMENT
        found = evaluate(y[inside], s[inside], resamples=200) if enough else {}
        figures = {
            f"{m}{end}": found.get(f"{m}{end}") for m in ("auroc", "average_precision") for end in ("", "_low", "_high")
        }
        lines.append(
            {"segment": "(missing)" if pd.isna(name) else str(name), "n": n, "positives": positives, **figures}
        )
    return pd.DataFrame(lines)


def more_labels_in_words(found: dict[str, Any]) -> str:
    """Number of additional labels that would halve the interval of the average precision; "" if it is unknown.

    The width of the interval falls with the square root of the number of labelled anomalies, so half the width needs
    four times as many.
    """
    low, high, positives = (found.get(k) for k in ("average_precision_low", "average_precision_high", "positives"))
    if low is None or high is None or not positives:
        return ""
    caution = f" With fewer than {FEW}, even the interval is a guess." if positives < FEW else ""
    return (
        f"The 95 % interval of the average precision is {high - low:.2g} wide. About {3 * positives:,} more labelled "
        f"anomalies would halve that.{caution}"
    )


def _kept(
    guarantee: str, guaranteed: float, alert: np.ndarray, anomalous: np.ndarray, *, of: np.ndarray
) -> dict[str, Any]:
    """One line of `guarantees_table`; the guaranteed rate is a share of the rows in `of`."""
    false, n = int((alert & ~anomalous).sum()), int(of.sum())
    interval = _interval(false, n)
    return {
        "guarantee": guarantee,
        "guaranteed": guaranteed,
        "alerts": int(alert.sum()),
        "realised": false / n if n else float("nan"),
        **interval,
        "recall": float(alert[anomalous].mean()) if anomalous.any() else float("nan"),
        "held": not interval["low"] > guaranteed if n else float("nan"),
    }


def _interval(hits: int, n: int) -> dict[str, float]:
    low, high = wilson(hits, n) if n else (float("nan"), float("nan"))
    return {"low": low, "high": high}


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """At most POINTS points, evenly spaced along the curve, so that corners and ends are kept."""
    if len(curve) <= POINTS:
        return curve.reset_index(drop=True)
    along = np.r_[0, np.cumsum(curve.diff().abs().sum(axis=1).to_numpy()[1:])]
    chosen = np.searchsorted(along, np.linspace(0, along[-1], POINTS))
    return curve.iloc[np.unique(np.clip(chosen, 0, len(curve) - 1))].reset_index(drop=True)
