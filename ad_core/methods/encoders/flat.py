"""No network: the flattened item itself."""

from torch import Tensor, nn

from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


class FlatSettings(Settings):
    """There is nothing to set."""


@ENCODERS.register
class Flat(Encoder[FlatSettings]):
    """(b, *item) -> (b, entries), for tasks that compare items directly. It has no weights."""

    title = "The item itself"
    about = "Compares items directly. Nothing is trained."
    modalities = frozenset({Modality.TABLE})
    Settings = FlatSettings

    @property
    def d(self) -> int:
        return self.shape.entries

    @property
    def grid(self) -> tuple[int, ...]:
        return ()

    def parts(self, x: Tensor) -> Tensor:
        return self.forward(x)

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)  # (b, d)

    def decoder(self, out: ItemShape) -> nn.Module:
        return nn.Sequential(nn.Linear(self.d, out.entries), nn.Unflatten(1, out.size))
