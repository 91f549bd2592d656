"""Convert a column of any type to numbers, levels or dates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.data.files.csv_dialect import MISSING
from ad_core.data.recordings.timestamps import DAYS, HOURS
from ad_core.data.written_numbers import written

FORMATS = ("ISO8601", *(day + hour for hour in HOURS for day in DAYS))
_DATE_LIKE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([ T].*)?\s*")
_MISSING = frozenset(MISSING)
DATE_SAMPLE = 500
MOST_SPELLINGS = 12
"""Maximum number of spellings of two words for true and false, such as Yes, yes and YES."""


@dataclass(frozen=True)
class Coded:
    """A column as codes into its distinct values."""

    codes: np.ndarray
    """(rows,) int64, -1 where missing."""
    levels: tuple[str, ...]
    """The distinct values as text, each once, in order of appearance."""

    def counts(self) -> np.ndarray:
        """(levels,) int64: rows of each level."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def missing(self) -> np.ndarray:
        """(rows,) bool."""
        return self.codes < 0


def coded(values: pd.Series) -> Coded:
    """Distinct values as text; whole numbers have no `.0`, and markers such as NA, - and ? are missing."""
    codes, uniques = pd.factorize(values)
    levels: dict[str, int] = {}
    new = np.empty(len(uniques) + 1, dtype=np.int64)
    new[-1] = -1
    for old, value in enumerate(uniques):
        text = level_text(value)
        new[old] = -1 if text in _MISSING else levels.setdefault(text, len(levels))
    return Coded(new[codes], tuple(levels))


def is_marker(level: str) -> bool:
    """Whether a text stands for "no value", as NA, - and ? do."""
    return level in _MISSING


def level_text(value: object) -> str:
    """One value as text, the same for 3, 3.0 and "3"."""
    if isinstance(value, float | np.floating) and float(value).is_integer() and abs(float(value)) < 1e15:
        return str(int(value))
    if isinstance(value, pd.Timestamp):
        return str(value.isoformat())
    return str(value).strip()


def is_number_type(values: pd.Series) -> bool:
    """Whether pandas holds the column as numbers (not as true and false)."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def holds_categories(values: pd.Series) -> bool:
    """Whether the data say that numbers are names of categories; texts may be held so only to save memory."""
    kind = values.dtype
    return isinstance(kind, pd.CategoricalDtype) and pd.api.types.is_numeric_dtype(kind.categories)


def numbers(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """A column as numbers.

    Returns:
        (rows,) float64 with NaN where a cell is missing, infinite or not a number; and (rows,) bool, true where a cell
        is neither missing nor a number.
    """
    if is_number_type(values) or pd.api.types.is_bool_dtype(values):
        parsed = _as_float64(values)
        if np.isinf(parsed).any():
            parsed = np.where(np.isinf(parsed), np.nan, parsed)
        return parsed, np.zeros(len(parsed), dtype=bool)
    return numbers_of(coded(values))


def _as_float64(values: pd.Series) -> np.ndarray:
    """Without a copy where nothing has to be converted; `na_value` always makes one."""
    if isinstance(values.dtype, np.dtype):
        return np.asarray(values.to_numpy().astype(np.float64, copy=False))
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def known_of(values: np.ndarray) -> np.ndarray:
    """The known numbers; not a copy where all are known, so don't write to it."""
    missing = np.isnan(values)
    return values[~missing] if missing.any() else values


def numbers_of(column: Coded) -> tuple[np.ndarray, np.ndarray]:
    """As `numbers`, from the levels of a column."""
    levels = pd.to_numeric(pd.Series(column.levels, dtype="object"), errors="coerce").to_numpy(dtype=np.float64)
    levels = np.append(levels, np.nan)  # code -1 takes the last
    infinite = np.isinf(levels)
    bad = np.isnan(levels)
    bad[-1] = False
    return np.where(infinite, np.nan, levels)[column.codes], bad[column.codes]


def middle_of(known: np.ndarray) -> float:
    """Median of numbers of any size; the sum of two huge ones would overflow."""
    low, high = np.quantile(known, 0.5, method="lower"), np.quantile(known, 0.5, method="higher")
    return float(low if low == high else low / 2 + high / 2)


def infinities(values: pd.Series) -> int:
    """Number of infinite cells."""
    return int(np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan)).sum()) if is_number_type(values) else 0


def date_format(levels: Sequence[str]) -> tuple[str | None, bool]:
    """The date format of texts, None if they are not dates; and whether day and month could be swapped.

    Args:
        levels: distinct texts; all must be dates in one format.
    """
    if not levels or not all(_DATE_LIKE.fullmatch(level) for level in levels[:20]):
        return None, False
    at = np.unique(np.linspace(0, len(levels) - 1, min(len(levels), DATE_SAMPLE)).astype(int))
    sample = pd.Series([levels[i] for i in at])
    fitting = [form for form in FORMATS if parse_dates(sample, form).notna().all()]
    whole = pd.Series(levels)
    fitting = [form for form in fitting[:3] if parse_dates(whole, form).notna().all()]
    return (fitting[0], len(fitting) > 1 and fitting[0] != "ISO8601") if fitting else (None, False)


def parse_dates(values: pd.Series, form: str | None) -> pd.Series:
    """datetime64 in UTC without a zone, missing where a cell is missing or not a date.

    Args:
        form: as `date_format` returns it; None where pandas holds dates already.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(values):
        return values
    texts = written(values).astype("object").where(values.notna(), None)
    return pd.to_datetime(texts, format=form or "ISO8601", utc=True, errors="coerce").dt.tz_localize(None)


def is_boolean(values: pd.Series, levels: Sequence[str] = ()) -> bool:
    """Whether a column is boolean: by its type, by the values 0 and 1, or by words such as yes and no.

    Args:
        levels: the distinct texts of a column without a number type.
    """
    if pd.api.types.is_bool_dtype(values):
        return True
    if is_number_type(values):
        parsed = values.to_numpy(dtype=np.float64, na_value=np.nan)
        head = parsed[:1000]
        if not np.isin(head[~np.isnan(head)], (0.0, 1.0)).all():
            return False
        return set(np.unique(parsed[~np.isnan(parsed)])) == {0.0, 1.0}
    words = {level.lower() for level in levels} if len(levels) <= MOST_SPELLINGS else set()
    return words in ({"true", "false"}, {"0", "1"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"on", "off"})
