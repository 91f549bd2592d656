"""Features of images from a small network that is trained on them alone: for those who want no foreign weights."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (24, 48, 64)
"""Channels of the stages, each of half the size."""

LARGE = 128
"""Images of so many pixels and more are halved first, for speed."""


class OwnFeatures(nn.Module):
    """(b, channel, y, x) in 0..1 -> features of the second and third stage.

    Group normalisation (Wu and He 2018): an image's features know nothing of its batch.
    """

    channels: Sequence[int] = WIDTHS[1:]

    def __init__(self, colours: int, side: int) -> None:
        super().__init__()
        self.halve = side >= LARGE
        inputs = (colours, *WIDTHS[:-1])
        self.stages = nn.ModuleList(_stage(i, o) for i, o in zip(inputs, WIDTHS, strict=True))

    def forward(self, x: Tensor) -> list[Tensor]:
        h = F.avg_pool2d(x, 2) if self.halve else x
        h, found = (h - 0.5) / 0.25, []
        for stage in self.stages:
            h = stage(h)
            found.append(h)
        return found[1:]


def _stage(channels: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, 2, 1), nn.GroupNorm(4, width), nn.GELU(),
        nn.Conv2d(width, width, 3, 1, 1), nn.GroupNorm(4, width), nn.GELU(),
    )  # fmt: skip
