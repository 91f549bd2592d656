"""A small residual convolution network for images, trained from scratch."""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.methods.networks.image_decoder import ImageDecoder
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


class ResidualImageSettings(Settings):
    """Size of the network."""

    width: int = Field(
        16, ge=4, le=512, multiple_of=4, description="Channels of the first stage; the last has four times as many."
    )


@ENCODERS.register
class ResidualImage(Encoder[ResidualImageSettings]):
    """(b, channel, y, x) -> (b, 4 width); three stages that each halve the size: one position per 8 x 8 pixels.

    Group normalisation (Wu and He 2018): an embedding is independent of the batch.
    """

    title = "Small residual convolution network"
    about = "Three stages that each halve the size. Trained on your own images."
    modalities = frozenset({Modality.IMAGE})
    Settings = ResidualImageSettings

    def __init__(self, settings: ResidualImageSettings, shape: ItemShape) -> None:
        super().__init__(settings, shape)
        widths = [settings.width, 2 * settings.width, 4 * settings.width]
        inputs = [shape.size[0], *widths[:-1]]
        self.stages = nn.Sequential(*(_Stage(i, o) for i, o in zip(inputs, widths, strict=True)))

    @property
    def d(self) -> int:
        return 4 * self.settings.width

    @property
    def grid(self) -> tuple[int, ...]:
        return tuple(-(-n // 8) for n in self.shape.size[1:])

    def parts(self, x: Tensor) -> Tensor:
        z: Tensor = self.stages(x)
        return z  # (b, d, y/8, x/8)

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x).mean((2, 3))

    def decoder(self, out: ItemShape) -> nn.Module:
        return ImageDecoder(self.d, out.size)


class _Stage(nn.Module):
    """Half the size, then one residual block."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(channels, width, 3, 2, 1), nn.GroupNorm(4, width), nn.GELU())
        self.change = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1), nn.GroupNorm(4, width), nn.GELU(), nn.Conv2d(width, width, 3, 1, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.down(x)
        return F.gelu(h + self.change(h))
