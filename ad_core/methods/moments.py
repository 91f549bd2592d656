"""Mean and standard deviation of a stream of values in one pass."""

from collections.abc import Iterable

import torch
from torch import Tensor


def mean_and_spread(chunks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Over the first axis of all chunks, summed in float64.

    Args:
        chunks: (n, ...) each, at least one; on any device.

    Returns:
        (...) mean and (...) standard deviation (divided by n), float64, on the cpu.
    """
    total, squares, rows = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64), 0
    for chunk in chunks:
        values = chunk.cpu().double()
        total, squares, rows = total + values.sum(0), squares + values.square().sum(0), rows + len(values)
    mean = total / rows
    return mean, (squares / rows - mean.square()).clamp_min(0).sqrt()
