"""A residual multilayer perceptron for table rows."""

from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


class MlpSettings(Settings):
    """Size of the network."""

    width: int = Field(96, ge=2, le=4096, description="Units per layer, and size of the embedding.")
    blocks: int = Field(2, ge=0, le=16, description="Residual blocks of two layers each.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of units set to 0 at random in training.")


@ENCODERS.register
class Mlp(Encoder[MlpSettings]):
    """(b, feature) -> (b, width). Layer normalisation only, so an embedding is independent of the batch."""

    title = "Residual multilayer perceptron"
    about = "Combines all columns of a row. Trained on your own table."
    modalities = frozenset({Modality.TABLE})
    Settings = MlpSettings

    def __init__(self, settings: MlpSettings, shape: ItemShape) -> None:
        super().__init__(settings, shape)
        self.layers = self._stack(shape.entries)

    @property
    def d(self) -> int:
        return self.settings.width

    @property
    def grid(self) -> tuple[int, ...]:
        return ()

    def parts(self, x: Tensor) -> Tensor:
        return self.forward(x)

    def forward(self, x: Tensor) -> Tensor:
        z: Tensor = self.layers(x)
        return z  # (b, d)

    def decoder(self, out: ItemShape) -> nn.Module:
        return nn.Sequential(self._stack(self.d), nn.Linear(self.d, out.entries), nn.Unflatten(1, out.size))

    def _stack(self, entries: int) -> nn.Sequential:
        width = self.settings.width
        blocks = [_Block(width, self.settings.dropout) for _ in range(self.settings.blocks)]
        return nn.Sequential(nn.Linear(entries, width), *blocks, nn.LayerNorm(width), nn.GELU())


class _Block(nn.Module):
    """h + W2 dropout(gelu(W1 norm(h)))."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, width)
        )

    def forward(self, h: Tensor) -> Tensor:
        change: Tensor = self.change(h)
        return h + change
