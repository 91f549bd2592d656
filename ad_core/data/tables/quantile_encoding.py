"""Heavy-tailed numbers as entries of an item."""

from typing import Literal

import numpy as np
import pandas as pd

from ad_core.data.tables.encoding import MISSING
from ad_core.data.tables.number_encoding import NumberEncoding, learn_number
from ad_core.data.tables.values import known_of, numbers

KNOTS = 200
"""Maximum number of quantiles that describe a column."""


class QuantileEncoding(NumberEncoding):
    """Quantile of a number in the training rows, as a standard normal deviate; missing as in `NumberEncoding`.

    Piecewise linear between the stored quantiles. Beyond the smallest and the largest it continues as a z-score, one
    per standard deviation, so that extreme values stay extreme.
    """

    form: Literal["quantile"] = "quantile"  # type: ignore[assignment]
    at: tuple[float, ...]
    """The quantiles in the user's unit, ascending."""
    z: tuple[float, ...]
    """The code of each, ascending."""

    def encode(self, values: pd.Series) -> np.ndarray:
        parsed, _ = numbers(values)
        missing = np.isnan(parsed)
        with np.errstate(over="ignore"):  # an overflow gives infinity, which is clipped later
            x = np.where(missing, self.fill, parsed) / self.scale  # division first, as differences may overflow
            z = _extended(x, np.array(self.at) / self.scale, np.array(self.z), slope=1.0)
        return np.column_stack([z, missing]) if self.has_missing else z[:, None]

    def decode(self, entries: np.ndarray) -> list[str | float]:
        z = np.asarray(entries, dtype=np.float64)[:, 0]
        decoded = _extended(z, np.array(self.z), np.array(self.at) / self.scale, slope=1.0) * self.scale
        gone = entries[:, 1] > 0.5 if self.has_missing else np.zeros(len(decoded), dtype=bool)
        return [MISSING if absent else float(value) for value, absent in zip(decoded, gone, strict=True)]


def _extended(x: np.ndarray, at: np.ndarray, to: np.ndarray, slope: float) -> np.ndarray:
    """(n,) linear between the knots, and with this slope beyond the first and the last."""
    beyond = np.minimum(x - at[0], 0) + np.maximum(x - at[-1], 0)
    return np.asarray(np.interp(x, at, to) + slope * beyond)


def learn_quantile(name: str, unit: str | None, values: pd.Series) -> NumberEncoding | None:
    """Fit to the training rows; a plain z-score where there is a single number, None where nothing varies."""
    plain = learn_number(name, unit, values)
    parsed, _ = numbers(values)
    known = np.sort(known_of(parsed))
    if plain is None or known[0] == known[-1]:
        return plain
    at, z = _knots(known, plain.scale)
    return QuantileEncoding(**plain.model_dump(exclude={"form"}), at=tuple(at.tolist()), z=tuple(z.tolist()))


def _knots(known: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Distinct quantiles of sorted numbers, and their normal deviates; repeated numbers get their middle rank."""
    from scipy.special import ndtri

    ranks = np.unique(np.linspace(0, len(known) - 1, min(KNOTS, len(known))).round().astype(int))
    at = known[ranks]
    differs = np.diff(at / scale) > 1e-12  # nearer ones count as one number: decoding would divide by almost 0
    first = np.append(True, differs)
    at = at[first]
    low, high = np.searchsorted(known, at, "left"), np.searchsorted(known, at, "right")
    z = ndtri((low + high) / 2 / len(known))
    return at, z
