"""Items of a frame in order, on a device."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from ad_core.data.frame import Frame
from ad_core.types import Batch


@dataclass(frozen=True)
class Batches:
    """Items of a frame in order, on a device; can be iterated again and again."""

    frame: Frame
    index: np.ndarray
    size: int
    device: torch.device

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.frame.batches(self.index, self.size):
            yield on_device(batch, self.device)


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch elsewhere."""
    return Batch(*(None if t is None else t.to(device) for t in (batch.x, batch.cls, batch.rows)))  # type: ignore[arg-type]
