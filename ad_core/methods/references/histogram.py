"""Histogram: rarity of each value of a row, column by column."""

import numpy as np
from pydantic import Field

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings

EMPTY = 0.1
"""Number of rows that an empty bin counts as."""


class HistogramSettings(Settings):
    """Number of bins."""

    bins: int = Field(10, ge=2, le=1000, description="Number of bins of equal width per column.")


@REFERENCES.register
class Histogram(Reference[HistogramSettings]):
    """Score = sum over the entries of -log(height of their bin / highest bin); beyond the ends a bin is empty.

    Beyond an end, the value of an empty bin is added once per width of the whole range, so the score keeps rising.
    """

    title = "Histogram"
    about = "Adds up how rare each value is. Very fast; ignores dependencies between columns."
    source = "Goldstein and Dengel 2012, Histogram-based outlier score (HBOS), eq. 2"
    Settings = HistogramSettings

    def fit(self, x: np.ndarray) -> None:
        self.low, high = x.min(axis=0).astype(np.float64), x.max(axis=0)
        self.width = np.where(high > self.low, high - self.low, 1.0)
        inside = np.minimum(self._bins(x), self.settings.bins - 1)
        counts = np.stack([np.bincount(column, minlength=self.settings.bins) for column in inside.T])  # (d, bins)
        self.rarity = -np.log(np.maximum(counts, EMPTY) / counts.max(axis=1, keepdims=True))
        self.rarest = -np.log(EMPTY / counts.max(axis=1))

    def score(self, x: np.ndarray) -> np.ndarray:
        bins = self._bins(x)
        inside = np.clip(bins, 0, self.settings.bins - 1)
        outside = (bins < 0) | (x > self.low + self.width)
        known = np.take_along_axis(self.rarity, inside.T, axis=1).T  # (n, d)
        place = (x - self.low) / self.width
        beyond = np.maximum(np.maximum(-place, place - 1), 0)
        return np.asarray(np.where(outside, self.rarest * (1 + beyond), known).sum(axis=1))

    def _bins(self, x: np.ndarray) -> np.ndarray:
        """(n, d) int64; the upper end belongs to the last bin."""
        place = (np.asarray(x, dtype=np.float64) - self.low) / self.width * self.settings.bins
        bins = np.floor(np.clip(place, -1, self.settings.bins)).astype(np.int64)
        return np.where(place == self.settings.bins, self.settings.bins - 1, bins)
