"""Gaussian mixture: negative log density of a row."""

import warnings

import numpy as np
from pydantic import Field
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Mixture

from ad_core.methods.principal_directions import PrincipalDirections, at_least_two
from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings

ROWS_PER_CLOUD = 20


class GaussianMixtureSettings(Settings):
    """Number of components and their regularisation."""

    clouds: int = Field(5, ge=1, le=100, description="Maximum number of components; small tables get one per 20 rows.")
    ridge: float = Field(1e-2, gt=0, le=10, description="Added to every variance, so that no component collapses.")
    directions: int = Field(
        100,
        ge=1,
        le=2000,
        description="Rows with more entries are first projected onto this many principal directions.",
    )


@REFERENCES.register
class GaussianMixture(Reference[GaussianMixtureSettings]):
    """Score = negative log-density [nat] of a mixture of Gaussians with full covariances."""

    title = "Gaussian mixture"
    about = "Density of a few fitted Gaussians. Strong if the rows form groups and hold few anomalies."
    source = "Dempster et al. 1977, Maximum likelihood from incomplete data via the EM algorithm"
    Settings = GaussianMixtureSettings

    def fit(self, x: np.ndarray) -> None:
        self.leading = PrincipalDirections(x, self.settings.directions, self.seed)
        z = at_least_two(self.leading(x))
        clouds = max(1, min(self.settings.clouds, len(x) // ROWS_PER_CLOUD, len(np.unique(z, axis=0))))
        self.mixture = Mixture(n_components=clouds, reg_covar=self.settings.ridge, random_state=self.seed, max_iter=50)
        with warnings.catch_warnings():  # a mixture that has not quite converged can rank rows
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.mixture.fit(z)

    def score(self, x: np.ndarray) -> np.ndarray:
        return -np.asarray(self.mixture.score_samples(self.leading(x)), dtype=np.float64)
