"""Nearest neighbours: mean distance of a row to the most similar training rows."""

import numpy as np
from pydantic import Field
from sklearn.neighbors import NearestNeighbors

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings

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
        k = self.settings.neighbours
        distances = np.asarray(self.index.kneighbors(x)[0], dtype=np.float64)  # (n, k + 1), ascending
        if distances.shape[1] == 1:
            return distances[:, 0]
        is_itself = distances[:, 0] <= ITSELF * distances[:, 1]
        return np.asarray(np.where(is_itself, distances[:, 1:].mean(axis=1), distances[:, :k].mean(axis=1)))
