"""Compress an item into a few numbers and reconstruct it from them."""

from collections.abc import Iterable
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.cell_loss import CellLoss
from ad_core.methods.losses.channel_errors import ChannelErrors
from ad_core.methods.losses.reconstruction_error import colour_scale, smoothed, worst_mean
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality


class AutoencoderSettings(Settings):
    """Size of the bottleneck, noise in training, and how errors of images are measured."""

    bottleneck: int = Field(
        0,
        ge=0,
        le=4096,
        description="Numbers that an item is compressed into; 0 = by the item's size (an eighth of a table row).",
    )
    noise: float = Field(
        0.1, ge=0, le=2, description="Noise added to the input in training, in standard deviations; 0 = none."
    )
    worst_share: float = Field(
        0.02,
        gt=0,
        le=1,
        description="Images only: the score is the mean error of this share of the pixels, the worst ones.",
    )
    similarity: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Images only: weight of 1 - SSIM (lost structure) in the error; the rest is the squared error.",
    )


@PRETEXTS.register
class Autoencoder(Pretext[AutoencoderSettings]):
    """A network trained on normal items reconstructs normal items well and anomalies badly.

    Loss: squared error [standard deviations squared]; of tables the `CellLoss` of each column; of images a mean of
    squared error and 1 - SSIM around each pixel, per colour. Score: the mean of these errors; of windows each error is
    first divided by the channel's normal squared error and tempered; of images only the worst pixels count.

    The paper uses SSIM alone. The squared error is kept for changes of colour that leave the structure as it is, with
    equal weight as in Zavrtanik et al. 2021, DRAEM, arXiv:2108.07610, sec. 3.1.
    """

    title = "Autoencoder"
    task = "Reconstruct the item from a few numbers."
    finds = "values, spots and signals that break the normal pattern of the whole item"
    misses = "anomalies that are simpler than normal items; in images, faint texture defects"
    source = (
        "Vincent et al. 2008, Extracting and composing robust features with denoising autoencoders, eq. 1; structure "
        "of images: Bergmann et al. 2019, arXiv:1807.02011, eq. 8"
    )
    modalities = frozenset(Modality)
    before: ClassVar[dict[str, object]] = {"similarity": 0.0}
    Settings = AutoencoderSettings
    centre: Tensor
    spread: Tensor

    def __init__(self, settings: AutoencoderSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.cells = CellLoss(shape.parts) if shape.modality is Modality.TABLE else None
        out = shape if self.cells is None else shape.model_copy(update={"size": (self.cells.outputs,)})
        self.bottleneck = _Bottleneck(encoder.d, encoder.grid, settings.bottleneck or _usual_size(shape))
        self.decoder = encoder.decoder(out)
        self.channels = ChannelErrors(shape.size[0]) if shape.modality is Modality.SENSOR else None
        one = (shape.size[0],) + (1,) * (len(shape.size) - 1)
        self.register_buffer("centre", torch.zeros(one))
        self.register_buffer("spread", torch.ones(one))

    def prepare(self, batches: Iterable[Batch]) -> None:
        if self.cells is not None:
            self.cells.learn(batches)
        if self.shape.modality is Modality.IMAGE:  # tables and recordings are standardised by their readers
            self.centre, self.spread = colour_scale(batches)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        target = self._standardised(batch.x)
        noise = draw.normal(len(target), *self.shape.size).to(target.dtype)
        return self._errors(self._rebuilt(target + self.settings.noise * noise), target).flatten(1).mean(1)

    def finish(self, batches: Iterable[Batch]) -> None:
        if self.channels is not None:
            self.channels.learn(self._errors(self._rebuilt(b.x), b.x) for b in batches)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        errors = self.part_scores(x, draw)
        if self.shape.modality is Modality.IMAGE:
            return worst_mean(errors, self.settings.worst_share)
        return errors.flatten(1).mean(1)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        target = self._standardised(x)
        errors = self._errors(self._rebuilt(target), target)
        if self.channels is not None:
            return self.channels(errors)
        return smoothed(errors.mean(1)) if self.shape.modality is Modality.IMAGE else errors

    def expected(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        rebuilt = self._rebuilt(self._standardised(x))
        return self.cells.expected(rebuilt) if self.cells else self._as_read(rebuilt)

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor] | None:
        return None if self.channels is None else self.channels.span(self.expected(x, draw))

    def embed(self, x: Tensor) -> Tensor:
        return self.bottleneck.squeeze(self._parts(self._standardised(x)))  # (b, bottleneck)

    def embed_parts(self, x: Tensor) -> Tensor | None:
        if self.cells is not None:
            return None
        return self._parts(self._standardised(x)).flatten(2).mT  # (b, positions, d)

    def _standardised(self, x: Tensor) -> Tensor:
        return (x - self.centre) / self.spread

    def _as_read(self, standardised: Tensor) -> Tensor:
        return standardised * self.spread + self.centre

    def _parts(self, standardised: Tensor) -> Tensor:
        return self.encoder.parts(self._as_read(standardised) if self.encoder.pretrained else standardised)

    def _rebuilt(self, x: Tensor) -> Tensor:
        code = self.bottleneck.squeeze(self._parts(x))
        rebuilt: Tensor = self.decoder(self.bottleneck.widen(code))
        return rebuilt

    def _errors(self, rebuilt: Tensor, target: Tensor) -> Tensor:
        """(b, columns) of a table, else (b, *item)."""
        if self.cells is not None:
            return self.cells(rebuilt, target)
        rebuilt, share = rebuilt.to(target.dtype), self.settings.similarity
        squares = (rebuilt - target).square()
        if self.shape.modality is not Modality.IMAGE or not share:
            return squares
        return (1 - share) * squares + share * _lost_structure(self._as_read(rebuilt), self._as_read(target))


WINDOW = 11
"""Side of the window of SSIM [px], weighted by a Gaussian of 1.5 px; as in the paper."""

MOST_POSITIONS = {0: (), 1: (256,), 2: (16, 16)}
"""Dimensions of the grid -> its largest size; larger grids are averaged down, to bound the bottleneck's weights."""


class _Bottleneck(nn.Module):
    """(b, d, *grid) -> (b, size) -> (b, d, *grid): first fewer channels, then one layer over all positions."""

    def __init__(self, d: int, grid: tuple[int, ...], size: int) -> None:
        super().__init__()
        self.grid = grid
        self.coarse = tuple(min(n, most) for n, most in zip(grid, MOST_POSITIONS[len(grid)], strict=True))
        self.channels = min(d, 8) if grid else d
        positions = int(torch.Size(self.coarse).numel())
        self.thin, self.thick = nn.Linear(d, self.channels), nn.Linear(self.channels, d)
        self.inwards, self.outwards = (
            nn.Linear(self.channels * positions, size),
            nn.Linear(size, self.channels * positions),
        )

    def squeeze(self, parts: Tensor) -> Tensor:
        if self.coarse != self.grid:
            pool = nn.AdaptiveAvgPool1d if len(self.grid) == 1 else nn.AdaptiveAvgPool2d
            parts = pool(self.coarse)(parts)
        thin = self.thin(parts.flatten(2).mT if self.grid else parts)  # (b, positions, channels)
        code: Tensor = self.inwards(thin.flatten(1))
        return code

    def widen(self, code: Tensor) -> Tensor:
        wide = self.outwards(code)
        parts: Tensor = self.thick(wide.unflatten(1, (-1, self.channels)) if self.grid else wide)
        if not self.grid:
            return parts
        parts = parts.mT.unflatten(2, self.coarse)  # (b, d, *coarse)
        if self.coarse != self.grid:
            parts = F.interpolate(parts, self.grid, mode="linear" if len(self.grid) == 1 else "bilinear")
        return parts


def _lost_structure(rebuilt: Tensor, x: Tensor) -> Tensor:
    """(b, channel, y, x) twice, in 0..1 -> the same size: 1 - SSIM, 0 = equal, 2 = inverted."""
    from kornia.metrics import ssim  # takes half a second to import, and only images need it

    return 1 - ssim(rebuilt.contiguous(), x.contiguous(), WINDOW)


def _usual_size(shape: ItemShape) -> int:
    if shape.modality is Modality.TABLE:
        return min(64, max(2, shape.entries // 8))
    return min(256, max(4, shape.entries // 16))
