"""Predict every sample of a window from the samples before it with a recurrent network."""

from collections.abc import Iterable

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.channel_errors import ChannelErrors
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality


class LstmForecastSettings(Settings):
    """Size of the network."""

    width: int = Field(48, ge=2, le=1024, description="Units of every recurrent layer.")
    layers: int = Field(2, ge=1, le=8, description="Number of recurrent layers.")
    noise: float = Field(
        0.05, ge=0, le=2, description="Noise added to the past in training, in standard deviations; 0 = none."
    )


@PRETEXTS.register
class LstmForecast(Pretext[LstmForecastSettings]):
    """In a normal recording each value follows from the values before it, as far as the network remembers them.

    Loss: squared error of the forecasts, mean over all values [standard deviations squared]. Score: the squared error
    divided by the mean squared error on training windows in the same channel at the same time step, tempered; mean over
    channels and time. Per time step, because the first forecasts have little past and larger errors.
    """

    title = "Recurrent forecast"
    task = "Predict each value from the values before it, with a recurrent memory."
    finds = "sudden changes, spikes, broken rhythm, channels that no longer follow each other"
    misses = "slow drift, and levels that stay abnormal; what depends on events long before"
    source = "Malhotra et al. 2015, Long short term memory networks for anomaly detection in time series, section 2"
    modalities = frozenset({Modality.SENSOR})
    Settings = LstmForecastSettings
    encoder_name = "lstm"

    def __init__(self, settings: LstmForecastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        channels, time = shape.size
        self.head = nn.Conv1d(encoder.d, channels, 1)
        self.errors = ChannelErrors(channels, time)

    @classmethod
    def encoder_settings(cls, settings: LstmForecastSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "layers": settings.layers}

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        noise = self.settings.noise * draw.normal(*batch.x.shape).to(batch.x.dtype)
        return (batch.x - self._forecast(batch.x + noise)).square().mean((1, 2))

    def finish(self, batches: Iterable[Batch]) -> None:
        """The mean squared error of each channel at each time step of the training windows."""
        self.errors.learn((b.x - self._forecast(b.x)).square() for b in batches)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self.errors((x - self._forecast(x)).square())  # (b, channel, time)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._forecast(x)

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.errors.span(self._forecast(x))

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).mT  # (b, time, d)

    def _forecast(self, x: Tensor) -> Tensor:
        """(b, channel, time) each value, given the values before it in the window."""
        before = F.pad(self.encoder.parts(x), (1, -1))  # features of the sample before
        forecast: Tensor = self.head(before)
        return forecast.to(x.dtype)
