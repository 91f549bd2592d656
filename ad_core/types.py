"""The small value objects that every layer shares: items and their parts, batches, random numbers.

Shapes: `n` items, `b` items of a batch, `d` embedding size. An item is `(feature,)` for a table row, `(channel, y, x)`
for an image, `(channel, time)` for a window. Scores: higher = more anomalous, everywhere.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from ad_core.old_paths import moved, unchanged

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TrainingRows = Literal["clean", "mixed", "unsure"]
"""What the analyst declares about the training rows: no anomalies, some anomalies, not known."""


MethodKind = Literal["recipe", "pretext", "reference"]
PlugInKind = Literal["recipe", "pretext", "reference", "scorer", "encoder", "reader"]
"""What can be trained: an ensemble, a pretext task, or a classical detector."""


JudgedBy = Literal["level", "shape", "both"]
"""What makes a channel of a recording anomalous: its level; only its shape; not known, so both are scored."""


class Modality(StrEnum):
    """The three kinds of data."""

    TABLE = "table"
    IMAGE = "image"
    SENSOR = "sensor"


class PartKind(StrEnum):
    """Type of a part: a number (squared error) or a category (cross-entropy)."""

    NUMBER = "number"
    CATEGORY = "category"


class Parts(BaseModel):
    """The input features that a user knows, called parts, and the entries of an item's first axis that encode each.

    A table's parts are its columns (a one-hot block and a missing flag join their column), a sensor's its channels, an
    image's its colour channels.
    """

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]
    of_entry: tuple[int, ...]
    """For each entry of the item's first axis: the index of its part in `names`."""
    kinds: tuple[PartKind, ...]
    units: tuple[str | None, ...]
    judged_by: tuple[JudgedBy | None, ...] = ()
    """For recordings: the analyst's choice per channel, None if unset; empty for other data."""

    def entries(self, part: int) -> list[int]:
        """Positions on the item's first axis that belong to a part."""
        return [entry for entry, owner in enumerate(self.of_entry) if owner == part]


class ItemShape(BaseModel):
    """Shape and meaning of one item: all that an encoder or a pretext task knows about the data when it is built."""

    model_config = ConfigDict(frozen=True)

    modality: Modality
    size: tuple[int, ...]
    """`(feature,)`, `(channel, y, x)` or `(channel, time)`."""
    parts: Parts
    classes: int = 0
    """Number of classes in the user's class column; 0 = no class column."""

    @property
    def entries(self) -> int:
        """Number of values in an item."""
        return int(np.prod(self.size))


@dataclass(frozen=True)
class Batch:
    """Items that are processed together. Never holds the label."""

    x: "Tensor"
    """(b, *item) float32."""
    cls: "Tensor | None" = None
    """(b,) int64 codes of the user's class column, -1 where it is unknown."""
    rows: "Tensor | None" = None
    """(b,) int64 positions of the items in their item set, for tasks that keep state per item."""


class Draw:
    """The source of random numbers of a pretext task.

    In training every item gets its own row of random numbers. In scoring all items share ONE row, drawn anew from the
    same seed at each call. A score then depends on the item only, neither on the other items of its batch nor on
    earlier calls, so it can be differentiated and attributed.
    """

    def __init__(self, generator: "torch.Generator", shared: bool, device: "torch.device | str") -> None:
        self._generator, self.is_shared, self.device = generator, shared, device

    @classmethod
    def per_item(cls, seed: int, device: "torch.device | str" = "cpu") -> "Draw":
        """A row of random numbers for each item: for training. One object per epoch or training, not per batch."""
        import torch

        return cls(torch.Generator().manual_seed(seed), False, device)

    @classmethod
    def shared(cls, seed: int, device: "torch.device | str" = "cpu") -> "Draw":
        """One row for all items: for scoring. Create a new object for every call of `score`."""
        import torch

        return cls(torch.Generator().manual_seed(seed), True, device)

    def integers(self, high: int, b: int, *shape: int) -> "Tensor":
        """(b, *shape) int64, uniform in 0..high-1."""
        import torch

        return self._spread(torch.randint(high, (self._rows(b), *shape), generator=self._generator), b)

    def uniform(self, b: int, *shape: int) -> "Tensor":
        """(b, *shape) float32, uniform in [0, 1)."""
        import torch

        return self._spread(torch.rand((self._rows(b), *shape), generator=self._generator), b)

    def normal(self, b: int, *shape: int) -> "Tensor":
        """(b, *shape) float32, standard normal."""
        import torch

        return self._spread(torch.randn((self._rows(b), *shape), generator=self._generator), b)

    def bernoulli(self, p: "float | Tensor", b: int, *shape: int) -> "Tensor":
        """(b, *shape) bool, true with probability p (a number, or a tensor that broadcasts to the shape)."""
        return self.uniform(b, *shape) < p

    def permutations(self, n: int, b: int) -> "Tensor":
        """(b, n) int64, each row a random order of 0..n-1."""
        return self.uniform(b, n).argsort(dim=1)

    def _rows(self, b: int) -> int:
        return 1 if self.is_shared else b

    def _spread(self, values: "Tensor", b: int) -> "Tensor":
        return values.to(self.device).expand(b, *values.shape[1:])


if not TYPE_CHECKING:  # hidden from mypy, which would take any name for one of this module
    __getattr__ = moved(
        "ad_core.types",
        {
            **unchanged("ad_core.plugins", "Split"),
            "Frame": "ad_core.plugins:ItemSet",
            "Judged": "ad_core.plugins:JudgedBy",
        },
    )
