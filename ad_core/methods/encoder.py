"""Contract of an encoder: a network from items to embeddings, with a mirror image for tasks that rebuild the item."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field
from torch import Tensor, nn

from ad_core.errors import SettingsError
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
    about: ClassVar[str]
    """What it sees and where its weights come from, for the analyst."""
    modalities: ClassVar[frozenset[Modality]]
    Settings: ClassVar[type[AnySettings]]
    needs: ClassVar[tuple[str, ...]] = ()
    """Settings that have no default that would do: it can't be built without them."""
    pretrained: ClassVar[bool] = False
    """Its weights were learnt elsewhere and stay as they are; it wants images as they were read, from 0 to 1."""

    def __init__(self, settings: AnySettings, shape: ItemShape) -> None:
        super().__init__()
        self.settings, self.shape = settings, shape

    @classmethod
    def restored(cls, settings: AnySettings, shape: ItemShape, facts: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """One to load the weights of a bundle into; see `facts`."""
        return cls(settings, shape)

    def facts(self) -> dict[str, Any]:
        """What a bundle has to keep, as JSON, beside settings and weights, to build it elsewhere."""
        return {}

    @property
    def origin(self) -> str:
        """In a sentence where weights that were learnt elsewhere come from; "" for all others."""
        return ""

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


ENCODERS: Registry[Encoder] = Registry("encoder", "ad_core.methods.encoders", "anomaly_lens.encoders")
"""All encoders by name."""

DEFAULT_ENCODER: dict[Modality, str] = {
    Modality.TABLE: "mlp",
    Modality.IMAGE: "residual_image",
    Modality.SENSOR: "dilated_conv",
}
"""The encoder that a pretext task gets unless it names another."""


class EncoderChoice(AnySettings):
    """Which encoder, and what of it is set: by the user, or by what a bundle remembers."""

    name: str = ""
    """"" = the one that the pretext task usually has."""
    settings: dict[str, Any] = Field({}, description="The encoder's own.")
    facts: dict[str, Any] | None = None
    """See `Encoder.facts`; None = it is built anew."""

    @classmethod
    def of_section(cls, section: Mapping[str, Any]) -> Self:
        """From `--set encoder.name=...` and the encoder's own settings beside it."""
        own = {key: value for key, value in section.items() if key != "name"}
        return cls.parse({"name": section.get("name", ""), "settings": own}, "encoder")

    @classmethod
    def of(cls, encoder: Encoder) -> Self:
        """What a bundle remembers of an encoder, beside its weights."""
        return cls(name=encoder.name, settings=encoder.settings.model_dump(mode="json"), facts=encoder.facts())


def build_encoder(
    name: str,
    shape: ItemShape,
    settings: Mapping[str, object] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Encoder:
    """An encoder for items of this shape, untrained unless its weights come from elsewhere.

    Args:
        facts: as a bundle keeps them, for an encoder whose weights are loaded next; None = built anew.

    Raises:
        MethodError: it is unknown, or can't be built for such items.
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
