"""Mean distance to the nearest rows that taught, as they are or by rank."""

from typing import Self

import numpy as np
import torch
from torch import Tensor

from ad_core.methods.base_detectors.rank_transform import Ranks
from ad_core.methods.nearest_neighbours import Nearness
from ad_core.methods.perturbed_copies import Originals
from ad_core.methods.pretext import TensorGroup


class Neighbours(TensorGroup):
    """(b, entries) -> (b,) mean Euclidean distance to the k nearest rows of a bank, the row itself left out."""

    bank: Tensor

    def __init__(self, neighbours: int = 5) -> None:
        super().__init__()
        self.neighbours = neighbours

    @classmethod
    def of(cls, x: np.ndarray) -> Self:
        """Remember these (n, entries) rows."""
        member = cls()
        member.put("bank", torch.from_numpy(np.asarray(x, dtype=np.float32)))
        return member

    def forward(self, x: Tensor, originals: Originals | None = None) -> Tensor:
        return Nearness(x, self.bank, originals).mean_distance(self.neighbours)


class RankedNeighbours(torch.nn.Module):
    """As `Neighbours`, each entry by its rank among the rows that taught: heavy tails don't drown the other columns."""

    def __init__(self) -> None:
        super().__init__()
        self.ranks, self.near = Ranks(), Neighbours()

    @classmethod
    def of(cls, x: np.ndarray) -> Self:
        """Learn the ranks of these (n, entries) rows and remember the rows."""
        member = cls()
        member.ranks = Ranks.of(x)
        member.near = Neighbours.of(member.ranks(torch.from_numpy(np.asarray(x, dtype=np.float32))).numpy())
        return member

    def forward(self, x: Tensor, originals: Originals | None = None) -> Tensor:
        ranked = None if originals is None else originals.seen(self.ranks)
        return self.near(self.ranks(x), ranked)  # type: ignore[no-any-return]
