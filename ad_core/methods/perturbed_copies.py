"""The source items of changed copies."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SourceItems:
    """The items that changed copies were made of, and the source of each copy.

    A training row is not its own neighbour, and its changed copies must not be compared with it either: they would
    score as normal only because they are nearly equal to it.
    """

    items: Tensor
    """(n, *item), or a base detector's features of them, (n k, entries)."""
    of: Tensor
    """(b,) int64, position of each copy's source among the items."""

    @classmethod
    def of_one(cls, item: Tensor, copies: int) -> "SourceItems":
        """For this number of copies of one (1, *item)."""
        return cls(item, torch.zeros(copies, dtype=torch.int64, device=item.device))

    def seen(self, how: Callable[[Tensor], Tensor]) -> "SourceItems":
        """The same for features that turn each item into k rows: (n, ...) -> (n k, entries)."""
        with torch.no_grad():
            rows = how(self.items)
        k = len(rows) // max(1, len(self.items))
        return SourceItems(rows, (self.of[:, None] * k + torch.arange(k, device=self.of.device)).flatten())

    def split(self, size: int) -> list["SourceItems"]:
        """For chunks of this number of copies."""
        return [SourceItems(self.items, of) for of in self.of.split(size)]
