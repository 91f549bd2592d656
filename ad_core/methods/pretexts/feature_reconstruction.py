"""Predict what a frozen network sees at hidden places of an image from what it sees around them."""

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
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality

DEPTHS = (4, 7)
"""Blocks of the frozen network: what 8 and 16 pixels look like, with their surroundings."""

MOST_BYTES = 2**29
"""During a training the images' features are kept up to this size (512 MiB); those of more are computed every time."""

DILATIONS = (1, 2, 1, 2)
"""Of the predicting network's layers: it looks 6 positions far."""

HARDLY = 0.1
"""Weight of the positions that hardly teach."""


class FeatureReconstructionSettings(AnySettings):
    """What is hidden from the network, how it is kept from copying, and what of the map is the score."""

    hidden_share: float = Field(0.25, ge=0, le=0.9, description="Share of an image that is hidden in training.")
    block: int = Field(2, ge=1, le=16, description="Side of a hidden block, in positions of 8 pixels.")
    noise: float = Field(
        0.3, ge=0, le=10, description="Noise added to the features that are not hidden, in standard deviations."
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Share of the network's first numbers that are left out.")
    easy_share: float = Field(
        0.5, ge=0, lt=1, description="Share of an image's positions, the best predicted ones, that hardly teach."
    )
    width: int = Field(64, ge=8, le=1024, multiple_of=8, description="Channels of the predicting network.")
    worst_share: float = Field(
        0.01, gt=0, le=1, description="Share of the positions, the worst predicted ones, whose mean is the score."
    )


@PRETEXTS.register
class FeatureReconstruction(Pretext):
    """What a network taught with everyday photographs sees at a usual place can be told from the image around it.

    Features of `ad_core.methods.networks.imagenet_features` at two depths, each channel in standard deviations around
    its mean over the training images. In training blocks of positions are hidden and the others get noise, numbers
    are left out at random in the network's first layer, and it predicts the features everywhere. So it can't just pass
    on what it is shown.

    Loss: squared error, mean over the channels; the best predicted positions of an image count a tenth, so that the
    network doesn't learn to predict whatever comes. Score: nothing is hidden; the mean of the worst predicted ones.
    """

    title = "Feature reconstruction"
    asks = "What does an experienced eye see at my hidden places?"
    finds = "local defects: spots, scratches, breaks, missing or foreign parts; it shows where they are"
    misses = "very thin lines; anomalies that continue regularly; things that are odd only as a whole"
    source = (
        "You et al. 2022, UniAD, arXiv:2206.03687, sec. 3; hardly taught easy positions and dropout after Guo et al. "
        "2024, Dinomaly, arXiv:2405.14325, sec. 3"
    )
    modalities = frozenset({Modality.IMAGE})
    Settings = FeatureReconstructionSettings
    settings: FeatureReconstructionSettings
    centre: Tensor
    spread: Tensor

    def __init__(self, settings: FeatureReconstructionSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.encoder.requires_grad_(False)  # the frozen network stands in for it; their positions are the same
        self.frozen = ImagenetFeatures(DEPTHS)
        channels = sum(self.frozen.channels)
        self.register_buffer("centre", torch.zeros(channels, 1, 1))
        self.register_buffer("spread", torch.ones(channels, 1, 1))
        self.predictor = _Predictor(channels, settings.width, settings.dropout)
        self.memory: _Memory | None = None

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": 4}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Mean and standard deviation of every channel; the images' features are kept until `finish`."""
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
        """(b, channels, y, x) as the frozen network gives them, on the encoder's positions."""
        found, grid = on_one_grid(self.frozen(x)).to(x.dtype), self.encoder.grid
        return found if found.shape[2:] == torch.Size(grid) else F.interpolate(found, grid, mode="bilinear")

    def _remembered(self, batch: Batch) -> Tensor:
        """The same without gradient, from memory where it is kept."""
        with torch.no_grad():
            if self.memory is None or batch.rows is None:
                return self._features(batch.x)
            return self.memory.features(batch.x, batch.rows.tolist(), self._features)

    def _standardised(self, features: Tensor) -> Tensor:
        return (features - self.centre) / self.spread

    def _errors(self, truth: Tensor, shown: Tensor, hidden: Tensor) -> Tensor:
        """(b, y, x) squared error of what is predicted from `shown` where it is not hidden."""
        return (self.predictor(shown, hidden).to(truth.dtype) - truth).square().mean(1)  # type: ignore[no-any-return]


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
        h = self.enter(torch.cat([shown * (1 - mask), mask], 1))
        for layer in self.layers:
            h = h + layer(h)
        return self.leave(h)  # type: ignore[no-any-return]


class _Memory:
    """Features of images by their position in the frame, in half precision, of as many as have room."""

    def __init__(self) -> None:
        self.kept: dict[int, Tensor] = {}
        self.bytes = 0

    def features(self, x: Tensor, rows: list[int], compute: Callable[[Tensor], Tensor]) -> Tensor:
        """(b, channels, y, x) of the images at these positions; what isn't kept is computed, and kept if it fits."""
        missing = [i for i, row in enumerate(rows) if row not in self.kept]
        computed = dict(zip(missing, compute(x[missing]), strict=True)) if missing else {}
        for i, features in computed.items():
            half = features.half()
            if self.bytes + half.nbytes <= MOST_BYTES:
                self.kept[rows[i]], self.bytes = half, self.bytes + half.nbytes
        return torch.stack([computed[i] if i in computed else self.kept[row].to(x) for i, row in enumerate(rows)])


def _blocks(share: float, side: int, like: Tensor, draw: Draw) -> Tensor:
    """(b, y, x) bool: about this share is hidden, in square blocks of a grid that lies anywhere."""
    b, _, high, wide = like.shape
    lots = draw.bernoulli(share, b, 1 + -(-high // side), 1 + -(-wide // side))
    every = lots.repeat_interleave(side, 1).repeat_interleave(side, 2)
    top, left = draw.integers(side, b), draw.integers(side, b)
    down = top[:, None] + torch.arange(high, device=like.device)  # (b, y)
    across = left[:, None] + torch.arange(wide, device=like.device)  # (b, x)
    item = torch.arange(b, device=like.device)[:, None, None]
    return every[item, down[:, :, None], across[:, None]]
