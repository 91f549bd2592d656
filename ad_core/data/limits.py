"""What the training rows never left, entry by entry: which entries a method learns from, and where an alarm is certain.

A column that never changed in training can't be learnt from, and a network that has seen values up to a few standard
deviations says little of values far beyond. So an item may hold more than a method sees: entries of columns that never
changed, which are 0 as long as they don't, and values that are clipped for the method only. `Watched` adds to the score
by how far an entry lies outside what the training rows held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ad_core.types import ItemShape, Parts

NEW_AT_MOST = 0.005
"""Maximum estimated share of normal rows with a change of what never changed, for every change to be an alarm."""

LARGEST = 1e30
"""Maximum absolute value in an item: float32 ends near 3e38, and sums of its values must not."""


class EntryLimits(NamedTuple):
    """The limits of one entry of an item."""

    low: float
    high: float
    """A method sees values beyond as these."""
    usual_low: float
    usual_high: float
    """The score rises outside."""
    unit: float
    """Distance outside that counts as far."""
    certain: bool
    """Whether every value outside is an alarm, however near, because the training rows held nothing else."""
    weight: float = 1.0
    """How much an entry counts that is not certain."""


FAR_WEIGHT = 1e-4
"""Weight of a value that is clipped: a method sees itself that it is far, only not how far, so this decides ties."""


def far(clip: float, low: float = 0.0, high: float = 0.0) -> EntryLimits:
    """Of an entry that varied: beyond the clip and the range of the training rows, farther is more anomalous."""
    return EntryLimits(-clip, clip, min(low, -clip), max(high, clip), clip, certain=False, weight=FAR_WEIGHT)


def anything(clip: float) -> EntryLimits:
    """Of an entry that is clipped, and never raises the score by itself."""
    return EntryLimits(-clip, clip, -np.inf, np.inf, 1.0, certain=False)


def never_changed(clip: float, low: float = 0.0, high: float = 0.0) -> EntryLimits:
    """Of an entry that lay within this range in all training rows, because nothing changed in them."""
    return EntryLimits(-clip, clip, low, high, 1.0, certain=True)


@dataclass(frozen=True)
class Limits:
    """The limits of an item's entries on its first axis."""

    learnt: ItemShape
    """The shape of what a method sees: the leading entries."""
    entries: tuple[EntryLimits, ...]
    """One for each entry, those behind the leading ones included."""
    of_entry: tuple[int, ...]
    """The part that each entry belongs to, as in `Parts`."""
    novelty: float = 0.0
    """Estimated share of normal rows in which something changes that never changed in training, 0..1."""

    @property
    def seen(self) -> int:
        """Number of leading entries that a method sees."""
        return self.learnt.size[0]

    @property
    def clips(self) -> tuple[np.ndarray, np.ndarray]:
        """(seen,) float32 twice: the smallest and the largest value that a method sees in each entry."""
        seen = self.entries[: self.seen]
        return np.array([e.low for e in seen], dtype=np.float32), np.array([e.high for e in seen], dtype=np.float32)


def first_parts(shape: ItemShape, entries: int) -> ItemShape:
    """The shape of items with only their first entries; parts that have none of these are left out."""
    parts = shape.parts
    count = max(parts.of_entry[:entries]) + 1
    fewer = Parts(
        names=parts.names[:count],
        of_entry=parts.of_entry[:entries],
        kinds=parts.kinds[:count],
        units=parts.units[:count],
        judged_by=parts.judged_by[:count],
    )
    return shape.model_copy(update={"size": (entries, *shape.size[1:]), "parts": fewer})


def limits_of(shape: ItemShape, seen: int, entries: Sequence[EntryLimits], novelty: float = 0.0) -> Limits:
    """Limits of items of this shape, of whose entries a method sees the first ones."""
    return Limits(first_parts(shape, seen), tuple(entries), shape.parts.of_entry, novelty)
