"""One-class support vector machine: distance of a row from a surface around the training rows."""

import numpy as np
from pydantic import Field
from sklearn.svm import OneClassSVM as Machine

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings


class OneClassSvmSettings(Settings):
    """Tightness of the surface, and number of training rows."""

    nu: float = Field(0.5, gt=0, lt=1, description="Largest share of the training rows outside the surface.")
    rows: int = Field(3000, ge=1, le=20_000, description="Maximum number of training rows, drawn with the run's seed.")


@REFERENCES.register
class OneClassSvm(Reference[OneClassSvmSettings]):
    """Score = negative sum of kernel values over the support vectors (radial kernel, width by the data's variance)."""

    title = "One-class SVM"
    about = "Draws a smooth surface around most rows. Stable; insensitive to single odd columns."
    source = "Schölkopf et al. 2001, Estimating the support of a high-dimensional distribution, eq. 3.10"
    Settings = OneClassSvmSettings

    def fit(self, x: np.ndarray) -> None:
        if len(x) > self.settings.rows:
            x = x[np.random.default_rng(self.seed).choice(len(x), self.settings.rows, replace=False)]
        self.machine = Machine(kernel="rbf", gamma="scale", nu=self.settings.nu).fit(np.asarray(x, dtype=np.float64))

    def score(self, x: np.ndarray) -> np.ndarray:
        return -np.asarray(self.machine.score_samples(np.asarray(x, dtype=np.float64)), dtype=np.float64)
