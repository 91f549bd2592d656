"""Nearest neighbours: how far a row is from the rows most like it."""

import numpy as np
from pydantic import Field
from sklearn.neighbors import NearestNeighbors

from ad_core.reference import REFERENCES, Reference
from ad_core.settings import Settings


class NearestNeighboursSettings(Settings):
    """How many neighbours count."""

    neighbours: int = Field(5, ge=1, le=500, description="Number of nearest fitted rows whose distance is averaged.")


@REFERENCES.register
class NearestNeighbours(Reference):
    """Score = mean Euclidean distance to the nearest fitted rows; fewer than asked for where there are fewer."""

    title = "Nearest neighbours"
    about = "Mean distance to the five most similar fitted rows. Strong where the fitted rows hold no anomalies."
    source = "Angiulli and Pizzuti 2002, Fast outlier detection in high dimensional spaces, definition 1"
    Settings = NearestNeighboursSettings
    settings: NearestNeighboursSettings

    def fit(self, x: np.ndarray) -> None:
        self.index = NearestNeighbors(n_neighbors=min(self.settings.neighbours, len(x))).fit(x)

    def score(self, x: np.ndarray) -> np.ndarray:
        distances, _ = self.index.kneighbors(x)
        return distances.mean(axis=1, dtype=np.float64)  # type: ignore[no-any-return]
