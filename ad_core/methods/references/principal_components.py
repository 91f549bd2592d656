"""Principal components: residual of a row after projection onto the leading directions."""

import numpy as np
from pydantic import Field
from sklearn.decomposition import PCA
from torch import Tensor

from ad_core.methods.reference import REFERENCES, Reference, whole_windows
from ad_core.settings import Settings
from ad_core.types import Modality

MOST_DIRECTIONS = 1000


class PrincipalComponentsSettings(Settings):
    """Share of the variance that the leading directions explain."""

    explained: float = Field(0.9, gt=0, lt=1, description="Share of the variance that the leading directions explain.")


@REFERENCES.register
class PrincipalComponents(Reference[PrincipalComponentsSettings]):
    """Score = squared length of the row minus its projection on the leading principal directions."""

    title = "Principal components"
    about = "Reconstructs a row from its leading directions; the error is the score. A linear autoencoder."
    source = "Jackson and Mudholkar 1979, Control procedures for residuals associated with PCA, eq. 2.2"
    Settings = PrincipalComponentsSettings

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:
        return whole_windows(x, modality)

    def fit(self, x: np.ndarray) -> None:
        x = np.asarray(x, dtype=np.float64)
        self.mean, self.directions = x.mean(axis=0), np.zeros((0, x.shape[1]))
        if len(x) > 1 and x.shape[1] > 1:
            most = min(len(x), x.shape[1], MOST_DIRECTIONS)
            found = PCA(n_components=most, random_state=self.seed).fit(x)
            keep = int(np.searchsorted(found.explained_variance_ratio_.cumsum(), self.settings.explained)) + 1
            self.directions = found.components_[: min(keep, x.shape[1] - 1)]

    def score(self, x: np.ndarray) -> np.ndarray:
        centred = np.asarray(x, dtype=np.float64) - self.mean
        rest = centred - centred @ self.directions.T @ self.directions
        return np.asarray(np.square(rest).sum(axis=1))
