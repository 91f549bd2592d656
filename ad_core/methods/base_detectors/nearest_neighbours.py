"""Mean distance to the nearest training rows, by values or by ranks."""

from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor

from ad_core.methods.base_detectors.rank_transform import RankTransform
from ad_core.methods.nearest_neighbours import NeighbourDistances
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import TensorGroup


class NearestNeighbours(TensorGroup):
    """(b, entries) -> (b,) mean Euclidean distance to the k nearest rows of a bank, without the row itself."""

    bank: Tensor

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, x: Tensor, originals: SourceItems | None = None) -> Tensor: ...

    def __init__(self, neighbours: int = 5) -> None:
        super().__init__()
        self.neighbours = neighbours

    @classmethod
    def of(cls, x: np.ndarray) -> Self:
        """With these (n, entries) rows as the bank."""
        member = cls()
        member.put("bank", torch.from_numpy(np.asarray(x, dtype=np.float32)))
        return member

    def forward(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:
        return NeighbourDistances(x, self.bank, originals).mean_distance(self.neighbours)


class RankedNearestNeighbours(torch.nn.Module):
    """Like `NearestNeighbours`, on ranks among the training rows: heavy tails do not dominate the other columns."""

    def __init__(self) -> None:
        super().__init__()
        self.ranks, self.near = RankTransform(), NearestNeighbours()

    @classmethod
    def of(cls, x: np.ndarray) -> Self:
        """With these (n, entries) rows as the bank, and their ranks."""
        member = cls()
        member.ranks = RankTransform.of(x)
        member.near = NearestNeighbours.of(member.ranks(torch.from_numpy(np.asarray(x, dtype=np.float32))).numpy())
        return member

    def forward(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:
        ranked = None if originals is None else originals.seen(self.ranks)
        return self.near(self.ranks(x), ranked)
