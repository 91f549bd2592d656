"""Numbers, and true or false, as entries of an item."""

from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.data.limits import EntryLimits, far, never_changed
from ad_core.data.tables.encoding import MISSING, OTHER, ColumnEncoding, cells_of
from ad_core.data.tables.known_levels import KnownLevels, sentences
from ad_core.data.tables.values import coded, is_number_type, known_of, numbers

ONE_VALUE = 1e-6
"""Distance up to which a number equals the only one of the training rows, as a share of it."""
FAR = 30.0
"""Distance from the mean from which a value is reported, by its row [standard deviations]."""


class NumberEncoding(ColumnEncoding):
    """z-score, missing as the median; where cells were missing, a second entry is 1 for a missing cell."""

    form: Literal["number"] = "number"
    mean: float
    scale: float
    fill: float
    low: float
    high: float

    @property
    def entries(self) -> int:
        return 1 + self.has_missing

    def encode(self, values: pd.Series) -> np.ndarray:
        parsed, _ = numbers(values)
        return self._scaled(parsed)

    def _scaled(self, parsed: np.ndarray) -> np.ndarray:
        missing = np.isnan(parsed)
        with np.errstate(over="ignore"):  # an overflow gives infinity, which is clipped later
            z = np.where(missing, self.fill, parsed) / self.scale  # division first, as differences may overflow
        z -= self.mean / self.scale
        return np.column_stack([z, missing]) if self.has_missing else z[:, None]

    def decode(self, entries: np.ndarray) -> list[str | float]:
        decoded = np.asarray(entries, dtype=np.float64)[:, 0] * self.scale + self.mean
        gone = entries[:, 1] > 0.5 if self.has_missing else np.zeros(len(decoded), dtype=bool)
        return [MISSING if absent else float(value) for value, absent in zip(decoded, gone, strict=True)]

    def limits(self, clip: float) -> list[EntryLimits]:
        low, high = self._scaled(np.array([self.low, self.high]))[:, 0].tolist()
        if low < high:
            return [far(clip, low, high), *[far(clip)] * self.has_missing]
        return [never_changed(clip, low - ONE_VALUE, high + ONE_VALUE), far(clip)]  # only whether one is missing varied

    def bad(self, values: pd.Series) -> np.ndarray:
        return numbers(values)[1]

    def differences(self, values: pd.Series) -> list[str]:
        parsed, _ = numbers(values)
        outside = float(((parsed < self.low) | (parsed > self.high)).mean())
        told = super().differences(values) + self.unreadable(values) + self._far(parsed, values)
        if outside > 0.01:
            told.append(
                f"{outside:.0%} of {self.name!r} lies outside {self.low:g} to {self.high:g}, "
                f"the range of the training rows."
            )
        return told

    def without_value(self, values: pd.Series) -> np.ndarray:
        # infinite numbers have a notice of their own
        return values.isna().to_numpy() if is_number_type(values) else super().without_value(values)

    def _far(self, parsed: np.ndarray, values: pd.Series) -> list[str]:
        """A sentence about values that are farther outside than a method can tell apart."""
        with np.errstate(over="ignore"):
            z = np.abs(parsed / self.scale - self.mean / self.scale)
        rows = np.flatnonzero((z > FAR) & ((parsed < self.low) | (parsed > self.high)))
        if not len(rows):
            return []
        return [
            f"{self.name!r} lies more than {FAR:g} standard deviations from the mean of the training rows in "
            f"{cells_of(values, rows)}."
        ]


class BooleanEncoding(ColumnEncoding):
    """0 or 1; a new value is 2."""

    form: Literal["boolean"] = "boolean"
    zero: str
    one: str
    fill: float
    padded: bool = False
    """Texts had blanks around them among the training rows."""

    @property
    def entries(self) -> int:
        return 1 + self.has_missing

    def encode(self, values: pd.Series) -> np.ndarray:
        column = coded(values)
        at = self.known.positions(column.levels)
        encoded = np.append(np.where(at < 0, 2.0, at), self.fill)[column.codes]
        return np.column_stack([encoded, column.missing()]) if self.has_missing else encoded[:, None]

    def limits(self, clip: float) -> list[EntryLimits]:
        return [never_changed(clip, -np.inf, 1.5), *[far(clip)] * self.has_missing]

    def decode(self, entries: np.ndarray) -> list[str | float]:
        gone = entries[:, 1] > 0.5 if self.has_missing else np.zeros(len(entries), dtype=bool)
        shown = np.array([self.zero, self.one, OTHER], dtype=object)[np.digitize(entries[:, 0], (0.5, 1.5))]
        return [MISSING if absent else value for value, absent in zip(shown, gone, strict=True)]

    def differences(self, values: pd.Series) -> list[str]:
        return super().differences(values) + sentences(self.name, values, self.known, padded=self.padded)

    @cached_property
    def known(self) -> KnownLevels:
        """The two words."""
        return KnownLevels((self.zero, self.one), is_truth=True)


def learn_number(name: str, unit: str | None, values: pd.Series) -> NumberEncoding | None:
    """Fit to the training rows; None where all numbers are the same or missing."""
    parsed, _ = numbers(values)
    known = known_of(parsed)
    has_missing = len(known) < len(parsed)
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    largest = max(abs(low), abs(high)) or 1.0
    mean, spread = float((known / largest).mean()), float((known / largest).std())  # squares of huge numbers overflow
    if spread <= 1e-12 and not has_missing:
        return None
    scale = spread * largest if spread > 1e-12 else largest
    return NumberEncoding(
        name=name,
        kind=ColumnKind.NUMBER,
        unit=unit,
        has_missing=has_missing,
        mean=mean * largest,
        scale=scale,
        fill=float(np.median(known)),
        low=low,
        high=high,
    )
