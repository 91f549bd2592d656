"""How rare scores beyond the calibration scores are, by extreme value theory: peaks over a high threshold follow a
generalised Pareto distribution, whatever the distribution of the scores (Pickands-Balkema-de Haan).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ad_core.errors import DataError

TAIL = 0.98
"""The tail begins at this quantile of the calibration scores, or lower where too few scores lie beyond it ..."""
LOWEST = 0.9
"""... but never below this one: scores below it are not part of the tail."""
MIN_PEAKS = 20
"""Minimum number of scores in the tail: fewer are not enough to fit two parameters."""


@dataclass(frozen=True)
class PeaksOverThreshold:
    """The tail of calibration scores, as a generalised Pareto distribution of their excesses."""

    start: float
    """Where the tail begins [score]."""
    share: float
    """Share of the calibration scores beyond it, N_t / n."""
    shape: float
    scale: float

    @classmethod
    def fit(cls, scores: npt.ArrayLike) -> Self:
        """Fit by maximum likelihood.

        Args:
            scores: (rows,) finite calibration scores.

        Raises:
            DataError: fewer than MIN_PEAKS of them lie in the tail, or those are all equal.
        """
        from scipy.stats import genpareto

        values = np.asarray(scores, dtype=np.float64)
        n = len(values)
        level = min(TAIL, max(LOWEST, 1 - MIN_PEAKS / max(n, 1)))
        start = float(np.quantile(values, level)) if n else 0.0
        excess = values[values > start] - start
        if level > LOWEST and len(excess) < MIN_PEAKS:  # equal scores at the quantile itself, or rounding
            level = LOWEST
            start = float(np.quantile(values, level))
            excess = values[values > start] - start
        if len(excess) < MIN_PEAKS:
            raise DataError(
                f"Only {len(excess)} of {n:,} calibration scores lie above their {100 * level:.3g} % quantile; "
                f"a tail needs {MIN_PEAKS}."
            )
        if np.ptp(excess) <= 1e-9 * excess.max():
            raise DataError(f"The {len(excess)} highest calibration scores are all equal, so they show no tail.")
        shape, _, scale = genpareto.fit(excess, floc=0)
        return cls(start, len(excess) / n, float(shape), float(scale))

    def rate(self, scores: npt.ArrayLike) -> np.ndarray:
        """Estimated share of normal rows that score higher; NaN where the score is NaN or not in the tail.

        Returns:
            (rows,) N_t / n * (1 + shape (s - t) / scale)^(-1 / shape).
        """
        from scipy.stats import genpareto

        values = np.asarray(scores, dtype=np.float64)
        beyond = self.share * genpareto.sf(values - self.start, self.shape, scale=self.scale)
        return np.where(values > self.start, beyond, np.nan)

    def threshold(self, rate: float) -> float:
        """The score z_q that normal rows exceed at this rate per row; infinite outside the tail.

        Source: Siffer et al. 2017, "Anomaly Detection in Streams with Extreme Value Theory", eq. 1:
        z_q = t + scale / shape ((q n / N_t)^(-shape) - 1).
        """
        from scipy.stats import genpareto

        if not 0 < rate < self.share:
            return float("inf")
        return self.start + float(genpareto.isf(rate / self.share, self.shape, scale=self.scale))
