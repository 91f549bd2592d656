"""A frozen vision transformer from a checkpoint on this machine."""

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.methods.networks.checkpoints import Preprocessing, loaded, network_of
from ad_core.methods.networks.image_decoder import ImageDecoder
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


class VisionTransformerSettings(Settings):
    """The checkpoint."""

    folder: str = Field(
        "",
        description="Folder on this machine with config.json and safetensors files of a DINOv2 or ViT checkpoint.",
    )


@ENCODERS.register
class VisionTransformer(Encoder[VisionTransformerSettings]):
    """(b, 1 or 3, y, x) in 0..1 -> (b, d): the last layer's patch tokens, without class and register tokens.

    Images are enlarged to whole patches, and the position embeddings are interpolated to their number. Nothing is
    downloaded, and only safetensors files are read. A bundle holds the weights and the checkpoint's configuration, so
    loading it needs no folder.

    Source: Dosovitskiy et al. 2021, ViT, arXiv:2010.11929; Oquab et al. 2023, DINOv2, arXiv:2304.07193.
    """

    title = "Vision transformer from a folder (DINOv2, ViT)"
    about = (
        "Recognises objects and their parts. Its weights come from a folder that you name, not from your data, and are "
        'not changed: only the layers built upon them are trained. Needs the extra "hub".'
    )
    modalities = frozenset({Modality.IMAGE})
    Settings = VisionTransformerSettings
    needs = ("folder",)
    pretrained = True
    mean: Tensor
    spread: Tensor

    def __init__(
        self,
        settings: VisionTransformerSettings,
        shape: ItemShape,
        checkpoint: tuple[nn.Module, Preprocessing] | None = None,
    ) -> None:
        super().__init__(settings, shape)
        if shape.size[0] not in (1, 3):
            raise MethodError(
                f"The encoder {self.name!r} takes grey or colour images, but the input of this task has "
                f"{shape.size[0]} channels. Choose another encoder or another pretext task."
            )
        self.network, self.preprocessing = checkpoint or loaded(Path(settings.folder))
        self.network.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(self.preprocessing.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(self.preprocessing.spread).view(3, 1, 1), persistent=False)
        self.eval()

    @classmethod
    def restored(cls, settings: VisionTransformerSettings, shape: ItemShape, facts: Mapping[str, Any]) -> Self:
        network = network_of(facts["config"])
        seen_as = Preprocessing.model_validate(facts["preprocessing"])
        return cls(settings, shape, (network, seen_as))

    def facts(self) -> dict[str, Any]:
        return {"config": self._config.to_dict(), "preprocessing": self.preprocessing.model_dump(mode="json")}

    @property
    def origin(self) -> str:
        return (
            f"The weights of the encoder come from the folder {self.settings.folder}, not from these data, and were "
            f"not trained further."
        )

    @property
    def d(self) -> int:
        return int(self._config.hidden_size)

    @property
    def grid(self) -> tuple[int, ...]:
        return tuple(ceil(side / self._config.patch_size) for side in self.shape.size[1:])

    def train(self, mode: bool = True) -> Self:
        """The frozen network stays in evaluation mode: no dropout while a head is trained."""
        super().train(mode)
        self.network.eval()
        return self

    def parts(self, x: Tensor) -> Tensor:
        size = [side * self._config.patch_size for side in self.grid]
        if list(x.shape[2:]) != size:
            x = F.interpolate(x, size, mode="bilinear", align_corners=False)
        seen = (x.expand(-1, 3, -1, -1) - self.mean) / self.spread
        interpolated = {"interpolate_pos_encoding": True} if self._config.model_type == "vit" else {}
        tokens: Tensor = self.network(pixel_values=seen, **interpolated).last_hidden_state  # (b, tokens, d)
        positions = self.grid[0] * self.grid[1]  # they come last
        patches = tokens[:, -positions:].mT  # (b, d, positions)
        return patches.view(*patches.shape[:2], *self.grid)

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x).mean((2, 3))

    def decoder(self, out: ItemShape) -> nn.Module:
        return ImageDecoder(self.d, out.size)

    @property
    def _config(self) -> Any:
        return self.network.config
