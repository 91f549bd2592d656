"""Contract of an encoder: a network from items to embeddings, with a mirror image for tasks that rebuild the item."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from ad_core.registry import Registry
from ad_core.settings import Settings as AnySettings
from ad_core.types import ItemShape, Modality


class Encoder(nn.Module, ABC):
    """(b, *item) -> (b, d).

    Args:
        settings: the encoder's own, stored in the bundle.
        shape: what it takes in; a pretext task may widen it, see `Pretext.encoder_shape`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]]
    Settings: ClassVar[type[AnySettings]]

    def __init__(self, settings: AnySettings, shape: ItemShape) -> None:
        super().__init__()
        self.settings, self.shape = settings, shape

    @property
    @abstractmethod
    def d(self) -> int:
        """Embedding size."""

    @property
    @abstractmethod
    def grid(self) -> tuple[int, ...]:
        """Shape of the positions that `parts` keeps: () for tables, (y, x) for images, (time,) for windows."""

    @abstractmethod
    def parts(self, x: Tensor) -> Tensor:
        """(b, *item) -> (b, d, *grid): an embedding per position."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """(b, *item) -> (b, d): `parts`, pooled over the positions."""

    @abstractmethod
    def decoder(self, out: ItemShape) -> nn.Module:
        """A fresh network (b, d, *grid) -> (b, *out.size): the mirror image, for tasks that rebuild items."""


ENCODERS: Registry[Encoder] = Registry("encoder", "ad_core.encoders", "anomaly_lens.encoders")

DEFAULT_ENCODER: dict[Modality, str] = {
    Modality.TABLE: "mlp",
    Modality.IMAGE: "residual_image",
    Modality.SENSOR: "dilated_conv",
}
"""The encoder that a pretext task gets unless it names another."""


def build_encoder(name: str, shape: ItemShape, settings: dict[str, object] | None = None) -> Encoder:
    """An untrained encoder for items of this shape."""
    cls = ENCODERS.get(name)
    return cls(cls.Settings.parse(settings or {}, "encoder"), shape)
