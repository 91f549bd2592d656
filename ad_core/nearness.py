"""Distances of rows to the rows of a bank, exactly enough to rank them, and without a row's distance to itself."""

import torch
from torch import Tensor


class Nearness:
    """Squared Euclidean distances of rows to a bank, over all entries or all but some.

    A row that is in the bank is not its own neighbour, so that rows that taught and rows that did not are judged alike:
    of the bank's rows that equal a row in every entry, one does not count.

    In float64 where the device has it: the small differences of large sums decide which rows are nearest.

    Args:
        x: (b, entries).
        bank: (m, entries).
    """

    def __init__(self, x: Tensor, bank: Tensor) -> None:
        self.dtype = x.dtype
        exact = torch.float32 if x.device.type == "mps" else torch.float64
        self.x, self.bank = x.to(exact), bank.to(exact)
        own = self.x.square().sum(1)
        d2 = own[:, None] + self.bank.square().sum(1) - 2 * self.x @ self.bank.T  # (b, m)
        if len(bank) > 1:
            nearest, at = d2.min(1)
            same = nearest <= (1e-5 if exact == torch.float32 else 1e-9) * (1 + own)
            d2 = d2.scatter_add(1, at[:, None], torch.zeros_like(own).masked_fill(same, torch.inf)[:, None])
        self.d2 = d2

    @property
    def itself(self) -> Tensor:
        """(b, m) bool: the row of the bank that does not count, if there is one."""
        return self.d2.isinf()

    @property
    def others(self) -> int:
        """Rows of the bank that a row can be compared with, itself left out."""
        return max(1, len(self.bank) - 1)

    def nearest(self, k: int, without: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The k nearest rows, or all where there are fewer.

        Args:
            without: positions of entries that don't count.

        Returns:
            (b, k) squared distances, ascending, and (b, k) positions in the bank.
        """
        k = min(k, self.others)
        if without is None:
            d2, at = self.d2.topk(k, dim=1, largest=False)
            return d2.clamp_min(0), at
        a, b = self.x[:, without], self.bank[:, without]
        # all but the row's own square, which ranks nothing, in one pass over the large matrix
        one = torch.cat([a, a.new_ones(len(a), 1)], 1)
        rest = torch.addmm(self.d2, one, torch.cat([2 * b, -b.square().sum(1, keepdim=True)], 1).T)
        d2, at = rest.topk(k, dim=1, largest=False)
        return (d2 - a.square().sum(1, keepdim=True)).clamp_min(0), at

    def mean_distance(self, k: int) -> Tensor:
        """(b,) mean distance to the k nearest rows."""
        d2, _ = self.nearest(k)
        return d2.clamp_min(1e-12).sqrt().mean(1).to(self.dtype)  # the root has no slope at 0
