"""Distance of a row from others, column by column, in units that are robust to outliers."""

import numpy as np
import pandas as pd
from pandas.api import types

MOST = 10_000
"""Maximum number of rows, evenly spaced, for the spread of a column."""

NORMAL_WIDTH = 1.349
"""Interquartile range of a normal distribution in standard deviations."""


def apart(own: pd.DataFrame, others: pd.DataFrame, normal: pd.DataFrame) -> pd.Series:
    """By column: (value - median of the others) / (interquartile range of normal rows / 1.349), or / their standard
    deviation where that range is 0. NaN where a column holds no numbers or dates, does not vary, or a value is missing.

    Args:
        own: a single row.
        others: rows that it is compared with.
        normal: normal rows, which define the spread of each column.
    """
    normal = normal.iloc[:: max(1, len(normal) // MOST)]
    return pd.Series({name: _column(own[name], others[name], normal[name]) for name in own}, dtype="float64")


def _column(own: pd.Series, others: pd.Series, normal: pd.Series) -> float:
    if types.is_bool_dtype(normal) or not (types.is_numeric_dtype(normal) or types.is_datetime64_any_dtype(normal)):
        return float("nan")
    one, near, all_ = (_numbers(values) for values in (own, others, normal))
    low, high = np.nanquantile(all_, [0.25, 0.75]) if np.isfinite(all_).any() else (np.nan, np.nan)
    width = (high - low) / NORMAL_WIDTH or np.nanstd(all_)
    if not width > 0 or not np.isfinite(near).any():
        return float("nan")
    return float((one[0] - np.nanmedian(near)) / width)


def _numbers(values: pd.Series) -> np.ndarray:
    """(n,) float64, dates in seconds, NaN where a cell is empty."""
    if types.is_datetime64_any_dtype(values):
        since = values - pd.Timestamp(0, tz=values.dt.tz)
        return np.asarray(since.dt.total_seconds(), dtype=np.float64)
    return np.asarray(pd.to_numeric(values, errors="coerce").astype("Float64").to_numpy(np.float64, na_value=np.nan))
