"""Gaussian patches: how unlikely each place of an image is, given that place in normal images."""

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
"""Finer grids are averaged down to about so many places a side: each place has a covariance matrix of its own."""


class PatchGaussianSettings(Settings):
    """How many features count, and what is made of a map."""

    features: int = Field(64, ge=1, le=120, description="Features that are used, drawn at random.")
    worst_share: float = Field(
        0.01, gt=0, le=1, description="Share of an image's places, the worst, whose mean is its score; 1 = all."
    )


@REFERENCES.register
class PatchGaussian(Reference[PatchGaussianSettings]):
    """Score = mean over the worst places of the Mahalanobis distance to that place's Gaussian.

    Suits images of things that always lie the same way.
    """

    title = "Gaussian patches"
    about = "Learns for every place what normal images show there, by features from ImageNet. For aligned images."
    source = "Defard et al. 2021, PaDiM, arXiv:2011.08785, section 3, eq. 1 and 2"
    modalities = frozenset({Modality.IMAGE})
    Settings = PatchGaussianSettings

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:  # noqa: ARG003
        return patch_vectors(x)

    def fit(self, x: np.ndarray) -> None:
        d = x.shape[-1]
        self.chosen = np.sort(np.random.default_rng(self.seed).permutation(d)[: self.settings.features])
        places = self._places(x)  # (n, places, features)
        self.mean = places.mean(axis=0)
        centred = np.moveaxis(places - self.mean, 1, 0)  # (places, n, features)
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
        """(n, y, x, d) -> (n, places, features) float32, neighbouring places averaged where there are many."""
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
