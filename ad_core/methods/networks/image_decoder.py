"""From embeddings of an image's positions back to the image."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ImageDecoder(nn.Module):
    """(b, d, y/8, x/8) -> (b, channel, y, x): doubles the size three times, then interpolates to other sizes.

    Args:
        d: number of input channels, at least 8.
        size: (channel, y, x) of the output.
    """

    def __init__(self, d: int, size: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size
        steps = []
        for channels, width in ((d, d // 2), (d // 2, d // 4), (d // 4, d // 8)):
            steps += [nn.Conv2d(channels, 4 * width, 3, 1, 1), nn.PixelShuffle(2), nn.GELU()]
        self.up = nn.Sequential(*steps, nn.Conv2d(d // 8, size[0], 3, 1, 1))

    def forward(self, parts: Tensor) -> Tensor:
        x: Tensor = self.up(parts)
        if x.shape[2:] != torch.Size(self.size[1:]):
            x = F.interpolate(x, self.size[1:], mode="bilinear", align_corners=False)
        return x
