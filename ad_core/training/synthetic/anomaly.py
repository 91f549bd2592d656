"""Contract of a synthetic anomaly: what it does to a normal item, and what that means in words.

One file per kind of data in `flaws/` holds a tuple `FLAWS`. A flaw acts on prepared items, so that every method can
score what comes of it; in a table it moves all entries of a column together, as a change of the user's own cell would.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ad_core.data.item_set import ItemSet
from ad_core.data.reservoir import drawn_items
from ad_core.types import ItemShape

MOST_KNOWN = 2000
"""So many real items say what is usual in a table or a recording."""


class TrainingItems:
    """Real training items: flaws take cells, patches and usual spreads from them.

    Args:
        index: positions of the items in the frame.
    """

    def __init__(self, item_set: ItemSet, index: np.ndarray) -> None:
        self._item_set, self._index = item_set, index

    @property
    def shape(self) -> ItemShape:
        return self._item_set.shape

    def one(self, random: np.random.Generator) -> np.ndarray:
        """(*item) float32, any of them."""
        at = self._index[random.integers(len(self._index))]
        return np.asarray(self._item_set.take(np.array([at])).numpy()[0])

    @cached_property
    def items(self) -> np.ndarray:
        """(n, *item) float32; of very many some."""
        return self._item_set.take(drawn_items(self._index, MOST_KNOWN, 0)).numpy()

    @cached_property
    def middle(self) -> np.ndarray:
        """(first axis of an item,) median."""
        return np.asarray(np.median(self._by_entry, axis=1))

    @cached_property
    def spread(self) -> np.ndarray:
        """(first axis of an item,) standard deviation."""
        return np.asarray(self._by_entry.std(axis=1))

    @cached_property
    def range(self) -> np.ndarray:
        """(2, first axis of an item): the 1 % and the 99 % quantile."""
        return np.asarray(np.quantile(self._by_entry, [0.01, 0.99], axis=1))

    @cached_property
    def levels(self) -> np.ndarray:
        """(first axis of an item,) how many different values there are."""
        return np.array([len(np.unique(values)) for values in self._by_entry])

    @cached_property
    def _by_entry(self) -> np.ndarray:
        return np.moveaxis(self.items, 1, 0).reshape(self.items.shape[1], -1).astype(np.float64)


Make = Callable[[np.ndarray, TrainingItems, np.random.Generator], np.ndarray | None]
"""(*item) float32 of its own to change -> (*item); None where this item can't have the flaw."""


@dataclass(frozen=True)
class SyntheticAnomaly:
    """One kind of synthetic anomaly."""

    name: str
    title: str
    says: str
    """What it is, in a sentence for the analyst."""
    make: Make
