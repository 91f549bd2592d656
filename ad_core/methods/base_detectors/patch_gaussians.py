"""One Gaussian of the features per position of normal images, and standardisation of maps per position."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from ad_core.methods.networks.imagenet_features import on_one_grid
from ad_core.methods.pretext import TensorGroup

FEATURES = 64
"""Number of features, drawn at random: more take longer and add little (Defard et al. 2021, 4.2)."""

RIDGE = 0.01
"""Added to every variance, as in the source."""

FEW = 10
"""Number of pseudo-images with the mean over all positions, which are added to the statistics of a position."""

LEAST_SPREAD = 0.1
"""Added to the standard deviation of a position."""


class PatchGaussians(TensorGroup):
    """Features of a backbone -> (b, y, x) Mahalanobis distance of each position from that position in normal images.

    The covariance of a position is shrunk towards the mean covariance of all positions, which gets the weight of as
    many images as there are features: few images determine a single position's covariance poorly.

    Source: Defard et al. 2021, PaDiM, arXiv:2011.08785, section 3, eq. 1 and 2, with that shrinkage.
    """

    chosen: Tensor
    scale: Tensor
    mean: Tensor
    whiten: Tensor

    @classmethod
    def of(cls, features: Sequence[Tensor], batch: int = 32) -> Self:
        """Learn from features of normal images, (n, d, y, x) per depth."""
        model, n = cls(), len(features[0])
        d = sum(f.shape[1] for f in features)
        chosen = torch.randperm(d, generator=torch.Generator().manual_seed(0))[:FEATURES].sort().values
        model.put("chosen", chosen)
        parts = [on_one_grid([f[i : i + batch].float() for f in features])[:, chosen] for i in range(0, n, batch)]
        spread = torch.stack([part.std((0, 2, 3), correction=0) for part in parts]).mean(0).clamp_min(1e-3)
        model.put("scale", spread)
        height, width = parts[0].shape[2:]
        total = torch.zeros(height * width, len(chosen))
        square = torch.zeros(height * width, len(chosen), len(chosen))
        for part in parts:
            z = model._by_place(part)  # (positions, b, d)
            total += z.sum(1)
            square += z.mT @ z
        mean = total / n
        covariance = square / n - mean[:, :, None] * mean[:, None]
        share = n / (n + len(chosen))
        covariance = share * covariance + (1 - share) * covariance.mean(0) + RIDGE * torch.eye(len(chosen))
        model.put("mean", mean.view(height, width, -1))
        model.put("whiten", torch.linalg.inv(torch.linalg.cholesky(covariance)))
        return model

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        z = self._by_place(on_one_grid(features)[:, self.chosen])
        height, width, d = self.mean.shape
        whitened = (z - self.mean.view(-1, 1, d)) @ self.whiten.mT  # (positions, b, d)
        distance = (whitened.square().mean(2) + 1e-12).sqrt()
        return distance.mT.view(-1, height, width)  # (b, y, x)

    def _by_place(self, features: Tensor) -> Tensor:
        """(b, d, y, x) -> (positions, b, d) in standard deviations."""
        return features.flatten(2).permute(2, 0, 1) / self.scale


class PositionStatistics(nn.Module):
    """Standardisation of maps per position: (b, y, x) -> the same size."""

    mean: Tensor
    spread: Tensor

    def __init__(self, grid: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(grid))
        self.register_buffer("spread", torch.ones(grid))

    def learn(self, maps: Tensor) -> None:
        """From (n, y, x) maps of held-out normal images."""
        n, mean, square = len(maps), maps.mean(0), maps.square().mean(0)
        share = n / (n + FEW)
        self.mean = share * mean + (1 - share) * maps.mean()
        variance = share * square + (1 - share) * maps.square().mean() - self.mean.square()
        self.spread = variance.clamp_min(0).sqrt() + LEAST_SPREAD

    def forward(self, maps: Tensor) -> Tensor:
        return (maps - self.mean) / self.spread
