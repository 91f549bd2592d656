"""Prepared items and their mapping to the rows of the file; which items train, stop training early and calibrate."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ad_core.data.fill_in import FillIn
from ad_core.data.images.tiles import Box, stitched
from ad_core.data.limits import Limits
from ad_core.data.overlap import covering_sums

if TYPE_CHECKING:
    from torch import Tensor
from ad_core.types import Batch, ItemShape

NUMBERS_AT_A_TIME = 2**22
"""Maximum number of values in a batch of items (16 MiB)."""


@dataclass(frozen=True)
class ItemSet:
    """Prepared items, and their mapping to the rows of the user's file.

    An item is not always a row: windows are items and time stamps are rows. `rows` has one line per input row in input
    order; each row belongs to one *sample*, a time step of a recording (`rows["sample"]`, -1 = it can't be scored, see
    its `note`). Item i covers the samples `start .. start + span - 1`. For tables and images an item is one sample,
    span 1.
    """

    shape: ItemShape
    x: np.ndarray
    """(samples or windows, *item): float32, or uint8 / uint16 for images (`take` scales them to 0..1). May be
    memory-mapped or a strided view: overlapping windows are never copied."""
    items: pd.DataFrame
    """n lines: `start` (position in `x` and first sample covered), optionally `cls` (class code, -1 unknown).
    Windows add the `segment` without a gap that they are cut from, and where there are several recordings the `entity`.
    Tiles of large images add `at` (their own position in `x`, as several share a sample) and their box in the image,
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
    """(samples,) the samples' own times, if they differ from those of the rows because of resampling."""
    absent: tuple[int, ...] = ()
    """Positions of the parts of which the data hold no value at all; the detector fills them in."""
    fill_in: FillIn | None = None
    """What stands in the place of the absent parts, once they are filled in."""
    limits: Limits | None = None
    """What the training rows never left; None = a method learns from all entries as they are."""
    clips: tuple[np.ndarray, np.ndarray] | None = None
    """(entries,) float32 twice: `take` clips the entries to these; see `learnt`."""

    def __len__(self) -> int:
        return len(self.items)

    @property
    def items_at_a_time(self) -> int:
        """Number of items to hold in memory at a time: 1024, or fewer if items are large."""
        shape = self.shape if self.limits is None else self.limits.learnt
        return min(1024, max(1, NUMBERS_AT_A_TIME // shape.entries))

    def take(self, index: np.ndarray | slice) -> "Tensor":
        """The items at these positions, (b, *item) float32."""
        items = self.at(self._starts[index])
        return items if self.fill_in is None else self.fill_in.put(items, index)

    def at(self, positions: np.ndarray) -> "Tensor":
        """(k, *item) float32: what `x` holds at these positions; for recordings the windows that begin there."""
        import torch

        x = self.x[positions]
        if x.dtype.kind == "u":
            return torch.from_numpy(x.astype(np.float32) / np.iinfo(x.dtype).max)
        items = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))  # indexing by positions made a copy already
        if self.clips is not None:
            low, high = (torch.from_numpy(ends).view(-1, *[1] * (x.ndim - 2)) for ends in self.clips)
            items = items.clamp(low, high)
        return items

    def learnt(self) -> "ItemSet":
        """The same items as a method sees them: without the entries that never changed in training, and clipped."""
        if self.limits is None:
            return self
        own = self.limits
        return replace(self, shape=own.learnt, x=self.x[:, : own.seen], limits=None, clips=own.clips)

    @cached_property
    def _starts(self) -> np.ndarray:
        """(n,) where each item begins in `x`; cached, as reading the data frame takes as long as making a batch."""
        return np.asarray(self.items["at" if self.tiled else "start"])

    @property
    def tiled(self) -> bool:
        """Whether items are tiles of images."""
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
        """The id of each item's row: the row itself, or the middle time stamp of a window."""
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
        filled = np.maximum.accumulate(np.where(position >= 0, np.arange(len(position)), -1))
        return np.asarray(np.where(filled >= 0, position[filled], usable[-1] if len(usable) else -1))

    def only(self, index: np.ndarray) -> "ItemSet":
        """The same rows with only these items, so that `reduce` maps only their scores to rows."""
        fill_in = None if self.fill_in is None else self.fill_in.only(index)
        return replace(self, items=self.items.iloc[index].reset_index(drop=True), fill_in=fill_in)

    def filled_in(self, normals: "Tensor") -> "ItemSet":
        """The same with absent parts filled in from similar normal items, (m, *item); itself where none is absent."""
        import torch

        if not self.absent or not len(self):
            return self
        fill_in = FillIn.of(self.absent, normals.to(torch.float32), self.shape)
        steps = np.array_split(np.arange(len(self)), max(1, len(self) // self.items_at_a_time))
        near = np.concatenate([fill_in.near(self.take(index)) for index in steps])
        return replace(self, fill_in=replace(fill_in, nearest=near))

    @property
    def samples(self) -> int:
        """Maximum number of samples that the items cover."""
        if self.tiled:
            return int(self.rows["sample"].max()) + 1
        return len(self.x) + self.span - 1

    def reduce(self, item_scores: np.ndarray, how: Literal["mean", "max"] | None = None) -> np.ndarray:
        """Map item scores to the input rows.

        Args:
            item_scores: (n,) or (n, span): one number per item, or one per sample that it covers.
            how: how to combine the scores of several items that cover a row; None = maximum over the tiles of an image,
                else the mean.

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
        """The items of one image, in order, and the box of each in it.

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
        """Combine the maps of an image's items into one map of the image's own size.

        Args:
            maps: (pieces, y, x) values of the items that `pieces` gives, on any grid that spans an item.
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
    """Which items train, which decide early stopping, and which calibrate.

    No model calibrates with an item that it was trained on. Each array holds positions of items in the item set.
    """

    fit: np.ndarray
    early_stop: np.ndarray
    calibration: np.ndarray
