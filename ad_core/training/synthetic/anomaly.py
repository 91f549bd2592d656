"""Contract of a synthetic anomaly: a change of a normal item, with a title and a description.

One file per kind of data holds a tuple `SYNTHETIC_ANOMALIES`. An anomaly changes a prepared item, so that every method
can score it; in a table it changes all entries of a column together, like a change of the user's cell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ad_core.data.item_set import ItemSet
from ad_core.data.reservoir import drawn_items
from ad_core.types import ItemShape

MOST_KNOWN = 2000
"""Maximum number of training items for the statistics below."""


class TrainingItems:
    """Training items, from which anomalies take cells, patches and typical spreads.

    Args:
        index: positions of the items in the item set.
    """

    def __init__(self, item_set: ItemSet, index: np.ndarray) -> None:
        self._item_set, self._index = item_set, index

    @property
    def shape(self) -> ItemShape:
        return self._item_set.shape

    def one(self, random: np.random.Generator) -> np.ndarray:
        """(*item) float32, a random one."""
        at = self._index[random.integers(len(self._index))]
        return np.asarray(self._item_set.take(np.array([at])).numpy()[0])

    @cached_property
    def items(self) -> np.ndarray:
        """(n, *item) float32; at most `MOST_KNOWN`, drawn at random."""
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
        """(first axis of an item,) number of different values."""
        return np.array([len(np.unique(values)) for values in self._by_entry])

    @cached_property
    def _by_entry(self) -> np.ndarray:
        return np.moveaxis(self.items, 1, 0).reshape(self.items.shape[1], -1).astype(np.float64)


Make = Callable[[np.ndarray, TrainingItems, np.random.Generator], np.ndarray | None]
"""(*item) float32, a copy to change -> (*item); None if this item can't have the anomaly."""


@dataclass(frozen=True)
class SyntheticAnomaly:
    """One kind of synthetic anomaly."""

    name: str
    title: str
    says: str
    """Description for the analyst, one sentence."""
    make: Make
