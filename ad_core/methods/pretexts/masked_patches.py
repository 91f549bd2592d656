"""Hide squares of an image and predict them from their surroundings."""

from collections.abc import Iterable, Iterator

import torch
from pydantic import Field
from torch import Tensor

from ad_core.errors import MethodError
from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.reconstruction_error import colour_scale, smoothed, worst_mean
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind

LEAST_SQUARE = 2
"""Least side of a hidden square [px]: a single pixel follows from its neighbours, normal or not."""


class MaskedPatchesSettings(Settings):
    """Size and number of the hidden squares, and which errors are the score."""

    finest: int = Field(
        32, ge=4, le=256, description="Number of the smallest hidden squares along the image's shorter side."
    )
    sizes: int = Field(3, ge=1, le=5, description="Number of sizes of squares, each twice the one before.")
    groups: int = Field(
        3,
        ge=2,
        le=10,
        description="Number of groups into which the squares are divided; one group is hidden at a time.",
    )
    worst_share: float = Field(
        0.02,
        gt=0,
        le=1,
        description="The score is the mean error of this share of the pixels, the worst predicted ones.",
    )


@PRETEXTS.register
class MaskedPatches(Pretext[MaskedPatchesSettings]):
    """A network trained on normal images fills a hidden square with what is normal; a defect differs from that.

    Loss: squared error over the hidden pixels [standard deviations squared], for a random size of squares and a random
    group. Map: for every size each pixel is hidden once, and the squared errors are smoothed; mean over the sizes.
    Score: mean of the map's worst pixels. A further input channel marks the hidden pixels.
    """

    title = "Masked patches"
    task = "Predict hidden squares of the image from their surroundings."
    finds = "defects and objects that don't follow from their surroundings"
    misses = "large faults that extend beyond the hidden squares; faults in fine, irregular textures"
    source = "Zavrtanik et al. 2021, Reconstruction by inpainting (RIAD), Pattern Recognition 112; squared error alone"
    modalities = frozenset({Modality.IMAGE})
    pretrained_fits = False
    Settings = MaskedPatchesSettings
    centre: Tensor
    spread: Tensor

    def __init__(self, settings: MaskedPatchesSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        side = min(shape.size[1:])
        smallest = max(LEAST_SQUARE, side // settings.finest)
        self.squares = [s for s in (smallest * 2**k for k in range(settings.sizes)) if 2 * s <= side]
        if not self.squares:
            raise MethodError(
                f"Images of {shape.size[1]} x {shape.size[2]} pixels are too small to hide squares in them. Choose a "
                f"larger size for the images."
            )
        self.decoder = encoder.decoder(shape)
        self.register_buffer("centre", torch.zeros(shape.size[0], 1, 1))
        self.register_buffer("spread", torch.ones(shape.size[0], 1, 1))

    @classmethod
    def encoder_shape(cls, settings: MaskedPatchesSettings, shape: ItemShape) -> ItemShape:  # noqa: ARG003
        """The image, and a channel that marks hidden pixels."""
        old, channels = shape.parts, shape.size[0]
        parts = old.model_copy(
            update={
                "names": (*old.names, "hidden"),
                "of_entry": (*old.of_entry, len(old.names)),
                "kinds": (*old.kinds, PartKind.NUMBER),
                "units": (*old.units, None),
            }
        )
        return shape.model_copy(update={"size": (channels + 1, *shape.size[1:]), "parts": parts})

    def prepare(self, batches: Iterable[Batch]) -> None:
        self.centre, self.spread = colour_scale(batches)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        target, b = self._standardised(batch.x), len(batch.x)
        which = draw.integers(len(self.squares), b).view(b, 1, 1)
        hidden = torch.zeros(b, *self.shape.size[1:], dtype=torch.bool, device=target.device)
        for size, square in enumerate(self.squares):
            hidden = torch.where(which == size, self._groups(square, b, draw) == 0, hidden)
        errors = self._errors(self._painted(target, hidden), target)
        return (errors * hidden).sum((1, 2)) / hidden.sum((1, 2)).clamp_min(1)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return worst_mean(self.part_scores(x, draw), self.settings.worst_share)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:
        target = self._standardised(x)
        maps = [smoothed(self._errors(painted, target)) for painted in self._all_painted(target, draw)]
        return torch.stack(maps).mean(0)  # (b, y, x)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:
        painted = torch.stack(list(self._all_painted(self._standardised(x), draw))).mean(0)
        return painted * self.spread + self.centre

    def embed(self, x: Tensor) -> Tensor:
        return self.encoder(self._shown(x))

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(self._shown(x)).flatten(2).mT  # (b, positions, d)

    def _all_painted(self, x: Tensor, draw: Draw) -> Iterator[Tensor]:
        """(b, channel, y, x) per size of squares: each pixel's prediction while it was hidden."""
        for square in self.squares:
            group = self._groups(square, len(x), draw)
            painted = torch.zeros_like(x)
            for hidden in (group == g for g in range(self.settings.groups)):
                painted = torch.where(hidden[:, None], self._painted(x, hidden), painted)
            yield painted

    def _groups(self, square: int, b: int, draw: Draw) -> Tensor:
        """(b, y, x): the group of each pixel's square; the groups differ by at most one square in size."""
        high, wide = self.shape.size[1:]
        down, across = -(-high // square), -(-wide // square)
        group = draw.permutations(down * across, b).view(b, down, across) % self.settings.groups
        return group.repeat_interleave(square, 1).repeat_interleave(square, 2)[:, :high, :wide]

    def _painted(self, x: Tensor, hidden: Tensor) -> Tensor:
        """The network's prediction from the standardised image without the hidden pixels (b, y, x)."""
        shown = torch.cat([x * ~hidden[:, None], hidden[:, None].to(x.dtype)], 1)
        painted: Tensor = self.decoder(self.encoder.parts(shown))
        return painted.to(x.dtype)

    def _shown(self, x: Tensor) -> Tensor:
        """The encoder's input for the standardised image with nothing hidden."""
        whole = self._standardised(x)
        return torch.cat([whole, torch.zeros_like(whole[:, :1])], 1)

    def _standardised(self, x: Tensor) -> Tensor:
        return (x - self.centre) / self.spread

    @staticmethod
    def _errors(painted: Tensor, target: Tensor) -> Tensor:
        """(b, y, x) mean over the colours."""
        return (painted - target).square().mean(1)
