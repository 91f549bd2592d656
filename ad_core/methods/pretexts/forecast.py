"""Predict mean and variance of every sample of a window from the samples before it."""

import math
from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.channel_errors import TAIL, tempered
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

MOST_DEVIATION = 20.0
"""Largest standard deviation of a forecast [standard deviations of the channel]; values are clipped there too."""


class ForecastSettings(Settings):
    """Size of the network, and the least standard deviation that it predicts."""

    width: int = Field(48, ge=2, le=1024, description="Channels of the network.")
    layers: int = Field(
        5, ge=1, le=10, description="Layers of the network; a forecast looks back 2^(layers + 1) - 1 samples."
    )
    noise: float = Field(
        0.05, ge=0, le=2, description="Noise added to the past in training, in standard deviations; 0 = none."
    )
    least_deviation: float = Field(
        0.05,
        ge=0.001,
        le=1,
        description="Least standard deviation of a forecast, in standard deviations of its channel.",
    )


@PRETEXTS.register
class Forecast(Pretext[ForecastSettings]):
    """In a normal recording each value follows from the values before it.

    Causal convolutions predict a normal distribution for each value from the samples before it in the window. The first
    samples have little past, so their forecasts have a large variance (the first is the same for every window), and
    only values far from the channel's normal level raise the score there.

    Loss: negative log likelihood, mean over all values [nat]. Score: the same minus the channel's mean on training
    windows; large errors are tempered, so that a channel that was constant in training can't dominate the others.
    """

    title = "Forecast"
    task = "Predict each value from the values before it."
    finds = "sudden changes, spikes, broken rhythm, channels that no longer follow each other"
    misses = "slow drift, and levels that stay abnormal: soon the abnormal past predicts the abnormal present"
    source = (
        "Munir et al. 2019, DeepAnT, IEEE Access 7, section III; network after Bai et al. 2018, arXiv:1803.01271, "
        "section 3; own form of the likelihood"
    )
    modalities = frozenset({Modality.SENSOR})
    Settings = ForecastSettings
    usual: Tensor
    encoder_name = "dilated_conv"

    def __init__(self, settings: ForecastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.head = nn.Conv1d(encoder.d, 2 * shape.size[0], 1)
        for weights in self.head.parameters():  # the first forecasts are the channel's mean and spread
            nn.init.zeros_(weights)
        self.register_buffer("usual", torch.zeros(shape.size[0], 1))

    @classmethod
    def encoder_settings(cls, settings: ForecastSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "layers": settings.layers, "causal": True}

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        noise = self.settings.noise * draw.normal(*batch.x.shape).to(batch.x.dtype)
        mean, variance = self._forecast(batch.x + noise)
        return ((batch.x - mean).square() / variance + variance.log()).mean((1, 2)) / 2

    def finish(self, batches: Iterable[Batch]) -> None:
        """The mean surprise of each channel on the training windows."""
        mean, _ = mean_and_spread(self._surprise(batch.x) for batch in batches)
        self.usual = mean.mean(1, keepdim=True).to(self.usual)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._surprise(x) - self.usual  # (b, channel, time)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._forecast(x)[0]

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        mean, variance = self._forecast(x)
        reach = TAIL * variance.sqrt()
        return mean - reach, mean + reach

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).mT  # (b, time, d)

    def _surprise(self, x: Tensor) -> Tensor:
        """(b, channel, time) negative log likelihood of each value, tempered [nat]."""
        mean, variance = self._forecast(x)
        return (tempered((x - mean).square() / variance) + variance.log()) / 2

    def _forecast(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each value, given the values before it; (b, channel, time) both."""
        before = F.pad(self.encoder.parts(x), (1, -1))  # features of the sample before
        mean, log_variance = self.head(before).to(x.dtype).chunk(2, 1)
        vaguest = 2 * math.log(MOST_DEVIATION)
        return mean, log_variance.clamp_max(vaguest).exp() + self.settings.least_deviation**2
