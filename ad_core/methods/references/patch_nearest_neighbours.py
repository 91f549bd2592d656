"""Nearest patches: distance of each patch of an image to the most similar patch of normal images."""

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ad_core.methods.losses.reconstruction_error import worst_mean
from ad_core.methods.networks.patch_features import patch_vectors
from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings
from ad_core.types import Modality

QUERIES = 2048
"""Number of patches that are compared with the bank at a time."""


class PatchNearestNeighboursSettings(Settings):
    """Size of the bank, and the share of the map that is the score."""

    bank: int = Field(
        4000, ge=1, le=200_000, description="Maximum number of normal patches in the bank, drawn at random."
    )
    worst_share: float = Field(
        0.01, gt=0, le=1, description="The score is the mean over this share of the patches, the worst ones; 1 = all."
    )


@REFERENCES.register
class PatchNearestNeighbours(Reference[PatchNearestNeighboursSettings]):
    """Score = mean over the worst patches of the distance to the nearest of a bank of normal patches.

    Features of a frozen network, each channel divided by its standard deviation. The bank is a random sample; the
    source selects it greedily, which for 4,000 patches takes longer than all the rest.
    """

    title = "Nearest patches"
    about = "Compares every patch of an image with patches of normal images, by features from ImageNet. No training."
    source = "Roth et al. 2022, Towards total recall in industrial anomaly detection (PatchCore), arXiv:2106.08265, 3.3"
    modalities = frozenset({Modality.IMAGE})
    Settings = PatchNearestNeighboursSettings

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:  # noqa: ARG003
        return patch_vectors(x)

    def fit(self, x: np.ndarray) -> None:
        patches = x.reshape(-1, x.shape[-1])
        random = np.random.default_rng(self.seed)
        chosen = random.choice(len(patches), min(self.settings.bank, len(patches)), replace=False)
        bank = patches[chosen].astype(np.float32)
        spread = bank.std(axis=0)
        self.spread = np.where(spread > 1e-6, spread, 1.0).astype(np.float32)
        self.bank = torch.from_numpy(bank / self.spread)

    def score(self, x: np.ndarray) -> np.ndarray:
        maps = torch.from_numpy(self.part_scores(x))
        return worst_mean(maps, self.settings.worst_share).double().numpy()

    def part_scores(self, x: np.ndarray) -> np.ndarray:
        patches = torch.from_numpy(x.reshape(-1, x.shape[-1]).astype(np.float32) / self.spread)
        nearest = [torch.cdist(part, self.bank).amin(1) for part in patches.split(QUERIES)]
        return torch.cat(nearest).numpy().reshape(x.shape[:-1])
