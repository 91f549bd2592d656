"""Features of an image without training: brightness, gradients and lines at three scales."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.networks.imagenet_features import AT_A_TIME

WIDTHS = (0.7, 1.4, 2.8)
"""Standard deviations of the smoothing [px], each twice the one before."""

TURNS = 4
"""Number of directions of the line filters."""

CELL, MOST_CELLS = 4, 48
"""Side of a cell [px], and maximum number of cells per side; in larger images the cells are larger."""

LAYOUT = 4
"""Number of cells per side of the features of the whole image."""

REACH = 3
"""Half width of a smoothing kernel, in standard deviations."""


class FixedFilters(nn.Module):
    """(b, channel, y, x) in 0..1 -> [(b, d, cells, cells)]: d = 3 widths x (channels + 9) features of each cell,
    standardised over normal images.

    For each width: the mean of the smoothed colours and of the gradient of their average along both axes; and as root
    mean squares within the cell, the gradient, the difference from the unsmoothed image, and the second derivative in
    four directions (Koenderink and van Doorn 1987, Representation of local geometry in the visual system).

    Args:
        colours: channels of the images.
        size: their height and width [px].
    """

    centre: Tensor
    spread: Tensor

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, x: Tensor) -> list[Tensor]: ...

    def __init__(self, colours: int, size: Sequence[int]) -> None:
        super().__init__()
        height, width = (max(1, min(MOST_CELLS, side // CELL)) for side in size)
        self.grid = height, width
        self.d = len(WIDTHS) * (colours + 2 + 3 + TURNS)
        self.register_buffer("centre", torch.zeros(self.d, 1, 1))
        self.register_buffer("spread", torch.ones(self.d, 1, 1))

    def learn_scale(self, x: Tensor) -> None:
        """Mean and spread over normal images; few at a time, since each has many features of its full size."""
        found = torch.cat([self._filtered(part) for part in x.split(AT_A_TIME)])
        self.centre = found.mean((0, 2, 3))[:, None, None]
        self.spread = found.std((0, 2, 3), correction=0).clamp_min(1e-4)[:, None, None]

    def forward(self, x: Tensor) -> list[Tensor]:
        return [(self._filtered(x) - self.centre) / self.spread]

    @staticmethod
    def whole(features: Tensor) -> Tensor:
        """(b, d, y, x) -> (b, 16 d) of length 1: mean features in a coarse grid."""
        return F.normalize(F.adaptive_avg_pool2d(features, LAYOUT).flatten(1), dim=1)

    def _filtered(self, x: Tensor) -> Tensor:
        return torch.cat([part for width in WIDTHS for part in self._of_width(x, width)], 1)

    def _of_width(self, x: Tensor, width: float) -> list[Tensor]:
        smooth = smoothed(x, width)
        grey, took_away = smooth.mean(1, keepdim=True), (x - smooth).mean(1, keepdim=True)
        g = F.pad(grey, (1, 1, 1, 1), mode="replicate")
        middle, left, right = g[:, :, 1:-1, 1:-1], g[:, :, 1:-1, :-2], g[:, :, 1:-1, 2:]
        above, below = g[:, :, :-2, 1:-1], g[:, :, 2:, 1:-1]
        across, down = (right - left) / 2, (below - above) / 2
        xx, yy = left + right - 2 * middle, above + below - 2 * middle
        xy = (g[:, :, 2:, 2:] + g[:, :, :-2, :-2] - g[:, :, 2:, :-2] - g[:, :, :-2, 2:]) / 4
        angles = [math.pi * turn / TURNS for turn in range(TURNS)]
        lines = [xx * math.cos(a) ** 2 + xy * math.sin(2 * a) + yy * math.sin(a) ** 2 for a in angles]
        strong = torch.cat([took_away, across, down, *lines], 1)
        means = F.adaptive_avg_pool2d(torch.cat([smooth, across, down], 1), self.grid)
        return [means, (F.adaptive_avg_pool2d(strong.square(), self.grid) + 1e-8).sqrt()]


def smoothed(x: Tensor, width: float) -> Tensor:
    """(b, channel, y, x) through a Gaussian of this standard deviation [px]."""
    from kornia.filters import gaussian_blur2d

    side = 2 * min(math.ceil(REACH * width), min(x.shape[2:]) - 1) + 1
    return gaussian_blur2d(x, side, (width, width))
