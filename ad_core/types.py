"""The small value objects that every layer shares: what an item is, and how it leads back to the user's rows.

Shapes: `n` items, `b` items of a batch, `d` embedding size. An item is `(feature,)` for a table row, `(channel, y, x)`
for an image, `(channel, time)` for a window. Scores: higher = more anomalous, everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.images.tiles import Box, stitched
from ad_core.data.overlap import covering_sums

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TrainingRows = Literal["clean", "mixed", "unsure"]
"""What the analyst declares of the training rows: no anomalies, some anomalies, not known."""


Judged = Literal["level", "shape", "both"]
"""By what a channel of a recording is judged: its level matters; only its shape does; not sure, so both ways."""

NUMBERS_AT_A_TIME = 2**22
"""Items are looked at in batches of at most so many numbers (16 MiB)."""


class Modality(StrEnum):
    """The three kinds of data."""

    TABLE = "table"
    IMAGE = "image"
    SENSOR = "sensor"


class PartKind(StrEnum):
    """How the entries of a part are to be read: as numbers (squared error) or as one choice (cross-entropy)."""

    NUMBER = "number"
    CATEGORY = "category"


class Parts(BaseModel):
    """The parts that a user knows, and which entries of an item's first axis belong to each.

    A table's parts are its columns (a one-hot block and a missing flag join their column), a sensor's its channels, an
    image's its colour channels.
    """

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]
    of_entry: tuple[int, ...]
    """For each entry of the item's first axis the index of its part in `names`."""
    kinds: tuple[PartKind, ...]
    units: tuple[str | None, ...]
    judged_by: tuple[Judged | None, ...] = ()
    """Per channel of a recording what the user said of it, None = nothing; () where that is no question."""

    def entries(self, part: int) -> list[int]:
        """Positions on the item's first axis that belong to a part."""
        return [entry for entry, owner in enumerate(self.of_entry) if owner == part]


class ItemShape(BaseModel):
    """Shape and meaning of one item: all that an encoder or a pretext task may know of the data when it is built."""

    model_config = ConfigDict(frozen=True)

    modality: Modality
    size: tuple[int, ...]
    """`(feature,)`, `(channel, y, x)` or `(channel, time)`."""
    parts: Parts
    classes: int = 0
    """How many classes the user's class column has; 0 = there is none."""

    @property
    def entries(self) -> int:
        """How many numbers an item has."""
        return int(np.prod(self.size))


@dataclass(frozen=True)
class Batch:
    """Items that are looked at together. Never holds the label."""

    x: "Tensor"
    """(b, *item) float32."""
    cls: "Tensor | None" = None
    """(b,) int64 codes of the user's class column, -1 where it is unknown."""
    rows: "Tensor | None" = None
    """(b,) int64 positions of the items in their frame, for tasks that keep something per item."""


class Draw:
    """The randomness of a pretext task, handed in.

    In training every item gets its own row of random numbers. In scoring all items share ONE row, drawn anew from the
    same seed at each call: a score then depends neither on the batch that the item sat in nor on what was scored
    before, and is a plain function of the item that can be differentiated and attributed.
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
        """One row for all items: for scoring. Make a fresh one for every call of `score`."""
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


@dataclass(frozen=True)
class Frame:
    """Prepared items, and the way back from items to the rows of the user's file.

    An item is not always a row: windows are items and time stamps are rows. `rows` has one line per input row in input
    order; each row points at one *sample* (`rows["sample"]`, -1 = it can't be scored, see its `note`), and the item at
    position i covers the samples `start .. start + span - 1`. For tables and images an item is one sample, span 1.
    """

    shape: ItemShape
    x: np.ndarray
    """(samples or windows, *item): float32, or uint8 / uint16 for images (`take` scales them to 0..1). May be
    memory-mapped or a
    strided view: overlapping windows are never copied out."""
    items: pd.DataFrame
    """n lines: `start` (position in `x` and first sample covered), optionally `cls` (class code, -1 unknown). Tiles of
    large pictures add `at` (their own position in `x`, as several share a sample) and their place in the picture,
    `top, left, height, width` [px].
    """
    rows: pd.DataFrame
    """One line per input row: `row_id`, `sample`, `note` ("" = fine); where they exist `entity`, `time`, `label`, and
    for images `height` and `width`.
    """
    span: int = 1
    notices: list[str] = field(default_factory=list)
    """What the analyst should know about how the data were read, in sentences."""
    times: pd.Series | None = None
    """(samples,) the samples' own times, where they are not those of the rows: irregular sampling was evened out."""

    def __len__(self) -> int:
        return len(self.items)

    @property
    def items_at_a_time(self) -> int:
        """How many items are held well in memory together: 1024, or fewer of many numbers."""
        return min(1024, max(1, NUMBERS_AT_A_TIME // self.shape.entries))

    def take(self, index: np.ndarray | slice) -> "Tensor":
        """(b, *item) float32 items at these positions."""
        import torch

        x = self.x[self._starts[index]]
        if x.dtype.kind == "u":
            return torch.from_numpy(x.astype(np.float32) / np.iinfo(x.dtype).max)
        return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))  # chosen by positions, so a copy already

    @cached_property
    def _starts(self) -> np.ndarray:
        """(n,) where each item begins in `x`; asking the table again for every batch takes as long as the batch."""
        return np.asarray(self.items["at" if self.tiled else "start"])

    @property
    def tiled(self) -> bool:
        """Whether items are tiles of pictures."""
        return "at" in self.items

    def classes(self, index: np.ndarray | slice) -> "Tensor | None":
        """(b,) int64 class codes, or None where the user named no class column."""
        import torch

        if "cls" not in self.items:
            return None
        return torch.from_numpy(self.items["cls"].to_numpy(np.int64)[index])

    def batches(self, index: np.ndarray, size: int) -> Iterator[Batch]:
        """The items at these positions in order, `size` at a time."""
        import torch

        for begin in range(0, len(index), size):
            chosen = np.asarray(index)[begin : begin + size]
            yield Batch(self.take(chosen), self.classes(chosen), torch.from_numpy(chosen.astype(np.int64)))

    def items_within(self, rows: np.ndarray) -> np.ndarray:
        """Positions of the items all of whose rows are among the chosen ones.

        Args:
            rows: (rows,) bool.
        """
        sample, start = self.rows["sample"].to_numpy(), self.items["start"].to_numpy()
        chosen, other = np.zeros(self.samples, dtype=bool), np.zeros(self.samples, dtype=bool)
        other[sample[sample >= 0]] = True
        chosen[sample[rows & (sample >= 0)]] = True
        other &= ~chosen  # a sample without a row of its own, between two rows, belongs to both
        some, none = (np.concatenate([[0], np.cumsum(of)]) for of in (chosen, other))
        end = start + self.span
        return np.flatnonzero((some[end] > some[start]) & (none[end] == none[start]))

    def row_ids(self, index: np.ndarray) -> list[str]:
        """The row that stands for each of these items: itself, or the middle time stamp of a window."""
        middle = self.items["start"].to_numpy()[index] + self.span // 2
        return list(self.rows["row_id"].iloc[self.row_of_sample()[middle]])

    def row_of_sample(self) -> np.ndarray:
        """(samples,) position in `rows` of the first row of each sample; of one without a row, that of the row before.

        A sample without any usable row before it has that of the first usable row.
        """
        sample = self.rows["sample"].to_numpy()
        usable = np.flatnonzero(sample >= 0)[::-1]
        position = np.full(self.samples, -1, dtype=np.int64)
        position[sample[usable]] = usable
        there = np.maximum.accumulate(np.where(position >= 0, np.arange(len(position)), -1))
        return np.asarray(np.where(there >= 0, position[there], usable[-1] if len(usable) else -1))

    def only(self, index: np.ndarray) -> "Frame":
        """The same rows with only these items, so that `reduce` leads their scores alone back."""
        return replace(self, items=self.items.iloc[index].reset_index(drop=True))

    @property
    def samples(self) -> int:
        """How many samples the items cover at most."""
        if self.tiled:
            return int(self.rows["sample"].max()) + 1
        return len(self.x) + self.span - 1

    def reduce(self, item_scores: np.ndarray, how: Literal["mean", "max"] | None = None) -> np.ndarray:
        """Lead item scores back to the input rows.

        Args:
            item_scores: (n,) or (n, span): one number per item, or one per sample that it covers.
            how: what a row gets that several items cover; None = the highest of a picture's tiles, else the mean.

        Returns:
            (rows,) float64, NaN where no item covers the row.
        """
        scores = np.asarray(item_scores, dtype=np.float64)
        start = self.items["start"].to_numpy()
        total, count = covering_sums(start, scores, self.span, self.samples)
        per_sample = total / np.maximum(count, 1)
        if (how or ("max" if self.tiled else "mean")) == "max":
            per_sample = np.full(self.samples, -np.inf)
            for offset in range(self.span):
                np.maximum.at(per_sample, start + offset, scores if scores.ndim == 1 else scores[:, offset])
        per_sample = np.where(count > 0, per_sample, np.nan)
        sample = self.rows["sample"].to_numpy()
        return np.where(sample >= 0, per_sample[np.maximum(sample, 0)], np.nan)

    def pieces(self, row: int) -> tuple[np.ndarray, list[Box]]:
        """The items that an image consists of, in order, and where each lies in it.

        Args:
            row: position in `rows`, which holds the image's own `height` and `width`.
        """
        start, sample = self.items["start"].to_numpy(), self.rows["sample"].iloc[row]
        index = np.arange(*np.searchsorted(start, [sample, sample + 1]))  # the reader makes items in order
        if not self.tiled:
            return index, [Box(0, 0, *self._size(row))] * len(index)
        places = self.items.iloc[index][list(Box._fields)].itertuples(index=False)
        return index, [Box(*map(int, place)) for place in places]

    def place(self, maps: np.ndarray, row: int) -> np.ndarray:
        """Lead the maps of an image's items back to its own size.

        Args:
            maps: (pieces, y, x) values of the items that `pieces` names, on any grid that spans an item.
            row: position in `rows`.

        Returns:
            (height, width) float32, bilinear.
        """
        return stitched(maps, self.pieces(row)[1], self._size(row))

    def _size(self, row: int) -> tuple[int, int]:
        """Height and width of an image [px]."""
        return int(self.rows["height"].iloc[row]), int(self.rows["width"].iloc[row])


@dataclass(frozen=True)
class Split:
    """Which rows teach, which say when to stop, and which calibrate: no row is calibrated by a model that trained on
    it.

    Each array holds positions of items in the frame.
    """

    fit: np.ndarray
    early_stop: np.ndarray
    calibration: np.ndarray
