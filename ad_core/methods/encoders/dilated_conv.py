"""A dilated convolution network for windows of recordings."""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


class DilatedConvSettings(Settings):
    """Size and reach of the network."""

    width: int = Field(48, ge=2, le=1024, description="Channels of every layer, and size of the embedding.")
    layers: int = Field(
        5,
        ge=1,
        le=10,
        description="Residual layers; layer i sees 2^i positions to either side, or 2^(i + 1) back if causal.",
    )
    stride: int = Field(
        1, ge=1, le=1024, description="Number of time steps that the first layer joins into one position."
    )
    causal: bool = Field(False, description="Whether a position sees only itself and what came before it.")


@ENCODERS.register
class DilatedConv(Encoder[DilatedConvSettings]):
    """(b, channel, time) -> (b, width); one embedding per `stride` time steps, from both sides unless causal.

    The window is padded to whole positions by repeating its last value.
    """

    title = "Dilated convolutions"
    about = "Embeds every time step with a wide context on either side. Trained on your own recordings."
    modalities = frozenset({Modality.SENSOR})
    Settings = DilatedConvSettings

    def __init__(self, settings: DilatedConvSettings, shape: ItemShape) -> None:
        super().__init__(settings, shape)
        layers = [_Layer(settings.width, 2**i, settings.causal) for i in range(settings.layers)]
        joined = nn.Conv1d(shape.size[0], settings.width, settings.stride, settings.stride)
        self.layers = nn.Sequential(joined, *layers)

    @property
    def d(self) -> int:
        return self.settings.width

    @property
    def grid(self) -> tuple[int, ...]:
        return (-(-self.shape.size[1] // self.settings.stride),)

    def parts(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, -x.shape[2] % self.settings.stride), mode="replicate")
        z: Tensor = self.layers(x)
        return z  # (b, d, positions)

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x).mean(2)

    def decoder(self, out: ItemShape) -> nn.Module:
        layers = [_Layer(self.d, dilation, self.settings.causal) for dilation in (1, 2)]
        spread = [nn.Upsample(out.size[1])] if self.settings.stride > 1 else []
        return nn.Sequential(*layers, *spread, nn.Conv1d(self.d, out.size[0], 1))


class _Layer(nn.Module):
    """h + W gelu(dilated convolution of 3 taps): of the same length."""

    def __init__(self, width: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.reach = (2 * dilation, 0) if causal else (dilation, dilation)
        self.taps = nn.Conv1d(width, width, 3, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, h: Tensor) -> Tensor:
        change: Tensor = self.mix(F.gelu(self.taps(F.pad(h, self.reach))))
        return h + change
