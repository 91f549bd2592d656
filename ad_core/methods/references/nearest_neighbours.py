"""Nearest neighbours: mean distance of a row to the most similar training rows."""

import numpy as np
from pydantic import Field
from sklearn.neighbors import NearestNeighbors

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings

Neighbours = tuple[np.ndarray, np.ndarray]
"""(n, k) distances, ascending, and (n, k) positions of the training rows."""

ITSELF = 1e-3
"""The nearest row is the scored row itself if it is closer than this share of the distance to the second."""


class NearestNeighboursSettings(Settings):
    """Number of neighbours."""

    neighbours: int = Field(5, ge=1, le=500, description="Number of nearest training rows whose distance is averaged.")


@REFERENCES.register
class NearestNeighbours(Reference[NearestNeighboursSettings]):
    """Score = mean Euclidean distance to the nearest training rows, or to all of them if there are fewer.

    A training row is not its own neighbour, so that scores of training rows and of new rows are comparable.
    """

    title = "Nearest neighbours"
    about = "Mean distance to the five most similar training rows. Strong if the training rows hold no anomalies."
    source = "Angiulli and Pizzuti 2002, Fast outlier detection in high dimensional spaces, definition 1"
    Settings = NearestNeighboursSettings

    def fit(self, x: np.ndarray) -> None:
        self.index = NearestNeighbors(n_neighbors=min(self.settings.neighbours + 1, len(x))).fit(x)

    def score(self, x: np.ndarray) -> np.ndarray:
        near = self.index.kneighbors(x)
        return self._mean(near, near)

    def score_copies(self, x: np.ndarray, sources: np.ndarray) -> np.ndarray:
        return self._mean(self.index.kneighbors(x), self.index.kneighbors(sources))

    def _mean(self, near: Neighbours, near_sources: Neighbours) -> np.ndarray:
        """(n,) mean distance to the k nearest rows, without the training row that the source is."""
        distances, rows = np.asarray(near[0], dtype=np.float64), near[1]  # (n, at most k + 1), ascending
        if distances.shape[1] == 1:
            return distances[:, 0]
        is_known = near_sources[0][:, 0] <= ITSELF * near_sources[0][:, 1]
        counted = (rows != near_sources[1][:, :1]) | ~is_known[:, None]
        if distances.shape[1] > self.settings.neighbours:
            counted[:, -1] &= ~counted.all(axis=1)  # no row is left out, so the last one is one too many
        return np.asarray(distances.mean(axis=1, where=counted))
