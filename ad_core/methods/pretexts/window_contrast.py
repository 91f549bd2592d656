"""Map normal windows close to a centre, and tell them from copies with an injected anomaly."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

LEAST_CENTRE = 0.1
"""Least absolute value of the centre's coordinates: a centre at 0 is reached by setting all weights to 0."""

SHORTEST, LONGEST = 1 / 8, 1 / 2
"""Smallest and largest share of the window for which a level is held."""

KINDS = 3
"""Number of kinds of injected anomalies: a held level, a value out of context, a value out of range."""


class WindowContrastSettings(Settings):
    """Size of the network and of the embedding, and weight of the injected anomalies."""

    width: int = Field(32, ge=2, le=1024, description="Channels of the network.")
    size: int = Field(16, ge=1, le=1024, description="Size of the embedding.")
    injected_share: float = Field(
        0.2, gt=0, le=1, description="Share of a batch of whose windows a copy with an anomaly is made."
    )
    injected_weight: float = Field(
        1.0, ge=0, le=100, description="Weight of recognising those copies; 0 = only the distance to the centre counts."
    )


@PRETEXTS.register
class WindowContrast(Pretext[WindowContrastSettings]):
    """A network that maps normal windows close together, and away from windows with a fault, finds faulty windows.

    Two heads map a window to z and z', c is the mean of z before training, d = |z - c|^2 and d' = |z' - c|^2, both
    divided by their mean before training. Loss: exp(-v) (d + d') / 2 + v / 2 with v = (d - d')^2, which lowers the
    weight of windows on which the heads disagree, plus the weighted squared error of a linear classifier of z with the
    target -1 for unchanged windows and 1 for copies with an anomaly: some channels keep their lowest or highest value
    for a while, or have a single value out of its context or out of the channel's range. Score: d + d'.

    Unlike the source, features are pooled over the whole window instead of its end, and anomalies lie anywhere in it.
    """

    title = "Window contrast"
    task = "Predict whether an anomaly was injected into the window."
    finds = "windows that as a whole are unlike the others: held levels, values out of range, another operating mode"
    misses = "small, short and subtle faults; faults unlike the injected ones; it can't locate a fault in the window"
    source = "Xu et al. 2024, Calibrated one-class classification, TKDE, arXiv:2207.12201 (COUTA), sections 3.2 and 3.3"
    modalities = frozenset({Modality.SENSOR})
    Settings = WindowContrastSettings
    encoder_name = "dilated_conv"
    centre: Tensor
    usual: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, settings: WindowContrastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.channels, self.time = shape.size
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(encoder.d, encoder.d), nn.LeakyReLU(), nn.Linear(encoder.d, settings.size, bias=False)
            )
            for _ in range(2)
        )
        self.judge = nn.Linear(settings.size, 1)
        self.register_buffer("centre", torch.full((settings.size,), LEAST_CENTRE))
        self.register_buffer("usual", torch.ones(2))
        self.register_buffer("low", torch.full((self.channels,), -1.0))
        self.register_buffer("high", torch.ones(self.channels))

    @classmethod
    def encoder_settings(cls, settings: WindowContrastSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """The centre, the mean distance from it before training, and each channel's range."""
        mean, _ = mean_and_spread(self.embed(batch.x) for batch in batches)
        least = torch.where(mean < 0, -LEAST_CENTRE, LEAST_CENTRE)
        self.centre = torch.where(mean.abs() < LEAST_CENTRE, least, mean).to(self.centre)
        self.usual = torch.ones_like(self.usual)
        usual, _ = mean_and_spread(self._distances(batch.x)[0] for batch in batches)
        self.usual = usual.clamp_min(1e-12).to(self.usual)
        low, high = (torch.full_like(self.low, end) for end in (torch.inf, -torch.inf))
        for batch in batches:
            low, high = torch.minimum(low, batch.x.amin((0, 2))), torch.maximum(high, batch.x.amax((0, 2)))
        self.low, self.high = low, high

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        x, chosen = batch.x, max(1, round(self.settings.injected_share * len(batch.x)))
        distances, z = self._distances(x)
        doubt = (distances[:, 0] - distances[:, 1]).square()
        gathered = (-doubt).exp() * distances.sum(1) / 2 + doubt / 2
        tampered = self.embed(self._tampered(x[draw.permutations(len(x), 1)[0, :chosen]], draw))
        verdicts = self.judge(torch.cat([z, tampered])).to(x.dtype)[:, 0]
        truth = torch.ones_like(verdicts)
        truth[: len(x)] = -1
        told_apart = (verdicts - truth).square().mean()
        loss: Tensor = gathered + self.settings.injected_weight * told_apart
        return loss

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._distances(x)[0].sum(1)

    def embed(self, x: Tensor) -> Tensor:
        z: Tensor = self.heads[0](self.encoder(x))
        return z  # (b, size)

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).mT  # (b, time, d)

    def _distances(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(b, 2) squared distances to the centre divided by their means, and the (b, size) first embedding."""
        h = self.encoder(x)
        z = torch.stack([head(h) for head in self.heads], 1)  # (b, 2, size)
        return (z.to(x.dtype) - self.centre).square().sum(2) / self.usual, z[:, 0]

    def _tampered(self, x: Tensor, draw: Draw) -> Tensor:
        """The windows, each with an anomaly of a random kind in one or more channels that vary in training."""
        b, time = len(x), torch.arange(self.time, device=x.device)
        kind, up = draw.integers(KINDS, b)[:, None], draw.bernoulli(0.5, b, 1)
        share = SHORTEST + (LONGEST - SHORTEST) * draw.uniform(b, 1)
        length = torch.where(kind == 0, (share * self.time).long().clamp_min(1), 1)
        start = (draw.uniform(b, 1) * (self.time - length + 1)).long()
        span = (time >= start) & (time < start + length)  # (b, time)
        reach, sign = self.high - self.low, torch.where(up, 1.0, -1.0)
        held = torch.where(up, self.high, self.low)
        out_of_context, out_of_range = x.mean(2) + sign * reach / 2, self.low + 2 * sign * reach
        value = torch.where(kind == 0, held, torch.where(kind == 1, out_of_context, out_of_range))  # (b, channel)
        return torch.where(span[:, None] & self._some(b, draw)[:, :, None], value[:, :, None], x)

    def _some(self, b: int, draw: Draw) -> Tensor:
        """(b, channel) bool: about half of the channels that vary in training, and at least one of them."""
        varies = self.high > self.low
        one = F.one_hot((draw.uniform(b, self.channels) + 1).mul(varies).argmax(1), self.channels).bool()
        return one | (draw.bernoulli(0.5, b, self.channels) & varies)
