"""Input vectors of the classical patch detectors: frozen ImageNet features of every position, locally averaged."""

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ad_core.methods.networks.imagenet_features import AT_A_TIME, ImagenetFeatures, on_one_grid

DEPTHS = (4, 7)
"""Middle blocks of the network: local enough to locate a defect, deep enough for textures (Roth et al. 2022, 3.1)."""

SMALLEST = 64
"""Smaller images are first enlarged to this side [px], since the grid has one position per 8 px."""


def patch_vectors(x: Tensor) -> np.ndarray:
    """(b, channel, y, x) in 0..1 -> (b, y / 8, x / 8, 120) float16: features averaged over 3 x 3 positions."""
    found = []
    with torch.no_grad():
        for part in x.split(AT_A_TIME):
            if (side := min(part.shape[2:])) < SMALLEST:
                part = F.interpolate(part, scale_factor=SMALLEST / side, mode="bilinear", align_corners=False)
            features = on_one_grid(_network()(part))
            pooled = F.avg_pool2d(features, 3, 1, 1, count_include_pad=False)
            found.append(pooled.permute(0, 2, 3, 1).half().numpy())
    return np.concatenate(found)


@cache
def _network() -> ImagenetFeatures:
    return ImagenetFeatures(DEPTHS)
