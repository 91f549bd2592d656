"""Gaussian patches: Mahalanobis distance of each position of an image from that position in normal images."""

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ad_core.methods.losses.reconstruction_error import worst_mean
from ad_core.methods.networks.patch_features import patch_vectors
from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings
from ad_core.types import Modality

RIDGE = 0.01
"""Added to every variance, as in the source."""

GRID = 24
"""Approximate maximum number of positions per side; each has a covariance matrix, so finer grids are averaged down."""


class PatchGaussianSettings(Settings):
    """Number of features, and the share of the map that is the score."""

    features: int = Field(64, ge=1, le=120, description="Number of features, drawn at random.")
    worst_share: float = Field(
        0.01, gt=0, le=1, description="The score is the mean over this share of the positions, the worst ones; 1 = all."
    )


@REFERENCES.register
class PatchGaussian(Reference[PatchGaussianSettings]):
    """Score = mean over the worst positions of the Mahalanobis distance to that position's Gaussian.

    For images of objects in the same pose.
    """

    title = "Gaussian patches"
    about = "Learns what normal images show at every position, by features from ImageNet. For aligned images."
    source = "Defard et al. 2021, PaDiM, arXiv:2011.08785, section 3, eq. 1 and 2"
    modalities = frozenset({Modality.IMAGE})
    Settings = PatchGaussianSettings

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:  # noqa: ARG003
        return patch_vectors(x)

    def fit(self, x: np.ndarray) -> None:
        d = x.shape[-1]
        self.chosen = np.sort(np.random.default_rng(self.seed).permutation(d)[: self.settings.features])
        places = self._places(x)  # (n, positions, features)
        self.mean = places.mean(axis=0)
        centred = np.moveaxis(places - self.mean, 1, 0)  # (positions, n, features)
        covariance = centred.mT @ centred / max(1, len(x) - 1)
        self.precision = np.linalg.inv(covariance + RIDGE * np.eye(covariance.shape[-1], dtype=covariance.dtype))

    def score(self, x: np.ndarray) -> np.ndarray:
        maps = torch.from_numpy(self.part_scores(x))
        return worst_mean(maps, self.settings.worst_share).double().numpy()

    def part_scores(self, x: np.ndarray) -> np.ndarray:
        off = self._places(x) - self.mean
        squares = np.einsum("npd,pde,npe->np", off, self.precision, off, optimize=True)
        return np.asarray(np.sqrt(squares.clip(0)).reshape(len(x), *self._grid(x)))

    def _places(self, x: np.ndarray) -> np.ndarray:
        """(n, y, x, d) -> (n, positions, features) float32; in fine grids neighbouring positions are averaged."""
        n, step = len(x), self._step(x)
        height, width = self._grid(x)
        cut = x[:, : height * step, : width * step, self.chosen].astype(np.float32)
        return np.asarray(
            cut.reshape(n, height, step, width, step, -1).mean(axis=(2, 4)).reshape(n, height * width, -1)
        )

    def _grid(self, x: np.ndarray) -> tuple[int, int]:
        return x.shape[1] // self._step(x), x.shape[2] // self._step(x)

    @staticmethod
    def _step(x: np.ndarray) -> int:
        return max(1, int(min(x.shape[1:3])) // GRID)
