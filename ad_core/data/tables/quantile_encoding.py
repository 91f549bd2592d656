"""Heavy-tailed numbers as entries of an item."""

from typing import Literal

import numpy as np
import pandas as pd

from ad_core.data.tables.encoding import MISSING
from ad_core.data.tables.number_encoding import NumberEncoding, learn_number
from ad_core.data.tables.values import known_of, numbers

KNOTS = 200
"""A column is described by so many quantiles at most."""


class QuantileEncoding(NumberEncoding):
    """The place of a number among those that taught, as a standard normal deviate; missing as with `NumberEncoding`.

    Piecewise linear between the quantiles that are kept. Beyond the smallest and the largest it goes on as a z-score,
    one per standard deviation, so that far-off values stay far off.
    """

    form: Literal["quantile"] = "quantile"  # type: ignore[assignment]
    at: tuple[float, ...]
    """The quantiles in the user's unit, rising."""
    z: tuple[float, ...]
    """What each is encoded as, rising."""

    def encode(self, values: pd.Series) -> np.ndarray:
        found, _ = numbers(values)
        missing = np.isnan(found)
        with np.errstate(over="ignore"):  # a number as far off as that is infinitely far off
            x = np.where(missing, self.fill, found) / self.scale  # divided first: differences may overflow else
            z = _extended(x, np.array(self.at) / self.scale, np.array(self.z), slope=1.0)
        return np.column_stack([z, missing]) if self.has_missing else z[:, None]

    def decode(self, entries: np.ndarray) -> list[str | float]:
        z = np.asarray(entries, dtype=np.float64)[:, 0]
        found = _extended(z, np.array(self.z), np.array(self.at) / self.scale, slope=1.0) * self.scale
        gone = entries[:, 1] > 0.5 if self.has_missing else np.zeros(len(found), dtype=bool)
        return [MISSING if absent else float(value) for value, absent in zip(found, gone, strict=True)]


def _extended(x: np.ndarray, at: np.ndarray, to: np.ndarray, slope: float) -> np.ndarray:
    """(n,) linear between the knots, and with this slope beyond the first and the last."""
    beyond = np.minimum(x - at[0], 0) + np.maximum(x - at[-1], 0)
    return np.asarray(np.interp(x, at, to) + slope * beyond)


def learn_quantile(name: str, unit: str | None, values: pd.Series) -> NumberEncoding | None:
    """From the training rows; a plain z-score where there is one number only, None where there is nothing to say."""
    plain = learn_number(name, unit, values)
    found, _ = numbers(values)
    known = np.sort(known_of(found))
    if plain is None or known[0] == known[-1]:
        return plain
    at, z = _knots(known, plain.scale)
    return QuantileEncoding(**plain.model_dump(exclude={"form"}), at=tuple(at.tolist()), z=tuple(z.tolist()))


def _knots(known: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Distinct quantiles of rising numbers, and their normal deviates; numbers that repeat get their middle rank."""
    from scipy.special import ndtri

    ranks = np.unique(np.linspace(0, len(known) - 1, min(KNOTS, len(known))).round().astype(int))
    at = known[ranks]
    differs = np.diff(at / scale) > 1e-12  # nearer ones are one number: the way back would divide by nearly nothing
    first = np.append(True, differs)
    at = at[first]
    low, high = np.searchsorted(known, at, "left"), np.searchsorted(known, at, "right")
    z = ndtri((low + high) / 2 / len(known))
    return at, z
