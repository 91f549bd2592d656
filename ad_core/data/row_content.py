"""What rows hold, as a few numbers beside their ids: an id says which row it is, not that its values are the same.

Ids that restart in every file, or a clock that was moved, give the id of one row to another. A hash would tell both
apart, but encoded values differ in their last bits between processors, so that a detector would no longer know its own
training rows on another machine. So the content of a row is two weighted sums of its values, which are compared within
rounding.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.data.dataset import SOURCE_END
from ad_core.data.item_set import ItemSet

CONTENT = ["content_1", "content_2"]
"""Columns that hold the content of rows in a table."""

ROUNDING = 1e-6
"""Relative size of a difference that is due to rounding: values are in single precision."""

SEED = 20_111
"""Seed of the weights; the old generator of numpy gives the same numbers in all its versions."""


@dataclass(frozen=True)
class RowContent:
    """The content of the rows of an item set. Of recordings it is that of the time step alone."""

    sums: np.ndarray
    """(rows, 2) float64, NaN for rows that can't be scored."""
    size: np.ndarray
    """(rows, 2) the same sums of absolute values, which bound the rounding error."""

    @classmethod
    def of(cls, item_set: ItemSet) -> "RowContent":
        """The content of all rows, from their items."""
        entries, span = item_set.shape.entries // item_set.span, item_set.span
        weights = np.random.RandomState(SEED).standard_normal((entries, len(CONTENT)))
        sums, size = np.zeros((2, item_set.samples, len(CONTENT)))
        start = item_set.items["start"].to_numpy()
        for begin in range(0, len(item_set), item_set.items_at_a_time):
            part = slice(begin, begin + item_set.items_at_a_time)
            x = item_set.take(part).double().numpy()
            x = x.reshape(len(x), entries, span).swapaxes(1, 2)  # (b, span, entries)
            covered = start[part][:, None] + np.arange(span)
            if item_set.tiled:
                np.add.at(sums, covered, x @ weights)
                np.add.at(size, covered, np.abs(x) @ np.abs(weights))
            else:  # windows that overlap hold the same values of a sample
                sums[covered], size[covered] = x @ weights, np.abs(x) @ np.abs(weights)
        sample = item_set.rows["sample"].to_numpy()
        known = (sample >= 0)[:, None]
        return cls(np.where(known, sums[sample], np.nan), np.where(known, size[sample], np.nan))

    def table(self) -> pd.DataFrame:
        """(rows,) with the columns CONTENT."""
        return pd.DataFrame(self.sums, columns=CONTENT)

    def same_as(self, other: np.ndarray) -> np.ndarray:
        """(rows,) bool: whether each row holds what another one held.

        Args:
            other: (rows, 2) the sums of the other rows.
        """
        with np.errstate(invalid="ignore"):
            return np.asarray((np.abs(self.sums - other) <= ROUNDING * (1 + self.size)).all(axis=1))


def known_rows(known: pd.DataFrame, item_set: ItemSet) -> np.ndarray:
    """(rows,) position of each row of an item set among known rows, -1 for those that are not among them.

    A row is known if a known row has its id and its content; by its id alone where the content was not stored.

    Args:
        known: `row_id`, unique, and CONTENT, which older bundles don't have.
    """
    at = by_id(known, item_set.rows)
    if not has_content(known) or not (at >= 0).any():
        return np.asarray(at)
    same = RowContent.of(item_set).same_as(known[CONTENT].to_numpy()[at])
    return np.where((at >= 0) & same, at, -1)


def by_id(known: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """(rows,) position of each row among known rows by its id, -1 for those that are not among them.

    Where the content is known too, a row is found whether or not its id begins with the name of its file: that depends
    on which files were opened together.

    Args:
        known: `row_id`, unique, and CONTENT, which older bundles don't have.
        rows: `row_id`, and `source` where rows have one.
    """
    ids, there = pd.Series(rows["row_id"].to_numpy(dtype=object), dtype=object), pd.Index(known["row_id"])
    at = np.asarray(there.get_indexer(pd.Index(ids)))
    if has_content(known) and "source" in rows and (at < 0).any():
        rest = np.flatnonzero(at < 0)
        before = rows["source"].astype("object").to_numpy()[rest] + SOURCE_END
        bare = [text.removeprefix(source) for text, source in zip(ids[rest], before, strict=True)]
        for other in (bare, [source + text for text, source in zip(bare, before, strict=True)]):
            found = there.get_indexer(pd.Index(other))
            at[rest] = np.where(at[rest] < 0, found, at[rest])
    return at


def has_content(known: pd.DataFrame) -> bool:
    """Whether the content of known rows was stored beside their ids."""
    return set(CONTENT) <= set(known.columns)
