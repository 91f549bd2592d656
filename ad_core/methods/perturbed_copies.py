"""What changed copies of items were made of."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SourceItems:
    """The items that changed copies were made of, and which copy was made of which.

    A training row is never its own neighbour. Nor may a changed copy of it be compared with it: it would look usual
    for being nearly itself.
    """

    items: Tensor
    """(n, *item), or what a member of a model makes of them, (n k, entries)."""
    of: Tensor
    """(b,) int64, for each copy its position among the items."""

    @classmethod
    def of_one(cls, item: Tensor, copies: int) -> "SourceItems":
        """So many copies of one (1, *item)."""
        return cls(item, torch.zeros(copies, dtype=torch.int64, device=item.device))

    def seen(self, how: Callable[[Tensor], Tensor]) -> "SourceItems":
        """The same where an item is seen as k rows, item by item: (n, ...) -> (n k, entries)."""
        with torch.no_grad():
            rows = how(self.items)
        k = len(rows) // max(1, len(self.items))
        return SourceItems(rows, (self.of[:, None] * k + torch.arange(k, device=self.of.device)).flatten())

    def split(self, size: int) -> list["SourceItems"]:
        """For so many copies at a time."""
        return [SourceItems(self.items, of) for of in self.of.split(size)]
