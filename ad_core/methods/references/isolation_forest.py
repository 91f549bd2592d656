"""Isolation forest: number of random cuts that isolate a row."""

import numpy as np
from pydantic import Field
from sklearn.ensemble import IsolationForest as Forest

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings


class IsolationForestSettings(Settings):
    """Size of the forest."""

    trees: int = Field(100, ge=1, le=5000, description="Number of trees.")
    rows_per_tree: int = Field(256, ge=2, le=100_000, description="Number of rows per tree, drawn at random.")


@REFERENCES.register
class IsolationForest(Reference[IsolationForestSettings]):
    """Score = 2^(-mean depth / depth of a random search tree), in 0..1."""

    title = "Isolation forest"
    about = "Counts how few random cuts isolate a row. Fast and robust; cuts one column at a time."
    source = "Liu et al. 2008, Isolation Forest, eq. 2"
    Settings = IsolationForestSettings

    def fit(self, x: np.ndarray) -> None:
        rows = min(self.settings.rows_per_tree, len(x))
        self.forest = Forest(n_estimators=self.settings.trees, max_samples=rows, random_state=self.seed).fit(x)

    def score(self, x: np.ndarray) -> np.ndarray:
        return -np.asarray(self.forest.score_samples(x), dtype=np.float64)
