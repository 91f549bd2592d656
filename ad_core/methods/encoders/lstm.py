"""A recurrent network for windows of recordings."""

from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


class LstmSettings(Settings):
    """Size of the network."""

    width: int = Field(48, ge=2, le=1024, description="Units of every layer, and size of the embedding.")
    layers: int = Field(2, ge=1, le=8, description="Number of recurrent layers.")


@ENCODERS.register
class Lstm(Encoder[LstmSettings]):
    """(b, channel, time) -> (b, width); recurrent, so a time step depends only on the steps before it.

    Hochreiter and Schmidhuber 1997, Long short-term memory.
    """

    title = "Long short-term memory"
    about = "Reads a window step by step with a memory. Trained on your own recordings."
    modalities = frozenset({Modality.SENSOR})
    Settings = LstmSettings

    def __init__(self, settings: LstmSettings, shape: ItemShape) -> None:
        super().__init__(settings, shape)
        self.layers = nn.LSTM(shape.size[0], settings.width, settings.layers, batch_first=True)

    @property
    def d(self) -> int:
        return self.settings.width

    @property
    def grid(self) -> tuple[int, ...]:
        return (self.shape.size[1],)

    def parts(self, x: Tensor) -> Tensor:
        states: Tensor = self.layers(x.mT)[0]
        return states.mT  # (b, d, time)

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x).mean(2)

    def decoder(self, out: ItemShape) -> nn.Module:
        return _Decoder(self.d, out.size[0])


class _Decoder(nn.Module):
    """(b, d, time) -> (b, channel, time), from the end to the beginning."""

    def __init__(self, d: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.LSTM(d, d, batch_first=True)
        self.out = nn.Linear(d, channels)

    def forward(self, parts: Tensor) -> Tensor:
        values: Tensor = self.out(self.layers(parts.mT.flip(1))[0].flip(1))
        return values.mT
