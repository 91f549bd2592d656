"""Hide some cells of a row and impute them from the training rows that agree in the others."""

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
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

FAR = 6.0
"""Entries are clipped to this many standard deviations for comparing rows; imputed values are not."""


class MaskedRetrievalSettings(Settings):
    """Number of retrieved rows, and how often cells are hidden."""

    neighbours: int = Field(20, ge=1, le=1000, description="Number of rows that a hidden cell is imputed from.")
    groups: int = Field(
        8, ge=2, le=100, description="Number of groups into which the cells are divided; one group is hidden at a time."
    )
    rounds: int = Field(3, ge=1, le=50, description="Number of random divisions of the columns into groups.")
    bags: int = Field(
        1,
        ge=1,
        le=200,
        description="Number of banks to retrieve from, each drawn independently; their losses are averaged.",
    )
    bank_rows: int = Field(
        3000,
        ge=8,
        le=100_000,
        description="Maximum number of rows per bank. Small ones hold few anomalies, large ones also rare normal rows.",
    )


@PRETEXTS.register
class MaskedRetrieval(Pretext[MaskedRetrievalSettings]):
    """Rows that agree with a normal row in most cells agree with it in the rest.

    For every group of columns: squared distances d2 over the columns *not* in the group; the k nearest rows of a bank
    (never the row itself); weights 1 / (d2 / mean d2 + 0.1), normalised to sum 1; the loss of a column is the squared
    error of the weighted mean [squared standard deviations], summed over a category's entries. Score: (loss - m) /
    (s + 0.01), mean over the columns, with m and s the mean and standard deviation of the column's loss over the
    training rows. There is nothing to train.
    """

    title = "Masked retrieval"
    task = "Predict hidden cells from the training rows that agree in the others."
    finds = "cells that contradict rows that otherwise agree, and combinations that don't occur"
    misses = "columns that depend on no other; groups of equal anomalies, unless banks are small"
    source = "Own; masked cells after Yin et al. 2024, MCM, ICLR; imputation after Troyanskaya et al. 2001, KNNimpute"
    modalities = frozenset({Modality.TABLE})
    encoder_name = "flat"
    Settings = MaskedRetrievalSettings
    owner: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(self, settings: MaskedRetrievalSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.columns = len(shape.parts.names)
        self.kept = _Banks()
        self.register_buffer("usual", torch.zeros(self.columns))
        self.register_buffer("spread", torch.ones(self.columns))
        self.register_buffer("owner", torch.tensor(shape.parts.of_entry), persistent=False)

    @property
    def banks(self) -> Tensor:
        """(bags, rows, entries) rows to retrieve from."""
        return self.kept.banks

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Draw the banks. Where there are several, each has at most half of the rows, so that they differ."""
        n = sum(len(batch.x) for batch in batches)
        most = n if self.settings.bags == 1 else max(2, n // 2)
        size = min(self.settings.bank_rows, most)
        chosen = torch.stack([torch.randperm(n)[:size].sort().values for _ in range(self.settings.bags)])
        wanted, place = chosen.unique(return_inverse=True)
        rows = at_positions((batch.x for batch in batches), wanted)
        self.kept.put("banks", rows[place.to(rows.device)])

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        """With the same groups of columns for the whole batch."""
        return self.cell_losses(batch.x, draw).mean(1)

    def finish(self, batches: Iterable[Batch]) -> None:
        self.learn_usual(self.cell_losses(b.x, Draw.shared(SCORE_SEED, b.x.device)) for b in batches)

    def learn_usual(self, pieces: Iterable[Tensor]) -> None:
        """Mean loss of each column and its standard deviation.

        Args:
            pieces: (b, columns) losses, with the same groups as in scoring.
        """
        usual, spread = mean_and_spread(pieces)
        self.usual, self.spread = usual.to(self.usual), spread.to(self.spread)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean(1)

    def score_copies(self, x: Tensor, draw: Draw, originals: SourceItems) -> Tensor:
        return self.surprise(self.cell_losses(x, draw, originals)).mean(1)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:
        return self.surprise(self.cell_losses(x, draw))

    def surprise(self, losses: Tensor) -> Tensor:
        """(b, columns) losses -> standard deviations above the mean of the training rows."""
        return (losses - self.usual) / (self.spread + 0.01)

    def expected(self, x: Tensor, draw: Draw) -> Tensor:
        total = torch.zeros_like(x)
        for entries, weights, values in self._retrieved(x, draw):
            total = total.index_add(1, entries, (weights.unsqueeze(2) * values).sum(1))
        return total / (self.settings.rounds * len(self.banks))

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """Weighted quantiles of the retrieved rows' values in the cell."""
        found: list[tuple[list[Tensor], list[Tensor]]] = [([], []) for _ in range(x.shape[1])]
        for entries, weights, values in self._retrieved(x, draw):
            for at, entry in enumerate(entries.tolist()):
                found[entry][0].append(values[:, :, at])
                found[entry][1].append(weights)
        columns = [_quantiles(torch.cat(values, 1), torch.cat(weights, 1)) for values, weights in found]
        low, high = (torch.stack(side, 1) for side in zip(*columns, strict=True))
        return low, high

    def embed(self, x: Tensor) -> Tensor:
        """The row's clipped entries, by which rows are compared."""
        return self.encoder(_within(x))

    def cell_losses(self, x: Tensor, draw: Draw, originals: SourceItems | None = None) -> Tensor:
        """(b, columns) squared errors of the imputations, mean over the rounds and banks.

        Args:
            originals: the source rows if x are changed copies of rows.
        """
        total = x.new_zeros(len(x), self.columns)
        for entries, weights, values in self._retrieved(x, draw, originals):
            errors = (x[:, entries] - (weights.unsqueeze(2) * values).sum(1)).square()  # (b, entries of the group)
            total = total.index_add(1, self.owner[entries], errors)
        return compressed(total / (self.settings.rounds * len(self.banks)))

    def _retrieved(
        self, x: Tensor, draw: Draw, originals: SourceItems | None = None
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Per bank, round and group: (e,) the group's entries, (b, k) weights, (b, k, e) the retrieved rows' values."""
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


class _Banks(TensorGroup):
    banks: Tensor


def _within(x: Tensor) -> Tensor:
    """Clipped entries for comparing rows, so that one extreme cell doesn't dominate the others."""
    return x.clamp(-FAR, FAR)


def _quantiles(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """(b, m) values and weights -> (b,) 5 % and 95 % quantile."""
    values, order = values.sort(1)
    share = weights.gather(1, order).cumsum(1)
    share = share / share[:, -1:]
    low, high = ((share < q).sum(1).clamp_max(values.shape[1] - 1) for q in (0.05, 0.95))
    return values.gather(1, low[:, None])[:, 0], values.gather(1, high[:, None])[:, 0]
