"""Augmentations of table rows: random rotations, cells of other rows, and noise."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ad_core.data.reservoir import drawn
from ad_core.errors import MethodError
from ad_core.types import Draw, ItemShape

BANK = 4096
"""Maximum number of training rows, drawn at random, whose cells replace cells of augmented copies."""

MOST_NUMBERS = 2**27
"""Maximum number of values in the rotation matrices (512 MiB)."""


class RowAugmentations(nn.Module):
    """Copy 0 is not rotated, copy r by the r-th of fixed random rotations.

    Args:
        shape: of a row.
        ways: number of rotations, the first being none.
        corruption: share of a copy's cells that are taken from other rows.
        noise: added to every copy, in standard deviations.

    Raises:
        MethodError: the rows are too wide.
    """

    matrices: Tensor
    bank: Tensor
    owner: Tensor

    def __init__(self, shape: ItemShape, ways: int, corruption: float, noise: float) -> None:
        super().__init__()
        entries = shape.entries
        if (ways - 1) * entries**2 > MOST_NUMBERS:
            raise MethodError(f"Rows of {entries} entries are too wide for random rotations. Leave columns out.")
        self.names = ["nothing done", *(f"rotation {way}" for way in range(1, ways))]
        self.columns, self.corruption, self.noise = len(shape.parts.names), corruption, noise
        q, r = torch.linalg.qr(torch.randn(ways - 1, entries, entries))
        self.register_buffer("matrices", q * r.diagonal(dim1=1, dim2=2).sign()[:, None])  # uniformly distributed
        self.register_buffer("owner", torch.tensor(shape.parts.of_entry), persistent=False)
        self.register_buffer("bank", torch.zeros(1, entries), persistent=False)  # not needed for scores

    def learn(self, chunks: Iterable[Tensor]) -> None:
        """Keep a sample of these (n, entries) rows."""
        self.bank = drawn(chunks, BANK)

    def disturbed(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, entries) -> (b, ways, entries): copies with some cells of other rows, and noise."""
        size = (len(x), len(self.names), self.columns)
        swapped = draw.bernoulli(self.corruption, *size)[:, :, self.owner]
        lender = draw.integers(len(self.bank), *size)[:, :, self.owner]
        lent = self.bank[lender, torch.arange(x.shape[1], device=x.device)]
        noise = draw.normal(*swapped.shape).to(x.dtype)
        return torch.where(swapped, lent.to(x.dtype), x[:, None]) + self.noise * noise

    def forward(self, copies: Tensor) -> Tensor:
        """(b, ways, entries) -> the same size, copy r rotated by rotation r."""
        turned = torch.einsum("brd,rde->bre", copies[:, 1:], self.matrices)
        return torch.cat([copies[:, :1], turned.to(copies.dtype)], 1)
