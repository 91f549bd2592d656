"""Metrics of anomaly scores against labels, with confidence intervals, which are wide for few labels."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ad_core.evaluation.range_metrics import event_recall, rows_per_day, volumes

FEW = 10
"""Minimum number of labelled anomalies for reliable metrics; below it the result has a note."""


def evaluate(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    ks: tuple[int, ...] = (10, 20, 50, 100),
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Area under the ROC curve, average precision and precision among the top k.

    Args:
        labels: (n,) 1 = anomaly, 0 = normal, NaN = unknown; unknown rows are left out.
        scores: (n,) higher = more anomalous; NaN = not scored; such rows are left out and counted.
        ks: values of k; those above the number of rows are left out.
        resamples: number of bootstrap samples for the intervals; fewer for more than 100,000 rows.

    Returns:
        JSON-able: `n`, `positives`, `base_rate` (= average precision of random scores), `not_scored`; `auroc` and
        `average_precision`, each with `_low` and `_high` (95 %); `precision_at` (k as text -> share); `few_positives`;
        `note`, a sentence or "". Metrics that are not defined are None, and `note` gives the reason.
    """
    y, s = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    not_scored = int((~np.isnan(y) & np.isnan(s)).sum())
    known = ~np.isnan(y) & ~np.isnan(s)
    anomalous, s = y[known] > 0, s[known]
    n, positives = len(s), int(anomalous.sum())
    result: dict[str, Any] = {
        "n": n,
        "positives": positives,
        "base_rate": positives / n if n else None,
        "not_scored": not_scored,
        **dict.fromkeys(f"{name}{end}" for name in ("auroc", "average_precision") for end in ("", "_low", "_high")),
        "precision_at": {},
        "few_positives": positives < FEW,
        "note": _note(n, positives, not_scored),
    }
    if 0 < positives < n:
        result.update(_measured(anomalous, s, max(200, min(resamples, 100_000_000 // n)), seed))
        result["precision_at"] = {str(k): precision_at(anomalous, s, k) for k in ks if k <= n}
    return result


def evaluate_recordings(
    labels: npt.ArrayLike, scores: npt.ArrayLike, *, recording: pd.Series | None = None, time: pd.Series | None = None
) -> dict[str, Any]:
    """Metrics for labelled ranges of recordings: computed for each recording, then averaged.

    Args:
        labels: (n,) 1 = anomaly, 0 = normal, NaN = unknown.
        scores: (n,) higher = more anomalous, NaN = not scored. Rows without a label or a score are left out, and their
            neighbours count as adjacent.
        recording: (n,) the recording of each row; None = there is only one.
        time: (n,) dates or seconds by which the rows are sorted; None = they are sorted and have no clock.

    Returns:
        JSON-able: `vus_pr`, `vus_roc`, `event_recall` (at one false alarm a day), None if no recording has both
        anomalous and normal rows; `events` and `recordings`, the numbers over which they are averaged.
    """
    known = pd.DataFrame({"label": np.asarray(labels, np.float64), "score": np.asarray(scores, np.float64)})
    known["recording"] = 0 if recording is None else pd.factorize(recording)[0]
    known["time"] = np.arange(len(known)) if time is None else time.to_numpy()
    found = []
    for _, rows in known.dropna(subset=["label", "score"]).groupby("recording"):
        if 0 < (rows["label"] > 0).sum() < len(rows):
            found.append(_recording(rows.sort_values("time", kind="stable"), time is not None))
    means = pd.DataFrame(found, columns=["vus_pr", "vus_roc", "event_recall"], dtype=np.float64).mean()
    events = sum(recording["events"] for recording in found)
    return {k: None if np.isnan(v) else float(v) for k, v in means.items()} | {
        "events": events,
        "recordings": len(found),
    }


def _recording(rows: pd.DataFrame, has_clock: bool) -> dict[str, Any]:
    """The metrics of one recording whose rows are in order of time."""
    label, score = rows["label"].to_numpy(), rows["score"].to_numpy()
    area = volumes(label, score)
    found = event_recall(label, score, rows_per_day=rows_per_day(rows["time"] if has_clock else None))
    return {"vus_pr": area.pr, "vus_roc": area.roc, "event_recall": found.recall, "events": found.events}


def precision_at(y: np.ndarray, scores: np.ndarray, k: int) -> float:
    """Share of anomalies among the k highest scores; of rows that tie at rank k, the expected share counts.

    Args:
        y: (n,) bool.
    """
    edge = np.partition(scores, len(scores) - k)[len(scores) - k]
    above, tied = scores > edge, scores == edge
    return float((y[above].sum() + y[tied].mean() * (k - above.sum())) / k)


def _note(n: int, positives: int, not_scored: int) -> str:
    left_out = f" {not_scored} labelled rows have no score and are left out." if not_scored else ""
    if not n:
        return f"No row has both a label and a score, so the ranking can't be evaluated.{left_out}"
    if not positives:
        return f"None of the {n} labelled rows is an anomaly: the ranking can't be evaluated without one.{left_out}"
    if positives == n:
        return f"All {n} labelled rows are anomalies: the ranking can't be evaluated without normal rows.{left_out}"
    if positives < FEW:
        labelled = f"{positives} labelled {'anomaly' if positives == 1 else 'anomalies'}"
        return f"Only {labelled}: the metrics are unreliable.{left_out}"
    return left_out.strip()


def _measured(y: np.ndarray, scores: np.ndarray, resamples: int, seed: int) -> dict[str, float]:
    """AUROC and average precision with percentile intervals of a stratified bootstrap (Efron & Tibshirani 1993)."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    _, level = np.unique(-scores, return_inverse=True)  # 0 = highest, equal scores share one; infinite scores rank too
    levels, generator = int(level.max()) + 1, np.random.default_rng(seed)
    drawn = np.empty((resamples, 2))
    for i in range(resamples):
        hit, miss = (_resampled(level[side], levels, generator) for side in (y, ~y))
        drawn[i] = _areas(hit, miss)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return {
        "auroc": float(roc_auc_score(y, -level)),
        "auroc_low": float(low[0]),
        "auroc_high": float(high[0]),
        "average_precision": float(average_precision_score(y, -level)),
        "average_precision_low": float(low[1]),
        "average_precision_high": float(high[1]),
    }


def _resampled(level: np.ndarray, levels: int, generator: np.random.Generator) -> np.ndarray:
    """(levels,) number of rows of one class on each score level in a sample with replacement."""
    return np.bincount(level[generator.integers(len(level), size=len(level))], minlength=levels)


def _areas(hit: np.ndarray, miss: np.ndarray) -> tuple[float, float]:
    """AUROC and average precision from counts per score level, highest first, so that no sample must be sorted."""
    found, false = np.cumsum(hit), np.cumsum(miss)
    auroc = (hit * (false[-1] - false + miss / 2)).sum() / (found[-1] * false[-1])
    precision = found / np.maximum(found + false, 1)
    return float(auroc), float((hit * precision).sum() / found[-1])
