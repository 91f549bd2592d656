"""Impute hidden cells from a bank of rows, weighted by their agreement in the visible cells (kernel regression)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ad_core.data.reservoir import at_positions
from ad_core.methods.nearest_neighbours import NeighbourDistances
from ad_core.methods.pretext import TensorGroup
from ad_core.types import Batch

FAR = 6.0
"""Entries are clipped to this many standard deviations, for comparing rows and in the imputed values."""

BANK_ROWS = 1024
"""Maximum number of rows of the bank."""

NEIGHBOUR = 5
"""The kernel's initial width is a row's distance to this neighbour."""

ROWS_AT_A_TIME = 1024
"""Number of rows whose distances to the bank are in memory at once."""


class KernelImputation(nn.Module):
    """(b, entries), (b, columns) hidden -> (b, heads, entries) weighted means of the bank's rows.

    Head h weights row f of the bank by softmax(-t_h * sum over visible entries of a_hc^2 (x_e - f_e)^2), c the entry's
    column. The attention a (per column) and the temperature t are learnt; initially all a are 1, and t_h is
    4^h / median squared distance to the 5th neighbour. A row that is in the bank is not its own neighbour. Source:
    Nadaraya 1964 and Watson 1964 (kernel regression).

    Args:
        of_entry: the column of each entry.
        heads: number of kernels, each narrower than the one before.
    """

    owner: Tensor

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, x: Tensor, hidden: Tensor, sources: Tensor | None = None) -> Tensor: ...

    def __init__(self, of_entry: tuple[int, ...], heads: int = 2) -> None:
        super().__init__()
        self.kept = _Bank()
        self.log_attention = nn.Parameter(torch.zeros(heads, max(of_entry) + 1))
        self.log_temperature = nn.Parameter(torch.zeros(heads))
        self.register_buffer("owner", torch.tensor(of_entry), persistent=False)

    @property
    def bank(self) -> Tensor:
        """(rows, entries), clipped."""
        return self.kept.bank

    def learn(self, batches: Iterable[Batch]) -> None:
        """Draw the bank, and set the initial width."""
        n = sum(len(batch.x) for batch in batches)
        chosen = torch.randperm(n)[:BANK_ROWS].sort().values
        self.kept.put("bank", at_positions((batch.x for batch in batches), chosen).clamp(-FAR, FAR))
        nearest = torch.cdist(self.bank, self.bank).sort(1).values.square()  # (rows, rows), itself first
        width = nearest[:, min(NEIGHBOUR, len(nearest) - 1)].median().clamp_min(1e-2)
        steps = torch.arange(len(self.log_temperature), device=width.device)
        with torch.no_grad():
            self.log_temperature.copy_((4.0**steps / width).log())

    def forward(self, x: Tensor, hidden: Tensor, sources: Tensor | None = None) -> Tensor:
        """Args:
        sources: (b, entries) the rows that x are changed copies of; these are left out of the bank then.
        """
        rows = (x, hidden, x if sources is None else sources)
        pieces = zip(*(part.split(ROWS_AT_A_TIME) for part in rows), strict=True)
        return torch.cat([self._imputed(*piece) for piece in pieces])

    def _imputed(self, x: Tensor, hidden: Tensor, sources: Tensor) -> Tensor:
        # Autocast would round the sums, and small differences of these determine the weights.
        with torch.autocast(x.device.type, enabled=False):
            x, bank = x.clamp(-FAR, FAR), self.bank.to(x.dtype)
            itself = NeighbourDistances(sources.detach().to(x.dtype).clamp(-FAR, FAR), bank).itself
            visible = (~hidden[:, self.owner]).to(x.dtype)
            squares = (2 * self.log_attention).exp()[:, self.owner].to(x.dtype)  # (heads, entries)
            seen = visible[:, None] * squares  # (b, heads, entries)
            d2 = (seen * x[:, None].square()).sum(2, keepdim=True) + seen @ bank.square().mT
            d2 = d2 - 2 * (seen * x[:, None]) @ bank.mT  # (b, heads, rows)
            nearness = -self.log_temperature.exp().to(x.dtype)[:, None] * d2
            return nearness.masked_fill(itself[:, None], -torch.inf).softmax(2) @ bank


class _Bank(TensorGroup):
    bank: Tensor
