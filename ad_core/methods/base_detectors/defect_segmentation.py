"""Defect segmentation: a small network on features of a backbone, trained with synthetic defects."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.networks.imagenet_features import on_grid

WIDTH = 96
"""Channels of the network."""

BLUR = 1 / 48
"""Standard deviation of the blur of a map as it is shown, as a share of the image's side."""


class DefectSegmentation(nn.Module):
    """Features of a backbone -> (b, y, x) logit of a defect at each position.

    Args:
        channels: number of channels per depth.
        grid: (y, x) of the first depth.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, channels: Sequence[int], grid: tuple[int, int]) -> None:
        super().__init__()
        d, self.channels = sum(channels), list(channels)
        self.inwards = nn.ModuleList(nn.Conv2d(c, WIDTH, 1, bias=False) for c in channels)
        self.head = nn.Sequential(
            nn.BatchNorm2d(WIDTH),
            nn.GELU(),
            nn.Conv2d(WIDTH, WIDTH, 3, 1, 1, groups=WIDTH),
            nn.Conv2d(WIDTH, WIDTH, 1),
            nn.BatchNorm2d(WIDTH),
            nn.GELU(),
            nn.Dropout2d(0.1),
            nn.Conv2d(WIDTH, 1, 1),
        )
        self.register_buffer("centre", torch.zeros(d, 1, 1))
        self.register_buffer("spread", torch.ones(d, 1, 1))
        self.grid = grid

    @classmethod
    def for_features(cls, features: Sequence[Tensor]) -> Self:
        """A new network for features of these shapes."""
        height, width = features[0].shape[2:]
        return cls([f.shape[1] for f in features], (int(height), int(width)))

    def learn_scale(self, features: Sequence[Tensor]) -> Self:
        """Mean and spread of each channel, from features of normal images."""
        parts = [(f.float().mean((0, 2, 3)), f.float().std((0, 2, 3), correction=0)) for f in features]
        self.centre = torch.cat([mean for mean, _ in parts])[:, None, None].to(self.centre)
        self.spread = torch.cat([spread for _, spread in parts]).clamp_min(1e-3)[:, None, None].to(self.spread)
        return self

    def standardised(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Standardised features, each depth on its own grid."""
        scales = zip(self.centre.split(self.channels), self.spread.split(self.channels), strict=True)
        return [(f - centre) / spread for f, (centre, spread) in zip(features, scales, strict=True)]

    def judged(self, standardised: Sequence[Tensor]) -> Tensor:
        """(b, y, x) logit of a defect at each position. The 1 x 1 convolutions are applied on the coarse grids, where
        they cost least; interpolating afterwards gives the same result.
        """
        of_grid: dict[torch.Size, Tensor] = {}
        for mix, features in zip(self.inwards, standardised, strict=True):
            part = mix(features)
            size = part.shape[2:]
            of_grid[size] = of_grid[size] + part if size in of_grid else part
        fine = [on_grid(part, self.grid) for part in of_grid.values()]
        logits: Tensor = self.head(torch.stack(fine).sum(0))
        return logits[:, 0].float()

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        return self.judged(self.standardised(features))


def as_shown(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """(b, y, x) on the grid -> (b, height, width) of the item, interpolated and blurred."""
    from kornia.filters import gaussian_blur2d

    fine = F.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)
    sigma = max(0.5, BLUR * max(size))
    reach = min(2 * int(3 * sigma) + 1, 2 * ((min(size) - 1) // 2) + 1)
    return gaussian_blur2d(fine, (reach, reach), (sigma, sigma))[:, 0]
