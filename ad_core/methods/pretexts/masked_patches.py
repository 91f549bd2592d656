"""Hide squares of an image and paint them in from what surrounds them."""

from collections.abc import Iterable, Iterator

import torch
from pydantic import Field
from torch import Tensor

from ad_core.errors import MethodError
from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.reconstruction_error import colour_scale, smoothed, worst_mean
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind

LEAST_SQUARE = 2
"""A single pixel follows from those beside it, whatever it shows."""


class MaskedPatchesSettings(AnySettings):
    """What is hidden, and what of the errors is the score."""

    finest: int = Field(
        32, ge=4, le=256, description="So many of the smallest hidden squares fit across the image's shorter side."
    )
    sizes: int = Field(3, ge=1, le=5, description="Sizes of squares, each twice the one before; one at a time.")
    groups: int = Field(
        3, ge=2, le=10, description="The squares are hidden in so many groups that together cover the image."
    )
    worst_share: float = Field(
        0.02, gt=0, le=1, description="Share of the pixels, the worst painted ones, whose mean error is the score."
    )


@PRETEXTS.register
class MaskedPatches(Pretext):
    """What a network that saw only normal images paints into a gap is usual; where the image differs, it is odd.

    Loss: squared error over the hidden pixels [standard deviations squared], of one size of squares and one group drawn
    at random. Map: for every size each pixel is hidden once, and its squared error is smoothed; mean over the sizes.
    Score: mean of the map's worst pixels. The network sees as a further channel what is hidden.
    """

    title = "Masked patches"
    asks = "What was in the squares that you hid?"
    finds = "defects and objects that don't follow from what surrounds them"
    misses = "large faults that go on outside the hidden squares; faults in fine, irregular textures"
    source = "Zavrtanik et al. 2021, Reconstruction by inpainting (RIAD), Pattern Recognition 112; squared error alone"
    modalities = frozenset({Modality.IMAGE})
    pretrained_fits = False
    Settings = MaskedPatchesSettings
    settings: MaskedPatchesSettings
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
    def encoder_shape(cls, settings: AnySettings, shape: ItemShape) -> ItemShape:  # noqa: ARG003
        """The image, and a channel that says what is hidden."""
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
        return self.encoder(self._shown(x))  # type: ignore[no-any-return]

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(self._shown(x)).flatten(2).mT  # (b, positions, d)

    def _all_painted(self, x: Tensor, draw: Draw) -> Iterator[Tensor]:
        """(b, channel, y, x) per size of squares: each pixel as it was painted while it was hidden."""
        for square in self.squares:
            group = self._groups(square, len(x), draw)
            painted = torch.zeros_like(x)
            for hidden in (group == g for g in range(self.settings.groups)):
                painted = torch.where(hidden[:, None], self._painted(x, hidden), painted)
            yield painted

    def _groups(self, square: int, b: int, draw: Draw) -> Tensor:
        """(b, y, x): to which group each pixel's square belongs; as many squares in each, as far as they go round."""
        high, wide = self.shape.size[1:]
        down, across = -(-high // square), -(-wide // square)
        group = draw.permutations(down * across, b).view(b, down, across) % self.settings.groups
        return group.repeat_interleave(square, 1).repeat_interleave(square, 2)[:, :high, :wide]

    def _painted(self, x: Tensor, hidden: Tensor) -> Tensor:
        """What the network paints, given the standardised image without the hidden pixels (b, y, x)."""
        shown = torch.cat([x * ~hidden[:, None], hidden[:, None].to(x.dtype)], 1)
        return self.decoder(self.encoder.parts(shown)).to(x.dtype)  # type: ignore[no-any-return]

    def _shown(self, x: Tensor) -> Tensor:
        """The standardised image, nothing of which is hidden."""
        whole = self._standardised(x)
        return torch.cat([whole, torch.zeros_like(whole[:, :1])], 1)

    def _standardised(self, x: Tensor) -> Tensor:
        return (x - self.centre) / self.spread

    @staticmethod
    def _errors(painted: Tensor, target: Tensor) -> Tensor:
        """(b, y, x) mean over the colours."""
        return (painted - target).square().mean(1)
