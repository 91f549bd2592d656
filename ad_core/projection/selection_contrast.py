"""In which of the user's columns some rows differ from the others, and by how much.

A description, not a test: a few rows always differ in some column.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.values import coded, is_number_type, numbers

MOST_ROWS = 20_000
"""Maximum number of rows on either side; of more, a random sample is compared: medians and shares hardly change."""

NORMAL_IQR = 1.349
"""Interquartile range of a normal distribution in standard deviations."""

LEAST = 0.1
"""Minimum effect that is listed."""

COLUMNS = ["column", "selection", "rest", "effect"]


def contrast(data: pd.DataFrame, kinds: Mapping[str, ColumnKind], inside: np.ndarray, most: int = 8) -> pd.DataFrame:
    """The columns in which a selection differs most from the rest.

    Numbers and dates: the difference of the medians in robust standard deviations of the rest (interquartile range /
    1.349). Categories: the level whose shares differ most, by Cohen's h = 2 arcsin √p - 2 arcsin √q (Cohen 1988,
    ch. 6). In both, 0.2 is small, 0.5 medium and 0.8 large. Missing cells count as a level, also for numbers.

    Args:
        data: (rows), the user's columns.
        kinds: kind of each column; other columns, and free text, are left out.
        inside: (rows,) bool.

    Returns:
        `column`, `selection`, `rest` (texts: the two medians or shares) and `effect` (> 0: more in the selection), the
        largest effect first; no line for effects below LEAST, none at all where a side is empty.
    """
    inside = np.asarray(inside, dtype=bool)
    if not inside.any() or inside.all():
        return pd.DataFrame(columns=COLUMNS)
    rows = np.concatenate([sampled(np.flatnonzero(inside)), sampled(np.flatnonzero(~inside))])
    part, chosen = data.iloc[rows], inside[rows]
    lines = []
    for name, kind in kinds.items():
        if name not in part or kind is ColumnKind.TEXT:
            continue
        compare = (
            _of_levels
            if kind in (ColumnKind.CATEGORY, ColumnKind.BOOLEAN)
            else _of_dates
            if kind is ColumnKind.DATE or (kind is ColumnKind.CALENDAR and not is_number_type(part[name]))
            else _of_numbers
        )
        selection, rest, effect = compare(part[name], chosen)
        if abs(effect) >= LEAST:
            lines.append((name, selection, rest, effect))
    lines.sort(key=lambda line: -abs(line[3]))
    return pd.DataFrame(lines[:most], columns=COLUMNS)


def sampled(rows: np.ndarray) -> np.ndarray:
    """At most MOST_ROWS of these positions, always the same ones."""
    return rows if len(rows) <= MOST_ROWS else np.random.default_rng(0).choice(rows, MOST_ROWS, replace=False)


def _of_levels(values: pd.Series, chosen: np.ndarray) -> tuple[str, str, float]:
    column = coded(values)
    codes = np.where(column.codes < 0, len(column.levels), column.codes)
    share, other = (np.bincount(codes[at], minlength=len(column.levels) + 1) / at.sum() for at in (chosen, ~chosen))
    effect = _cohens_h(share, other)
    best = int(np.abs(effect).argmax())
    level = f"“{column.levels[best]}”" if best < len(column.levels) else "missing"
    return f"{share[best]:.0%} {level}", f"{other[best]:.0%} {level}", float(effect[best])


def _of_numbers(values: pd.Series, chosen: np.ndarray) -> tuple[str, str, float]:
    parsed = numbers(values)[0]
    return _larger(_of_medians(parsed, chosen, "{:.4g}".format), _of_missing(parsed, chosen))


def _of_dates(values: pd.Series, chosen: np.ndarray) -> tuple[str, str, float]:
    dates = pd.to_datetime(values, errors="coerce", utc=True, format="mixed")
    seconds = dates.astype("datetime64[s, UTC]").astype("int64").to_numpy(dtype=np.float64)
    parsed = np.where(dates.isna(), np.nan, seconds)
    by_median = _of_medians(parsed, chosen, lambda second: f"{pd.Timestamp(second, unit='s'):%Y-%m-%d %H:%M}")
    return _larger(by_median, _of_missing(parsed, chosen))


def _of_medians(parsed: np.ndarray, chosen: np.ndarray, text: Callable[[float], str]) -> tuple[str, str, float]:
    known = np.isfinite(parsed)
    here, there = parsed[known & chosen], parsed[known & ~chosen]
    if not len(here) or not len(there):
        return "", "", 0.0
    middles = float(np.median(here)), float(np.median(there))
    apart = middles[0] - middles[1]
    if not apart:
        return "", "", 0.0
    low, high = np.quantile(there, [0.25, 0.75])
    unit = (high - low) / NORMAL_IQR or float(np.concatenate([here, there]).std())
    return text(middles[0]), text(middles[1]), apart / unit


def _of_missing(parsed: np.ndarray, chosen: np.ndarray) -> tuple[str, str, float]:
    share, other = (float(np.isnan(parsed[at]).mean()) for at in (chosen, ~chosen))
    return f"{share:.0%} missing", f"{other:.0%} missing", _cohens_h(share, other)


def _larger(one: tuple[str, str, float], other: tuple[str, str, float]) -> tuple[str, str, float]:
    return one if abs(one[2]) >= abs(other[2]) else other


def _cohens_h(share: Any, other: Any) -> Any:
    return 2 * np.arcsin(np.sqrt(share)) - 2 * np.arcsin(np.sqrt(other))
