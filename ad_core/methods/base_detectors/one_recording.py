"""What one training recording shows in windows like a given one, however far off a few of its channels are."""

import torch
from torch import Tensor

from ad_core.methods.base_detectors.subsequence_neighbours import NEIGHBOURS
from ad_core.methods.nearest_neighbours import NeighbourDistances

DOUBT = 1.0
"""A channel's mean squared difference d counts d / (1 + d / DOUBT) [standard deviations squared]: a broken channel is
far from all windows alike, and must not choose those that share its level by chance (Geman and McClure 1987).
"""


def windows_like(vectors: Tensor, bank: Tensor, channels: int, recording: Tensor, own: Tensor | None = None) -> Tensor:
    """(b, k) positions in the bank of the nearest windows of one recording: a window's own, or the one that has the
    nearest of all.

    The mean of windows of different recordings has a level that none of them shows, and changes from one to the other
    in between. A window is not its own neighbour.

    Args:
        vectors: (b, channels * steps).
        bank: (m, channels * steps).
        recording: (m,) int64 code of the recording of each; empty = not known, and only the nearest window is taken.
        own: (b,) int64 code of each window's own recording, -1 where it is not in the bank; None = none is.
    """
    near = NeighbourDistances(vectors, bank)
    away = torch.zeros_like(near.d2)
    for some, others in zip(near.x.chunk(channels, 1), near.bank.chunk(channels, 1), strict=True):  # (b or m, steps)
        product = torch.addmm(others.square().sum(1), some, others.T, alpha=-2)
        apart = product.add_(some.square().sum(1, keepdim=True)).clamp_min_(0) / some.shape[1]
        away += apart / (1 + apart / DOUBT)
    away.masked_fill_(near.itself, torch.inf)
    if own is not None and len(recording):
        away.masked_fill_((own[:, None] >= 0) & (recording[None, :] != own[:, None]), torch.inf)
    nearest = away.argmin(1, keepdim=True)
    if not len(recording):
        return nearest
    other = recording[None, :] != recording[nearest]
    away, at = away.masked_fill_(other, torch.inf).topk(min(NEIGHBOURS, len(bank)), dim=1, largest=False)
    return torch.where(away.isfinite(), at, nearest)  # a recording of few windows: its nearest, several times
