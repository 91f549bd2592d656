"""The source items of changed copies."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SourceItems:
    """The items that changed copies were made of, and the source of each copy.

    A training row is not its own neighbour, and its changed copies must not be compared with it either: they would
    score as normal only because they are nearly equal to it. A training item that keeps an out-of-bag score has its
    copies scored by the same parts of the model, which were not fitted to it.
    """

    items: Tensor
    """(n, *item), or a base detector's features of them, (n k, entries)."""
    of: Tensor
    """(b,) int64, position of each copy's source among the items."""
    positions: Tensor | None = None
    """(n,) int64, the place of each source among the items with out-of-bag scores (`HeldOut.items`), -1 for an item
    that keeps none; None where no item keeps one.
    """

    @classmethod
    def of_one(cls, item: Tensor, copies: int) -> "SourceItems":
        """For this number of copies of one (1, *item)."""
        return cls(item, torch.zeros(copies, dtype=torch.int64, device=item.device))

    @classmethod
    def each(cls, items: "Tensor | SourceItems", positions: Tensor | None = None) -> "SourceItems":
        """(n, *item) as their own sources; sources as they are."""
        if isinstance(items, SourceItems):
            return items
        return cls(items, torch.arange(len(items), device=items.device), positions)

    def copies(self, of: Tensor) -> "SourceItems":
        """The same items as the sources of these copies.

        Args:
            of: (b,) int64, position of each copy's source among the items.
        """
        return SourceItems(self.items, of, self.positions)

    def some(self, which: slice) -> "SourceItems":
        """Some of the items as their own sources."""
        positions = None if self.positions is None else self.positions[which]
        return SourceItems(self.items[which], self.of[: len(self.items[which])], positions)

    @property
    def position(self) -> Tensor | None:
        """(b,) int64, `positions` of the source of each copy; None where no source keeps an out-of-bag score."""
        if self.positions is None or not (self.positions >= 0).any():
            return None
        return self.positions[self.of]

    def seen(self, how: Callable[[Tensor], Tensor]) -> "SourceItems":
        """The same for features that turn each item into k rows: (n, ...) -> (n k, entries), without positions."""
        with torch.no_grad():
            rows = how(self.items)
        k = len(rows) // max(1, len(self.items))
        return SourceItems(rows, (self.of[:, None] * k + torch.arange(k, device=self.of.device)).flatten())

    def split(self, size: int) -> list["SourceItems"]:
        """For chunks of this number of copies."""
        return [self.copies(of) for of in self.of.split(size)]
