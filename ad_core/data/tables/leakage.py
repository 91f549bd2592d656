"""Columns that are suspicious because of another one: near copies, and columns that leak the label."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.date_encoding import seconds_of
from ad_core.data.tables.values import coded, numbers, parse_dates

SAMPLE_ROWS = 5000
MAX_COMPARED = 1000
"""Maximum number of number columns that are compared, as the number of pairs grows quadratically."""
NEARLY = 0.999
FEWEST_LABELLED = 5
"""Minimum number of known anomalies and of known normal rows; fewer can be separated by chance."""
FEW_VALUES = 20


def near_copies(columns: Mapping[str, pd.Series]) -> dict[str, tuple[str, float]]:
    """Number columns that nearly equal an earlier one up to scale: name -> (the earlier one, correlation)."""
    names, kept = [], []
    for name, values in list(columns.items())[:MAX_COMPARED]:
        step = max(1, len(values) // SAMPLE_ROWS)
        parsed, _ = numbers(values.iloc[::step])
        known = parsed[~np.isnan(parsed)]
        if len(known) < 10 or known.min() == known.max():
            continue
        scaled = parsed / (np.abs(known).max() or 1.0)  # squares of huge numbers overflow
        centred = np.nan_to_num(scaled - np.nanmean(scaled))
        size = np.linalg.norm(centred)
        if size > 1e-9:
            names.append(name)
            kept.append(centred / size)
    if len(kept) < 2:
        return {}
    matrix = np.stack(kept)
    r = np.abs(matrix @ matrix.T)
    alike = np.triu(r > NEARLY, 1)
    first = alike.argmax(axis=0)
    return {names[j]: (names[first[j]], float(r[first[j], j])) for j in np.flatnonzero(alike.any(axis=0))}


def leak(values: pd.Series, kind: ColumnKind, truth: np.ndarray) -> Literal["leak", "strong", ""]:
    """Whether a column alone separates all known anomalies from all known normal rows.

    Args:
        truth: (rows,) 0, 1 or NaN.

    Returns:
        "leak": its few values, or whether it is filled, or two ranges far apart, equal the label. "strong": one
        threshold separates the two, as a good measurement may too.
    """
    known = ~np.isnan(truth)
    is_anomaly = truth[known] == 1
    if min(is_anomaly.sum(), (~is_anomaly).sum()) < FEWEST_LABELLED:
        return ""
    is_date = pd.api.types.is_datetime64_any_dtype(values)
    column = None if kind is ColumnKind.NUMBER or is_date else coded(values[known])
    parsed = np.empty(0)
    if column is None:
        parsed = seconds_of(parse_dates(values[known], None)) if is_date else numbers(values[known])[0]
    missing = np.isnan(parsed) if column is None else column.missing()
    if (missing == is_anomaly).all() or (missing != is_anomaly).all():
        return "leak"
    if column is None and len(pd.unique(parsed)) > FEW_VALUES:
        return _two_ranges(parsed, is_anomaly)
    codes = pd.factorize(parsed, use_na_sentinel=False)[0] if column is None else column.codes + 1
    if codes.max() > FEW_VALUES:
        return ""
    total = np.bincount(codes)
    anomalies = np.bincount(codes, weights=is_anomaly)
    return "leak" if ((anomalies == 0) | (anomalies == total)).all() else ""


def _two_ranges(parsed: np.ndarray, is_anomaly: np.ndarray) -> Literal["leak", "strong", ""]:
    normal, odd = parsed[~is_anomaly & ~np.isnan(parsed)], parsed[is_anomaly & ~np.isnan(parsed)]
    if not len(normal) or not len(odd):
        return ""
    gap = max(odd.min() - normal.max(), normal.min() - odd.max())
    if gap <= 0:
        return ""
    return "leak" if gap > 5 * max(normal.std(), odd.std()) else "strong"
