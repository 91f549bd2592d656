"""Local outlier factor: density around a row compared with that around its neighbours."""

import numpy as np
from pydantic import Field
from sklearn.neighbors import LocalOutlierFactor as Factor

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings

ITSELF = 1e-6
"""A training row within this distance, relative to the largest entry, is the scored row itself."""


class LocalOutlierFactorSettings(Settings):
    """Number of neighbours."""

    neighbours: int = Field(20, ge=1, le=500, description="Number of nearest training rows for the density.")


@REFERENCES.register
class LocalOutlierFactor(Reference[LocalOutlierFactorSettings]):
    """Score = local outlier factor; a training row gets the factor without itself.

    More equal rows than neighbours would have an infinite density, and every row near them an endless score. Then the
    densities are those of the distinct rows.
    """

    title = "Local outlier factor"
    about = "Compares the density around a row with that around its neighbours. Finds odd rows near dense groups."
    source = "Breunig et al. 2000, LOF: identifying density-based local outliers, definition 7"
    Settings = LocalOutlierFactorSettings

    def fit(self, x: np.ndarray) -> None:
        x = np.asarray(x, dtype=np.float64)
        distinct, copies = np.unique(x, axis=0, return_counts=True)
        self.repeated = np.ones(0, dtype=bool)
        if copies.max() > self.settings.neighbours:
            x, self.repeated = distinct, copies > 1
        self.only_row = x[0] if len(x) == 1 else None
        if self.only_row is None:
            self.index = Factor(n_neighbors=min(self.settings.neighbours, len(x) - 1), novelty=True).fit(x)

    def score(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, dtype=np.float64)
        if self.only_row is not None:
            return np.asarray(np.linalg.norm(x - self.only_row, axis=1))
        factor = -self.index.score_samples(x)
        distance, nearest = self.index.kneighbors(x, 1)
        is_itself = distance[:, 0] <= ITSELF * (1 + np.abs(x).max(axis=1))
        if len(self.repeated):
            is_itself &= ~self.repeated[nearest[:, 0]]  # without itself, its copies are still there
        return np.asarray(np.where(is_itself, -self.index.negative_outlier_factor_[nearest[:, 0]], factor))
