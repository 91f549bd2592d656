"""A dilated convolution network for windows of recordings."""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.encoder import ENCODERS, Encoder
from ad_core.settings import Settings
from ad_core.types import ItemShape, Modality


class DilatedConvSettings(Settings):
    """Size of the network, and which way it looks."""

    width: int = Field(48, ge=2, le=1024, description="Channels of every layer, and size of the embedding.")
    layers: int = Field(
        5, ge=1, le=10, description="Residual layers; layer i looks 2^i positions to either side, or 2^(i + 1) back."
    )
    stride: int = Field(1, ge=1, le=1024, description="Time steps that are joined into one position at the start.")
    causal: bool = Field(False, description="Whether a position sees only itself and what came before it.")


@ENCODERS.register
class DilatedConv(Encoder):
    """(b, channel, time) -> (b, width); keeps one embedding per `stride` time steps, looks both ways unless causal.

    The last position may reach beyond the window, where the last value is repeated.
    """

    title = "Dilated convolutions"
    about = "Looks from every time step far to either side. Its weights are learnt from your own recordings."
    modalities = frozenset({Modality.SENSOR})
    Settings = DilatedConvSettings
    settings: DilatedConvSettings

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
        return self.layers(x)  # type: ignore[no-any-return]  # (b, d, positions)

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x).mean(2)

    def decoder(self, out: ItemShape) -> nn.Module:
        layers = [_Layer(self.d, dilation, self.settings.causal) for dilation in (1, 2)]
        spread = [nn.Upsample(out.size[1])] if self.settings.stride > 1 else []
        return nn.Sequential(*layers, *spread, nn.Conv1d(self.d, out.size[0], 1))


class _Layer(nn.Module):
    """h + W gelu(dilated convolution of 3 taps): as long as its input."""

    def __init__(self, width: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self.reach = (2 * dilation, 0) if causal else (dilation, dilation)
        self.taps = nn.Conv1d(width, width, 3, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.mix(F.gelu(self.taps(F.pad(h, self.reach))))  # type: ignore[no-any-return]
