"""Items of an item set in order, on a device."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ad_core.data.item_set import ItemSet
from ad_core.types import Batch


@dataclass(frozen=True)
class Batches:
    """Items of an item set in order, on a device; can be iterated repeatedly."""

    item_set: ItemSet
    index: np.ndarray
    size: int
    device: torch.device

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.item_set.batches(self.index, self.size):
            yield on_device(batch, self.device)


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch on another device."""
    cls, rows = (None if t is None else t.to(device) for t in (batch.cls, batch.rows))
    return Batch(batch.x.to(device), cls, rows)
