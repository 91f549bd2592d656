"""Predict the features of a frozen network at hidden positions of an image from the features around them."""

from collections.abc import Callable, Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.reconstruction_error import worst_mean
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.networks.imagenet_features import ImagenetFeatures, on_one_grid
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

DEPTHS = (4, 7)
"""Blocks of the frozen network whose features are predicted; one position per 8 and per 16 pixels."""

MOST_BYTES = 2**29
"""Memory for the images' features during a training (512 MiB); features of further images are computed every time."""

DILATIONS = (1, 2, 1, 2)
"""Dilations of the predictor's layers; they add up to a reach of 6 positions."""

HARDLY = 0.1
"""Weight in the loss of the positions that are predicted best."""


class FeatureReconstructionSettings(Settings):
    """What is hidden, how copying of the input is prevented, and which share of the map is the score."""

    hidden_share: float = Field(0.25, ge=0, le=0.9, description="Share of an image that is hidden in training.")
    block: int = Field(2, ge=1, le=16, description="Side of a hidden block, in positions of 8 pixels.")
    noise: float = Field(
        0.3, ge=0, le=10, description="Noise added to the features that are not hidden, in standard deviations."
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout in the predictor's first layer.")
    easy_share: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of an image's positions, the best predicted ones, that get a low weight in the loss.",
    )
    width: int = Field(64, ge=8, le=1024, multiple_of=8, description="Channels of the predictor.")
    worst_share: float = Field(
        0.01,
        gt=0,
        le=1,
        description="The score is the mean error of this share of the positions, the worst predicted ones.",
    )


@PRETEXTS.register
class FeatureReconstruction(Pretext[FeatureReconstructionSettings]):
    """In a normal image the ImageNet features of a position follow from those around it; at a defect they do not.

    Features of `ad_core.methods.networks.imagenet_features` at two depths, each channel standardised over the training
    images. In training blocks of positions are hidden, the others get noise, the first layer has dropout, and the
    predictor predicts the features of all positions. So it can't simply copy its input.

    Loss: squared error, mean over the channels; the best predicted positions of an image have a weight of a tenth, so
    that the network doesn't learn to copy anomalies too. Score: mean error of the worst positions, nothing hidden.
    """

    title = "Feature reconstruction"
    task = "Predict the ImageNet features at hidden positions of the image from those around them."
    finds = "local defects: spots, scratches, breaks, missing or foreign parts; it shows where they are"
    misses = "very thin lines; anomalies that continue regularly; objects that are odd only as a whole"
    source = (
        "You et al. 2022, UniAD, arXiv:2206.03687, sec. 3; low weight of easy positions and dropout after Guo et "
        "al. 2024, Dinomaly, arXiv:2405.14325, sec. 3"
    )
    modalities = frozenset({Modality.IMAGE})
    Settings = FeatureReconstructionSettings
    centre: Tensor
    spread: Tensor

    def __init__(self, settings: FeatureReconstructionSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.encoder.requires_grad_(False)  # unused: the frozen network takes its place, on the same positions
        self.frozen = ImagenetFeatures(DEPTHS)
        channels = sum(self.frozen.channels)
        self.register_buffer("centre", torch.zeros(channels, 1, 1))
        self.register_buffer("spread", torch.ones(channels, 1, 1))
        self.predictor = _Predictor(channels, settings.width, settings.dropout)
        self.memory: _Memory | None = None

    @classmethod
    def encoder_settings(cls, settings: FeatureReconstructionSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": 4}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Mean and standard deviation of every channel; the images' features stay in memory until `finish`."""
        self.memory = _Memory()
        mean, spread = mean_and_spread(self._remembered(b).permute(0, 2, 3, 1).flatten(0, 2) for b in batches)
        spread = torch.where(spread > 1e-4, spread, 1.0)  # a channel that never varies counts as it is
        self.centre, self.spread = mean.to(self.centre)[:, None, None], spread.to(self.centre)[:, None, None]

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        seen = self._standardised(self._remembered(batch))
        hidden = _blocks(self.settings.hidden_share, self.settings.block, seen, draw)
        noise = self.settings.noise * draw.normal(*seen.shape).to(seen.dtype)
        errors = self._errors(seen, seen + noise, hidden).flatten(1)  # (b, positions)
        easy = errors.detach().argsort(1)[:, : int(self.settings.easy_share * errors.shape[1])]
        return (errors * torch.ones_like(errors).scatter(1, easy, HARDLY)).mean(1)

    def finish(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.memory = None

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return worst_mean(self.part_scores(x, draw), self.settings.worst_share)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        seen = self._standardised(self._features(x))
        return self._errors(seen, seen, torch.zeros_like(seen[:, 0]))  # (b, y, x)

    def embed(self, x: Tensor) -> Tensor:
        return self._standardised(self._features(x)).mean((2, 3))  # (b, channels)

    def embed_parts(self, x: Tensor) -> Tensor:
        return self._standardised(self._features(x)).flatten(2).mT  # (b, positions, channels)

    def _features(self, x: Tensor) -> Tensor:
        """(b, channels, y, x) features of the frozen network, on the encoder's grid."""
        found, grid = on_one_grid(self.frozen(x)).to(x.dtype), self.encoder.grid
        return found if found.shape[2:] == torch.Size(grid) else F.interpolate(found, grid, mode="bilinear")

    def _remembered(self, batch: Batch) -> Tensor:
        """`_features` without gradient, from memory if they are there."""
        with torch.no_grad():
            if self.memory is None or batch.rows is None:
                return self._features(batch.x)
            return self.memory.features(batch.x, batch.rows.tolist(), self._features)

    def _standardised(self, features: Tensor) -> Tensor:
        return (features - self.centre) / self.spread

    def _errors(self, truth: Tensor, shown: Tensor, hidden: Tensor) -> Tensor:
        """(b, y, x) squared error of the prediction from the positions of `shown` that are not hidden."""
        predicted: Tensor = self.predictor(shown, hidden)
        return (predicted.to(truth.dtype) - truth).square().mean(1)


class _Predictor(nn.Module):
    """(b, channels, y, x), hidden (b, y, x) -> (b, channels, y, x)."""

    def __init__(self, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Conv2d(channels + 1, width, 1), nn.Dropout(dropout))
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(1, width), nn.Conv2d(width, width, 3, 1, d, d), nn.GELU(), nn.Conv2d(width, width, 1)
            )
            for d in DILATIONS
        )
        self.leave = nn.Conv2d(width, channels, 1)

    def forward(self, shown: Tensor, hidden: Tensor) -> Tensor:
        mask = hidden[:, None].to(shown.dtype)
        h: Tensor = self.enter(torch.cat([shown * (1 - mask), mask], 1))
        for layer in self.layers:
            h = h + layer(h)
        predicted: Tensor = self.leave(h)
        return predicted


class _Memory:
    """Features of images by their position in the item set, in half precision, up to `MOST_BYTES`."""

    def __init__(self) -> None:
        self.kept: dict[int, Tensor] = {}
        self.bytes = 0

    def features(self, x: Tensor, rows: list[int], compute: Callable[[Tensor], Tensor]) -> Tensor:
        """(b, channels, y, x) of the images at these positions; missing ones are computed, and kept if they fit."""
        missing = [i for i, row in enumerate(rows) if row not in self.kept]
        computed = dict(zip(missing, compute(x[missing]), strict=True)) if missing else {}
        for i, features in computed.items():
            half = features.half()
            if self.bytes + half.nbytes <= MOST_BYTES:
                self.kept[rows[i]], self.bytes = half, self.bytes + half.nbytes
        return torch.stack([computed[i] if i in computed else self.kept[row].to(x) for i, row in enumerate(rows)])


def _blocks(share: float, side: int, like: Tensor, draw: Draw) -> Tensor:
    """(b, y, x) bool: about this share is hidden, in square blocks on a grid with a random offset."""
    b, _, high, wide = like.shape
    lots = draw.bernoulli(share, b, 1 + -(-high // side), 1 + -(-wide // side))
    every = lots.repeat_interleave(side, 1).repeat_interleave(side, 2)
    top, left = draw.integers(side, b), draw.integers(side, b)
    down = top[:, None] + torch.arange(high, device=like.device)  # (b, y)
    across = left[:, None] + torch.arange(wide, device=like.device)  # (b, x)
    item = torch.arange(b, device=like.device)[:, None, None]
    return every[item, down[:, :, None], across[:, None]]
