"""Distances of rows to the rows of a bank, exactly enough to rank them, and without a row's distance to itself."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ad_core.methods.perturbed_copies import SourceItems


class NeighbourDistances:
    """Squared Euclidean distances of rows to a bank, over all entries or all but some.

    A row that is in the bank is not its own neighbour, so that training rows and rows that did not are judged alike:
    of the bank's rows that equal a row in every entry, one does not count. Of a changed copy, that is the row which
    equals its original.

    In float64 where the device has it: the small differences of large sums decide which rows are nearest. Gradients
    reach the rows through the distances that are asked for alone, never through the whole matrix.

    Args:
        x: (b, entries).
        bank: (m, entries); takes no gradient.
        originals: where x are changed copies.
    """

    def __init__(self, x: Tensor, bank: Tensor, originals: SourceItems | None = None) -> None:
        self.dtype = x.dtype
        exact = torch.float32 if x.device.type == "mps" else torch.float64
        self.x, self.bank = x.to(exact), bank.detach().to(exact)
        with torch.no_grad():
            self.d2 = self._squared(self.x)  # (b, m)
            if len(bank) > 1:
                if originals is None:
                    at, away = self._itself(self.x, self.d2)
                else:
                    rows = originals.items.to(exact)
                    at, away = (found[originals.of] for found in self._itself(rows, self._squared(rows)))
                self.d2.scatter_add_(1, at[:, None], away[:, None])
        self._scratch: Tensor | None = None

    def _squared(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bank.square().sum(1), x, self.bank.T, alpha=-2).add_(x.square().sum(1, keepdim=True))

    def _itself(self, x: Tensor, d2: Tensor) -> tuple[Tensor, Tensor]:
        """(b,) position of the bank's nearest row, and (b,) infinity where it equals the row, else 0."""
        nearest, at = d2.min(1)
        same = nearest <= (1e-5 if x.dtype == torch.float32 else 1e-9) * (1 + x.square().sum(1))
        return at, torch.zeros_like(nearest).masked_fill(same, torch.inf)

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
        with torch.no_grad():
            rest, own = (self.d2, None) if without is None else self._without(without)
            d2, at = rest.topk(min(k, self.others), dim=1, largest=False)
            d2 = (d2 if own is None else d2 - own).clamp_min(0)
        chosen: Tensor = _Chosen.apply(self.x, self.bank, d2, at, without)  # type: ignore[no-untyped-call]
        return chosen, at

    def mean_distance(self, k: int) -> Tensor:
        """(b,) mean distance to the k nearest rows."""
        d2, _ = self.nearest(k)
        return d2.clamp_min(1e-12).sqrt().mean(1).to(self.dtype)  # the root has no slope at 0

    def _without(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(b, m) distances without some entries, too large by (b, 1) the row's own square, which ranks nothing."""
        a, b = self.x[:, hidden], self.bank[:, hidden]
        if self._scratch is None:  # fresh memory for every large matrix would cost more than the sums
            self._scratch = torch.empty_like(self.d2)
        one = torch.cat([a, a.new_ones(len(a), 1)], 1)
        minus = torch.cat([2 * b, -b.square().sum(1, keepdim=True)], 1).T
        return torch.addmm(self.d2, one, minus, out=self._scratch), a.square().sum(1, keepdim=True)


class _Chosen(torch.autograd.Function):
    """(b, k) squared distances to rows of the bank, and how they change with x: 2 (x - row) in the entries that count.

    The rows' weighted sum is taken without holding (b, k, entries) numbers.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, bank: Tensor, d2: Tensor, at: Tensor, without: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, bank, at, without)
        return d2.clone()

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        x, bank, at, without = ctx.saved_tensors
        (g,) = upstream
        pulled = F.embedding_bag(at, bank, per_sample_weights=g.contiguous(), mode="sum")
        slope = 2 * (g.sum(1, keepdim=True) * x - pulled)
        return slope if without is None else slope.index_fill(1, without, 0.0), None, None, None, None
