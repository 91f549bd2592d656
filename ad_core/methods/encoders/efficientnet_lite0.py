"""Features from the middle of a frozen network trained on ImageNet."""

from math import ceil

from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.methods.networks.image_decoder import ImageDecoder
from ad_core.methods.networks.imagenet_features import BLOCKS, ImagenetFeatures, on_one_grid
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality

DEPTHS = (4, 7)
"""Blocks whose features are used: edges and textures, and parts of objects. Deeper ones tell kinds of objects apart
rather than their defects.
"""

STRIDE = BLOCKS[DEPTHS[0]][1]
"""Pixels per position, down and across."""

LEAST_SIDE = 32
"""Smaller images are enlarged to this side [px], so that the deeper features have a grid."""


class EfficientNetLite0Settings(Settings):
    """There is nothing to set."""


@ENCODERS.register
class EfficientNetLite0(Encoder[EfficientNetLite0Settings]):
    """(b, 1 or 3, y, x) in 0..1 -> (b, 120): features of two depths, concatenated on the grid of the finer one.

    Source: Tan and Le 2019, EfficientNet, arXiv:1905.11946; middle depths as recommended by Roth et al. 2022,
    PatchCore, arXiv:2106.08265, sec. 3.1.
    """

    title = "ImageNet features (EfficientNet-Lite0)"
    about = (
        "Recognises edges, textures and parts of objects. Its weights come from ImageNet (a million photographs), not "
        "from your data, and are not changed: only the layers built upon them are trained."
    )
    modalities = frozenset({Modality.IMAGE})
    Settings = EfficientNetLite0Settings
    pretrained = True

    def __init__(self, settings: EfficientNetLite0Settings, shape: ItemShape) -> None:
        super().__init__(settings, shape)
        channels, y, x = shape.size
        if channels not in (1, 3):
            raise MethodError(
                f"The encoder {self.name!r} takes grey or colour images, but the input of this task has {channels} "
                f"channels. Choose another encoder or another pretext task."
            )
        larger = max(1.0, LEAST_SIDE / min(y, x))
        self.seen = (STRIDE * ceil(y * larger / STRIDE), STRIDE * ceil(x * larger / STRIDE))
        self.features = ImagenetFeatures(DEPTHS)

    @property
    def origin(self) -> str:
        return "The weights of the encoder come from ImageNet, not from these data, and were not trained further."

    @property
    def d(self) -> int:
        return sum(self.features.channels)

    @property
    def grid(self) -> tuple[int, ...]:
        return tuple(side // STRIDE for side in self.seen)

    def parts(self, x: Tensor) -> Tensor:
        if x.shape[2:] != self.seen:
            x = F.interpolate(x, self.seen, mode="bilinear", align_corners=False)
        return on_one_grid(self.features(x))  # (b, d, y/8, x/8)

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x).mean((2, 3))

    def decoder(self, out: ItemShape) -> nn.Module:
        return ImageDecoder(self.d, out.size)
