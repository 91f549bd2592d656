"""Distances of rows to the rows of a bank, precise enough to rank them, without a row's distance to itself."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ad_core.methods.perturbed_copies import SourceItems


class NeighbourDistances:
    """Squared Euclidean distances of rows to a bank, over all entries or all but some.

    A row is not its own neighbour, so that training rows and new rows get comparable distances: one row of the bank
    that equals the row in every entry is left out. For a changed copy, it is the row that equals the copy's source.

    In float64 where the device has it, since small differences of large sums decide which rows are nearest. Gradients
    with respect to the rows pass through the requested distances only, not through the whole matrix.

    Args:
        x: (b, entries).
        bank: (m, entries); gets no gradient.
        originals: the source rows if x are changed copies.
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
        """(b,) position of the bank's nearest row, and (b,) infinity if it equals the row, else 0."""
        nearest, at = d2.min(1)
        same = nearest <= (1e-5 if x.dtype == torch.float32 else 1e-9) * (1 + x.square().sum(1))
        return at, torch.zeros_like(nearest).masked_fill(same, torch.inf)

    @property
    def itself(self) -> Tensor:
        """(b, m) bool: the row of the bank that is left out, if there is one."""
        return self.d2.isinf()

    @property
    def others(self) -> int:
        """Number of rows of the bank that a row can be compared with, without itself."""
        return max(1, len(self.bank) - 1)

    def nearest(self, k: int, without: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The k nearest rows, or all if there are fewer.

        Args:
            without: positions of entries that are left out of the distance.

        Returns:
            (b, k) squared distances, ascending, and (b, k) positions in the bank.
        """
        with torch.no_grad():
            rest, own = (self.d2, None) if without is None else self._without(without)
            d2, at = rest.topk(min(k, self.others), dim=1, largest=False)
            d2 = (d2 if own is None else d2 - own).clamp_min(0)
        return _chosen(self.x, self.bank, d2, at, without), at

    def mean_distance(self, k: int) -> Tensor:
        """(b,) mean distance to the k nearest rows."""
        d2, _ = self.nearest(k)
        return d2.clamp_min(1e-12).sqrt().mean(1).to(self.dtype)  # the root has no gradient at 0

    def _without(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(b, m) squared distances without some entries plus (b, 1) a constant per row, which leaves the ranks."""
        a, b = self.x[:, hidden], self.bank[:, hidden]
        if self._scratch is None:  # allocating a large matrix takes longer than the sums
            self._scratch = torch.empty_like(self.d2)
        one = torch.cat([a, a.new_ones(len(a), 1)], 1)
        minus = torch.cat([2 * b, -b.square().sum(1, keepdim=True)], 1).T
        return torch.addmm(self.d2, one, minus, out=self._scratch), a.square().sum(1, keepdim=True)


class _Chosen(torch.autograd.Function):
    """(b, k) squared distances to rows of the bank, with the gradient 2 (x - row) in the entries that count.

    The backward pass sums the weighted rows without a tensor of size (b, k, entries).
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


_chosen: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor | None], Tensor] = _Chosen.apply
