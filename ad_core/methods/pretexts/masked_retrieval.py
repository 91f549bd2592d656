"""Hide some cells of a row and fill them in from the rows that agree in the others."""

from collections.abc import Iterable, Iterator

import torch
from pydantic import Field
from torch import Tensor

from ad_core.data.reservoir import at_positions
from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.cell_loss import compressed
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.nearest_neighbours import NeighbourDistances
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import PRETEXTS, Pretext, TensorGroup
from ad_core.methods.scorer import SCORE_SEED
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality

FAR = 6.0
"""Rows are compared by entries clipped to so many standard deviations; what is filled in is not clipped."""


class MaskedRetrievalSettings(AnySettings):
    """How many rows are asked, and how often."""

    neighbours: int = Field(20, ge=1, le=1000, description="Rows that a hidden cell is filled in from.")
    groups: int = Field(8, ge=2, le=100, description="Cells are hidden in so many groups that together cover all.")
    rounds: int = Field(3, ge=1, le=50, description="How often the columns are dealt into groups anew.")
    bags: int = Field(
        1, ge=1, le=200, description="Banks of rows to retrieve from; each is drawn by itself, and all are averaged."
    )
    bank_rows: int = Field(
        3000,
        ge=8,
        le=100_000,
        description="Rows of a bank at most. Small banks forget frequent anomalies, large ones know rare normals.",
    )


@PRETEXTS.register
class MaskedRetrieval(Pretext):
    """Rows that agree with a normal row in most cells agree with it in the rest.

    For every group of columns: squared distances d2 over the columns *not* in the group; the k nearest rows of a bank
    (never the row itself); weights 1 / (d2 / mean d2 + 0.1), made to add up to 1; the loss of a column is the squared
    error of the weighted mean [squared standard deviations], a category's entries added up. Score: mean over the
    columns of (loss - usual loss) / (its spread + 0.01). There is nothing to train.
    """

    title = "Masked retrieval"
    asks = "What stands in my hidden cells, going by the rows most like me?"
    finds = "cells that contradict rows that otherwise agree, and combinations that don't occur"
    misses = "columns that nothing else tells about; groups of equal anomalies, unless banks are small"
    source = "Own; masked cells after Yin et al. 2024, MCM, ICLR; imputation after Troyanskaya et al. 2001, KNNimpute"
    modalities = frozenset({Modality.TABLE})
    encoder_name = "flat"
    Settings = MaskedRetrievalSettings
    settings: MaskedRetrievalSettings
    owner: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(self, settings: MaskedRetrievalSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.columns = len(shape.parts.names)
        self.kept = TensorGroup()
        self.register_buffer("usual", torch.zeros(self.columns))
        self.register_buffer("spread", torch.ones(self.columns))
        self.register_buffer("owner", torch.tensor(shape.parts.of_entry), persistent=False)

    @property
    def banks(self) -> Tensor:
        """(bags, rows, entries) rows to retrieve from."""
        return self.kept.banks  # type: ignore[return-value]

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Draw the banks. A bag of several has at most half of the rows, so that bags differ."""
        n = sum(len(batch.x) for batch in batches)
        most = n if self.settings.bags == 1 else max(2, n // 2)
        size = min(self.settings.bank_rows, most)
        chosen = torch.stack([torch.randperm(n)[:size].sort().values for _ in range(self.settings.bags)])
        wanted, place = chosen.unique(return_inverse=True)
        rows = at_positions((batch.x for batch in batches), wanted)
        self.kept.put("banks", rows[place.to(rows.device)])

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        """One deal of the columns for the whole batch."""
        return self.cell_losses(batch.x, draw).mean(1)

    def finish(self, batches: Iterable[Batch]) -> None:
        self.learn_usual(self.cell_losses(b.x, Draw.shared(SCORE_SEED, b.x.device)) for b in batches)

    def learn_usual(self, pieces: Iterable[Tensor]) -> None:
        """Usual loss of each column and its spread.

        Args:
            pieces: (b, columns) losses, with the very groups that scores are made with.
        """
        usual, spread = mean_and_spread(pieces)
        self.usual, self.spread = usual.to(self.usual), spread.to(self.spread)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean(1)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:
        return self.surprise(self.cell_losses(x, draw))

    def surprise(self, losses: Tensor) -> Tensor:
        """(b, columns) losses in spreads above the normal ones."""
        return (losses - self.usual) / (self.spread + 0.01)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:
        total = torch.zeros_like(x)
        for entries, weights, values in self._retrieved(x, draw):
            total = total.index_add(1, entries, (weights.unsqueeze(2) * values).sum(1))
        return total / (self.settings.rounds * len(self.banks))

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Weighted quantiles of what the retrieved rows have in the cell."""
        found: list[tuple[list[Tensor], list[Tensor]]] = [([], []) for _ in range(x.shape[1])]
        for entries, weights, values in self._retrieved(x, draw):
            for at, entry in enumerate(entries.tolist()):
                found[entry][0].append(values[:, :, at])
                found[entry][1].append(weights)
        columns = [_quantiles(torch.cat(values, 1), torch.cat(weights, 1)) for values, weights in found]
        low, high = (torch.stack(side, 1) for side in zip(*columns, strict=True))
        return low, high

    def embed(self, x: Tensor) -> Tensor:
        """The row as it is compared."""
        return self.encoder(_within(x))  # type: ignore[no-any-return]

    def cell_losses(self, x: Tensor, draw: Draw, originals: SourceItems | None = None) -> Tensor:
        """(b, columns) squared errors of what was filled in: mean over the rounds and banks.

        Args:
            originals: where x are changed copies of rows.
        """
        total = x.new_zeros(len(x), self.columns)
        for entries, weights, values in self._retrieved(x, draw, originals):
            errors = (x[:, entries] - (weights.unsqueeze(2) * values).sum(1)).square()  # (b, entries of the group)
            total = total.index_add(1, self.owner[entries], errors)
        return compressed(total / (self.settings.rounds * len(self.banks)))

    def _retrieved(
        self, x: Tensor, draw: Draw, originals: SourceItems | None = None
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Per bank, round and group: (e,) the group's entries, (b, k) weights, (b, k, e) what the rows have there."""
        groups = min(self.settings.groups, self.columns)
        deals = draw.uniform(1, len(self.banks), self.settings.rounds, self.columns).argsort(-1).argsort(-1)[0] % groups
        near = None if originals is None else originals.seen(_within)
        for bank, rounds in zip(self.banks, deals, strict=True):
            nearness = NeighbourDistances(_within(x), _within(bank), near)
            for group_of in rounds:
                for group in range(groups):
                    entries = (group_of[self.owner] == group).nonzero()[:, 0]
                    weights, rows = self._weighted(nearness, entries)
                    yield entries, weights, bank[:, entries][rows]

    def _weighted(self, nearness: NeighbourDistances, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(b, k) weights that add up to 1, and (b, k) positions in the bank, nearest first."""
        if self.columns == 1:  # nothing is left to compare by: all rows count alike
            weights = (~nearness.itself).to(nearness.dtype)
            rows = torch.arange(weights.shape[1], device=weights.device).expand_as(weights)
            return weights / weights.sum(1, keepdim=True), rows
        d2, rows = nearness.nearest(self.settings.neighbours, without=hidden)
        weights = 1 / (d2 / (d2.mean(1, keepdim=True) + 1e-12) + 0.1)
        return (weights / weights.sum(1, keepdim=True)).to(nearness.dtype), rows


def _within(x: Tensor) -> Tensor:
    """Rows as they are compared: a single cell that is far off doesn't drown the others."""
    return x.clamp(-FAR, FAR)


def _quantiles(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """(b, m) values and weights -> (b,) 5 % and 95 % quantile."""
    values, order = values.sort(1)
    share = weights.gather(1, order).cumsum(1)
    share = share / share[:, -1:]
    low, high = ((share < q).sum(1).clamp_max(values.shape[1] - 1) for q in (0.05, 0.95))
    return values.gather(1, low[:, None])[:, 0], values.gather(1, high[:, None])[:, 0]
