"""Augmentations of images with quarter turns."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.augmentations.images import ImageAugmentations
from ad_core.types import Draw, ItemShape

NAMES = ("nothing done", "a quarter turn", "half a turn", "three quarter turns")


class RotatedImages(nn.Module):
    """Copy r is turned by r quarter turns; large images are reduced first.

    Copies are mirrored left to right before they are turned, so a mirrored copy has the same turn: by a horizontal flip
    of copies 0 and 2, by a vertical flip of copies 1 and 3.

    Args:
        shape: of an image.
        ways: number of turns, the first being none.
        pixels: largest side; larger images are reduced.
        crop: least share of the image's area that an augmented copy shows.
        colour: how strongly the light of augmented copies changes.

    Raises:
        MethodError: images are not square, or there are not that many turns.
    """

    def __init__(self, shape: ItemShape, ways: int, pixels: int, crop: float, colour: float) -> None:
        super().__init__()
        _, high, wide = shape.size
        if high != wide:
            raise MethodError(
                f"Only square images can be turned, but these are {high} high and {wide} wide. Make them square, or "
                f"choose another pretext task."
            )
        if ways > len(NAMES):
            raise MethodError(f"There are {len(NAMES)} turns of an image, not {ways}. Lower pretext.transformations.")
        self.names, self.pixels = list(NAMES[:ways]), pixels
        self.photographs = ImageAugmentations(shape, crop, colour)

    def learn(self, chunks: Iterable[Tensor]) -> None:
        """Nothing to learn."""

    def disturbed(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, channel, y, x) -> (b, ways, channel, y, x): cropped, mirrored, with changed light; not turned yet."""
        ways = len(self.names)
        copies = self._shrunk(x).repeat_interleave(ways, 0)
        changed: Tensor = self.photographs.disturbed(copies, draw).unflatten(0, (len(x), ways))
        return changed

    def forward(self, copies: Tensor) -> Tensor:
        """(b, ways, channel, y, x) -> the same but for the size, copy r turned by r quarter turns."""
        small = self._shrunk(copies.flatten(0, 1)).unflatten(0, copies.shape[:2])
        return torch.stack([copy.rot90(r, (2, 3)) for r, copy in enumerate(small.unbind(1))], 1)

    def _shrunk(self, x: Tensor) -> Tensor:
        """(b, channel, y, x) -> means over areas, no larger than `pixels`."""
        side = self.pixels
        return x if x.shape[2] <= side else F.adaptive_avg_pool2d(x, (side, side))
