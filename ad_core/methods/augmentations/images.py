"""Augmentations of images: crop, mirror and change of light."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ad_core.types import Draw, ItemShape

NARROWEST, WIDEST = 3 / 4, 4 / 3
"""Limits of a crop's aspect ratio, relative to the image's."""

LIGHT, HUE, CHANGED = 0.8, 0.2, 0.8
"""At strength 1: largest change of brightness, contrast and saturation; of the hue, as a share of its circle; and share
of the copies that are changed (Chen et al. 2020, appendix A)."""


class ImageAugmentations:
    """Random crops of images, mirrored and with changed light, each image by its own random numbers.

    Args:
        shape: of an image.
        least_crop: least share of the image's area that a copy shows, resized; 1 = all of it.
        colour: how strongly brightness and contrast change, and in colour images saturation and hue; 0 = not at all.
        grey: share of the copies of colour images that lose their colours.
        mirrored: share of the copies whose left and right are exchanged.
    """

    def __init__(
        self, shape: ItemShape, least_crop: float, colour: float, grey: float = 0.2, mirrored: float = 0.5
    ) -> None:
        self.coloured = shape.size[0] == 3
        self.least_crop, self.colour, self.mirrored = least_crop, colour, mirrored
        self.grey = grey if self.coloured else 0.0

    def disturbed(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, channel, y, x) in 0..1 -> one copy of each, of the same size and range."""
        with torch.autocast(x.device.type, enabled=False):  # half precision would shift pixels
            return self.lit(self._piece(x, draw), draw)

    def lit(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, channel, y, x) in 0..1 -> the same size: the uncropped images with changed light."""
        if not self.colour and not self.grey:
            return x
        with torch.autocast(x.device.type, enabled=False):
            return self._lit(x, draw)

    def _piece(self, x: Tensor, draw: Draw) -> Tensor:
        area, ratio, left, top, side = draw.uniform(len(x), 5).to(x.dtype).unbind(1)
        area = self.least_crop + (1 - self.least_crop) * area
        ratio = (math.log(NARROWEST) + (math.log(WIDEST) - math.log(NARROWEST)) * ratio).exp()
        ratio = ratio.clamp(area, 1 / area)  # so that it fits into the image
        wide, high = (area * ratio).sqrt(), (area / ratio).sqrt()
        along = (2 * left - 1) * (1 - wide), torch.where(side < self.mirrored, -wide, wide)  # middle and half width
        down = (2 * top - 1) * (1 - high), high
        places = [
            middle[:, None] + half[:, None] * _centres(size, x)
            for (middle, half), size in ((along, x.shape[3]), (down, x.shape[2]))
        ]  # (b, x), (b, y)
        grid = torch.stack(torch.broadcast_tensors(places[0][:, None, :], places[1][:, :, None]), 3)  # (b, y, x, 2)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    def _lit(self, x: Tensor, draw: Draw) -> Tensor:
        from kornia.color import rgb_to_grayscale
        from kornia.enhance import adjust

        b = len(x)
        light = 1 + LIGHT * self.colour * (2 * draw.uniform(b, 3).to(x.dtype) - 1)  # (b, 3)
        bright, contrast, saturation = light.clamp_min(0).unbind(1)
        found = adjust.adjust_brightness_accumulative(x, bright)
        found = adjust.adjust_contrast_with_mean_subtraction(found, contrast)
        turn = 2 * math.pi * HUE * self.colour * (2 * draw.uniform(b).to(x.dtype) - 1)
        if self.coloured:
            found = adjust.adjust_saturation_with_gray_subtraction(found, saturation)
            found = adjust.adjust_hue(found, turn)
        found = torch.where(draw.bernoulli(CHANGED, b, 1, 1, 1), found, x)
        if self.grey:
            found = torch.where(draw.bernoulli(self.grey, b, 1, 1, 1), rgb_to_grayscale(found), found)
        return found


def _centres(size: int, x: Tensor) -> Tensor:
    """Middles of the pixels along an axis that runs from -1 to 1."""
    return (2 * torch.arange(size, device=x.device, dtype=x.dtype) + 1) / size - 1
