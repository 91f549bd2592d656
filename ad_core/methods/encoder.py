"""Contract of an encoder: a network from items to embeddings, and its decoder for tasks that reconstruct items."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self

from pydantic import Field
from torch import Tensor, nn

from ad_core.errors import SettingsError
from ad_core.registry import Registry
from ad_core.settings import S, S_co, Settings, SettingsClass
from ad_core.types import ItemShape, Modality


class Encoder(nn.Module, ABC, Generic[S_co]):
    """A network (b, *item) -> (b, d). One file, one class: `class Mlp(Encoder[MlpSettings])`.

    Args:
        settings: the encoder's own, stored in the bundle.
        shape: shape of its input; a pretext task may add entries to the item, see `Pretext.encoder_shape`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    """What it sees and where its weights come from, for the analyst."""
    modalities: ClassVar[frozenset[Modality]]
    Settings: ClassVar[SettingsClass]
    needs: ClassVar[tuple[str, ...]] = ()
    """Settings without a usable default: the encoder can't be built until the user sets them."""
    pretrained: ClassVar[bool] = False
    """Its weights come from other data and are frozen; it takes images as they were read, from 0 to 1."""

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, x: Tensor) -> Tensor: ...

    def __init__(self, settings: S_co, shape: ItemShape) -> None:
        super().__init__()
        self.settings, self.shape = settings, shape

    @classmethod
    def restored(
        cls: "type[Encoder[S]]",
        settings: S,
        shape: ItemShape,
        facts: Mapping[str, Any],  # noqa: ARG003
    ) -> "Encoder[S]":
        """An encoder into which the weights of a bundle are then loaded; see `facts`."""
        return cls(settings, shape)

    def facts(self) -> dict[str, Any]:
        """What a bundle stores beside settings and weights, as JSON, so that `restored` can build the encoder."""
        return {}

    @property
    def origin(self) -> str:
        """A sentence that says where pretrained weights come from; "" for encoders that are trained here."""
        return ""

    @property
    @abstractmethod
    def d(self) -> int:
        """Embedding size."""

    @property
    @abstractmethod
    def grid(self) -> tuple[int, ...]:
        """Shape of the positions in `parts`: () for tables, (y, x) for images, (time,) for windows."""

    @abstractmethod
    def parts(self, x: Tensor) -> Tensor:
        """(b, *item) -> (b, d, *grid): an embedding per position."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """(b, *item) -> (b, d): the mean of `parts` over the positions."""

    @abstractmethod
    def decoder(self, out: ItemShape) -> nn.Module:
        """A new, untrained network (b, d, *grid) -> (b, *out.size), for tasks that reconstruct items."""


ENCODERS: Registry[Encoder] = Registry("encoder", "ad_core.methods.encoders", "anomaly_lens.encoders")
"""All encoders by name."""

DEFAULT_ENCODER: dict[Modality, str] = {
    Modality.TABLE: "mlp",
    Modality.IMAGE: "residual_image",
    Modality.SENSOR: "dilated_conv",
}
"""The default encoder of a pretext task, by kind of data."""


class EncoderChoice(Settings):
    """An encoder's name and settings, as the user chose them or as a bundle stores them."""

    name: str = ""
    """"" = the pretext task's default encoder."""
    settings: dict[str, Any] = Field({}, description="The encoder's own.")
    facts: dict[str, Any] | None = None
    """See `Encoder.facts`; None = a new encoder is built."""

    @classmethod
    def of_section(cls, section: Mapping[str, Any]) -> Self:
        """From `--set encoder.name=...` and the encoder's own settings beside it."""
        own = {key: value for key, value in section.items() if key != "name"}
        return cls.parse({"name": section.get("name", ""), "settings": own}, "encoder")

    @classmethod
    def of(cls, encoder: Encoder) -> Self:
        """What a bundle stores of an encoder beside its weights."""
        return cls(name=encoder.name, settings=encoder.settings.model_dump(mode="json"), facts=encoder.facts())


def build_encoder(
    name: str,
    shape: ItemShape,
    settings: Mapping[str, object] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Encoder:
    """An encoder for items of this shape, untrained unless it is a pretrained one.

    Args:
        facts: as stored in a bundle, for an encoder into which weights are then loaded; None = a new encoder.

    Raises:
        MethodError: the encoder is unknown, or can't be built for items of this shape.
        SettingsError: a setting is unknown, out of range or missing.
    """
    cls = ENCODERS.get(name)
    parsed = cls.Settings.parse(settings or {}, "encoder")
    if facts is not None:
        return cls.restored(parsed, shape, facts)
    for missing in (need for need in cls.needs if not getattr(parsed, need)):
        about = cls.Settings.model_fields[missing].description
        raise SettingsError(f"The encoder {name!r} can't be built without encoder.{missing}: {about}")
    return cls(parsed, shape)
