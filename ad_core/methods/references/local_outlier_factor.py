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
            distances, rows = self.index.kneighbors()  # of each training row, without itself
            self.reach = distances[:, -1]
            self.density = _density(np.maximum(distances, self.reach[rows]))

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

    def score_copies(self, x: np.ndarray, sources: np.ndarray) -> np.ndarray:
        scores = self.score(x)
        if self.only_row is not None:
            return scores
        x, sources = np.asarray(x, dtype=np.float64), np.asarray(sources, dtype=np.float64)
        distance, nearest = self.index.kneighbors(sources, 1)
        known = np.flatnonzero(distance[:, 0] <= ITSELF * (1 + np.abs(sources).max(axis=1)))
        if len(known):
            scores[known] = self._factor_without(x[known], nearest[known, 0])
        return scores

    def _factor_without(self, x: np.ndarray, left_out: np.ndarray) -> np.ndarray:
        """(n,) local outlier factor of rows, whose neighbours are all training rows but one (n,) of each."""
        k = self.index.n_neighbors_
        distances, rows = self.index.kneighbors(x, min(k + 1, len(self.reach)))
        order = np.argsort(rows == left_out[:, None], axis=1, kind="stable")[:, :k]
        distances, rows = (np.take_along_axis(part, order, 1) for part in (distances, rows))
        density = _density(np.maximum(distances, self.reach[rows]))
        return np.asarray(self.density[rows].mean(axis=1) / density)


def _density(reachability: np.ndarray) -> np.ndarray:
    """(n,) local reachability density, from (n, k) reachability distances; Breunig et al. 2000, definition 6."""
    return np.asarray(1 / (reachability.mean(axis=1) + 1e-10))  # as in scikit-learn, equal rows have no infinite one
