"""Loss of predicted table cells: squared error for numbers, cross-entropy for categories, one loss per column."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ad_core.types import Batch, PartKind, Parts

FAR_BELOW = -1e4
"""Logit of a padded position: finite, so that its probability 0 times its logarithm is 0 and not NaN."""

LARGE = 50.0
"""Losses of a cell above this grow logarithmically, see `compressed`."""


def compressed(losses: Tensor) -> Tensor:
    """Losses whose growth is logarithmic above `LARGE`: one extreme cell doesn't hide the others and keeps its rank."""
    return torch.where(losses > LARGE, LARGE + (losses - LARGE).clamp_min(0).log1p(), losses)


class CellLoss(nn.Module):
    """From a network's outputs to a loss per column and to the expected value of each entry.

    Outputs, in this order: one per entry of a number column; then for each category column one logit for "none of the
    levels" and one per level. So a level that never occurred in training has the loss of "none of the levels".

    The probability of a level is interpolated linearly between the entry's smallest and largest value in training,
    independent of the reader's scaling, so that the loss is differentiable with respect to the item.
    """

    number_at: Tensor
    number_column: Tensor
    category_column: Tensor
    entries_of: Tensor
    entry_at: Tensor
    logit_at: Tensor
    real: Tensor
    low: Tensor
    high: Tensor

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, outputs: Tensor, x: Tensor) -> Tensor: ...

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        numbers = [e for e, p in enumerate(parts.of_entry) if parts.kinds[p] is PartKind.NUMBER]
        categories = [p for p, kind in enumerate(parts.kinds) if kind is PartKind.CATEGORY]
        levels = [parts.entries(p) for p in categories]
        self.columns, self.entries = len(parts.names), len(parts.of_entry)
        self.outputs = len(numbers) + sum(len(block) + 1 for block in levels)
        self._put("number_at", torch.tensor(numbers, dtype=torch.long))
        self._put("number_column", torch.tensor([parts.of_entry[e] for e in numbers], dtype=torch.long))
        self._put("category_column", torch.tensor(categories, dtype=torch.long))
        self.plain = numbers == list(parts.of_entry) == list(range(self.columns))
        """Whether each column is one number, in order."""
        per_column = torch.bincount(self.number_column, minlength=self.columns)
        self._put("entries_of", per_column.clamp_min(1).float())
        width = max((len(block) for block in levels), default=0)
        entry_at = torch.zeros(len(levels), width, dtype=torch.long)
        logit_at, real = (
            torch.zeros(len(levels), width + 1, dtype=torch.long),
            torch.zeros(len(levels), width + 1, dtype=torch.bool),
        )
        first = len(numbers)
        for row, block in enumerate(levels):
            n = len(block)
            entry_at[row, :n] = torch.tensor(block)
            logit_at[row, : n + 1] = torch.arange(first, first + n + 1)
            real[row, : n + 1] = True
            first += n + 1
        self._put("entry_at", entry_at)
        self._put("logit_at", logit_at)
        self._put("real", real)
        self.register_buffer("low", torch.zeros(self.entries))
        self.register_buffer("high", torch.ones(self.entries))

    def learn(self, batches: Iterable[Batch]) -> None:
        """Record each entry's smallest and largest value: its level is absent or present."""
        low, high = torch.full_like(self.low, torch.inf), torch.full_like(self.high, -torch.inf)
        for batch in batches:
            low = torch.minimum(low, batch.x.amin(0))
            high = torch.maximum(high, batch.x.amax(0))
        self.low, self.high = low, high

    def forward(self, outputs: Tensor, x: Tensor) -> Tensor:
        """(b, outputs), (b, entries) -> (b, columns): squared error of numbers, cross-entropy [nat] of categories."""
        outputs = outputs.to(x.dtype)
        if self.plain:
            return (outputs - x).square()
        errors = (outputs[:, : len(self.number_at)] - x[:, self.number_at]).square()
        losses = x.new_zeros(len(x), self.columns).index_add(1, self.number_column, errors) / self.entries_of
        if not len(self.category_column):
            return losses
        surprise = -(self._shares(x) * self._log_shares(outputs)).sum(2)  # (b, categories)
        return losses.index_add(1, self.category_column, surprise)

    def expected(self, outputs: Tensor) -> Tensor:
        """(b, outputs) -> (b, entries) in the item's scale; a category's entries hold its levels' probabilities."""
        outputs = outputs.to(self.low.dtype)
        values = outputs.new_zeros(len(outputs), self.entries)
        values = values.index_copy(1, self.number_at, outputs[:, : len(self.number_at)])
        is_level = self.real[:, 1:]
        at = self.entry_at[is_level]
        shares = self._log_shares(outputs)[:, :, 1:].exp()[:, is_level]  # (b, levels of all categories)
        return values.index_copy(1, at, self.low[at] + shares * (self.high - self.low)[at])

    def _shares(self, x: Tensor) -> Tensor:
        """(b, categories, none + levels): the row's probabilities, which sum to 1."""
        span = self.high - self.low
        scale = torch.where(span > 1e-6, span, 1.0)  # a level that never occurred in training: from 0 to 1
        share = ((x - self.low) / scale).clamp(0, 1)
        levels = share[:, self.entry_at] * self.real[:, 1:]
        return torch.cat([(1 - levels.sum(2, keepdim=True)).clamp_min(0), levels], 2)

    def _log_shares(self, outputs: Tensor) -> Tensor:
        """(b, categories, none + levels): the network's log probabilities."""
        return outputs[:, self.logit_at].masked_fill(~self.real, FAR_BELOW).log_softmax(2)

    def _put(self, name: str, value: Tensor) -> None:
        """A buffer that moves with the device but is not saved, since it follows from the item's shape."""
        self.register_buffer(name, value, persistent=False)
