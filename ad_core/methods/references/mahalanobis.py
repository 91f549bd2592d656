"""Mahalanobis distance: distance of a row from the mean in units of the spread in its direction."""

import numpy as np
from pydantic import Field
from sklearn.covariance import LedoitWolf
from torch import Tensor

from ad_core.methods.principal_directions import PrincipalDirections, at_least_two
from ad_core.methods.reference import REFERENCES, Reference, whole_windows
from ad_core.settings import Settings
from ad_core.types import Modality


class MahalanobisSettings(Settings):
    """Number of directions."""

    directions: int = Field(
        500,
        ge=1,
        le=5000,
        description="Rows with more entries are first projected onto this many principal directions.",
    )


@REFERENCES.register
class Mahalanobis(Reference[MahalanobisSettings]):
    """Score = square root of (x - mean)' C^-1 (x - mean), C the covariance shrunk as Ledoit and Wolf do."""

    title = "Mahalanobis distance"
    about = "Distance from the mean in units of the spread. Strong if the rows form one group; robust and fast."
    source = "Mahalanobis 1936; Ledoit and Wolf 2004, A well-conditioned estimator for covariance matrices, eq. 14"
    Settings = MahalanobisSettings

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:
        return whole_windows(x, modality)

    def fit(self, x: np.ndarray) -> None:
        self.leading = PrincipalDirections(x, self.settings.directions, self.seed)
        self.covariance = LedoitWolf().fit(at_least_two(self.leading(x)))

    def score(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.sqrt(self.covariance.mahalanobis(self.leading(x))))
