"""Reconstruction errors of images: scale of the pixels, smoothing into a map, and score."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from ad_core.types import Batch


def colour_scale(batches: Iterable[Batch]) -> tuple[Tensor, Tensor]:
    """(channel, 1, 1) mean and standard deviation of all pixels, the latter at least 0.01."""
    means, squares, weights = zip(
        *((b.x.mean((0, 2, 3)), b.x.square().mean((0, 2, 3)), len(b.x)) for b in batches), strict=True
    )
    weight = means[0].new_tensor(weights)[:, None] / sum(weights)
    centre, square = (weight * torch.stack(means)).sum(0), (weight * torch.stack(squares)).sum(0)
    spread = (square - centre.square()).clamp_min(1e-4).sqrt()
    return centre[:, None, None], spread[:, None, None]


def smoothed(errors: Tensor) -> Tensor:
    """(b, y, x) -> (b, y, x): mean over a box of a 32nd of the image's width, twice, to remove pixel noise."""
    half = max(1, errors.shape[-1] // 64)
    for _ in range(2):
        errors = F.avg_pool2d(errors[:, None], 2 * half + 1, 1, half, count_include_pad=False)[:, 0]
    return errors


def worst_mean(errors: Tensor, share: float) -> Tensor:
    """(b, ...) -> (b,): mean over this share of the values, the largest ones, at least one."""
    flat = errors.flatten(1)
    return flat.topk(max(1, round(share * flat.shape[1])), dim=1).values.mean(1)
