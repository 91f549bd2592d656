"""What normal images show at each place: one Gaussian per place, and what a map usually says there."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from ad_core.methods.networks.imagenet_features import on_one_grid
from ad_core.methods.pretext import TensorGroup

FEATURES = 64
"""So many of the features are used, drawn at random: more cost time and say little more (Defard et al. 2021, 4.2)."""

RIDGE = 0.01
"""Added to every variance, as in the source."""

FEW = 10
"""What is usual at a place starts from so many images in which it is as everywhere."""

LEAST_SPREAD = 0.1
"""Added to the spread of what is usual at a place."""


class PatchGaussians(TensorGroup):
    """Features of a backbone -> (b, y, x) Mahalanobis distance of each place from what normal images show there.

    The covariance of a place is drawn towards that of all places, as if that were known from as many images as it has
    features: few images say little about each place.

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
            z = model._by_place(part)  # (places, b, d)
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
        whitened = (z - self.mean.view(-1, 1, d)) @ self.whiten.mT  # (places, b, d)
        distance = (whitened.square().mean(2) + 1e-12).sqrt()
        return distance.mT.view(-1, height, width)  # (b, y, x)

    def _by_place(self, features: Tensor) -> Tensor:
        """(b, d, y, x) -> (places, b, d) in standard deviations."""
        return features.flatten(2).permute(2, 0, 1) / self.scale


class PositionStatistics(nn.Module):
    """What a map usually says at each place: (b, y, x) -> the same in standard deviations beyond it."""

    mean: Tensor
    spread: Tensor

    def __init__(self, grid: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(grid))
        self.register_buffer("spread", torch.ones(grid))

    def learn(self, maps: Tensor) -> None:
        """From (n, y, x) maps of normal images that did not teach."""
        n, mean, square = len(maps), maps.mean(0), maps.square().mean(0)
        share = n / (n + FEW)
        self.mean = share * mean + (1 - share) * maps.mean()
        variance = share * square + (1 - share) * maps.square().mean() - self.mean.square()
        self.spread = variance.clamp_min(0).sqrt() + LEAST_SPREAD

    def forward(self, maps: Tensor) -> Tensor:
        return (maps - self.mean) / self.spread
