"""Predict every sample of a window with a recurrent network that remembers the samples before it."""

from collections.abc import Iterable

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.channel_errors import ChannelErrors
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality


class LstmForecastSettings(AnySettings):
    """Size of the network."""

    width: int = Field(48, ge=2, le=1024, description="Units of every recurrent layer.")
    layers: int = Field(2, ge=1, le=8, description="Recurrent layers, one upon the other.")
    noise: float = Field(
        0.05, ge=0, le=2, description="Noise added to the past in training, in standard deviations; 0 = none."
    )


@PRETEXTS.register
class LstmForecast(Pretext):
    """What comes next follows from all that the network remembers of the window, as long as all is as usual.

    Loss: squared error of the forecasts, mean over all values [standard deviations squared]. Score: mean over channels
    and time of the squared error as a tempered multiple of what is usual in that channel at that place in the window:
    the first forecasts, made from little memory, are usually worse.
    """

    title = "Recurrent forecast"
    asks = "What comes next, from all that you remember?"
    finds = "sudden changes, spikes, broken rhythm, channels that no longer follow each other"
    misses = "slow drift, and levels that stay odd; what is usual only after something long ago"
    source = "Malhotra et al. 2015, Long short term memory networks for anomaly detection in time series, section 2"
    modalities = frozenset({Modality.SENSOR})
    Settings = LstmForecastSettings
    settings: LstmForecastSettings
    encoder_name = "lstm"

    def __init__(self, settings: LstmForecastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        channels, time = shape.size
        self.head = nn.Conv1d(encoder.d, channels, 1)
        self.errors = ChannelErrors(channels, time)

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "layers": settings.layers}  # type: ignore[attr-defined]

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        noise = self.settings.noise * draw.normal(*batch.x.shape).to(batch.x.dtype)
        return (batch.x - self._forecast(batch.x + noise)).square().mean((1, 2))

    def finish(self, batches: Iterable[Batch]) -> None:
        """The usual squared error of each channel at each place."""
        self.errors.learn((b.x - self._forecast(b.x)).square() for b in batches)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self.errors((x - self._forecast(x)).square())  # type: ignore[no-any-return]  # (b, channel, time)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._forecast(x)

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return self.errors.span(self._forecast(x))

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).mT  # (b, time, d)

    def _forecast(self, x: Tensor) -> Tensor:
        """(b, channel, time) each value, given only what came before it in the window."""
        before = F.pad(self.encoder.parts(x), (1, -1))  # at each sample what was known one sample ago
        return self.head(before).to(x.dtype)  # type: ignore[no-any-return]
