"""What every training works with: the items, which of them train, the device, the seed and the report."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import torch

from ad_core.data.item_set import ItemSet, Split
from ad_core.errors import DataError
from ad_core.progress import Report, Silent
from ad_core.types import Modality, TrainingRows


@dataclass(frozen=True)
class Fit:
    """The inputs of a training that do not depend on the method."""

    item_set: ItemSet
    """n items, each (*item)."""
    split: Split
    """Positions in the item set, int64: (f,) items that train, (e,) early-stop items, (c,) calibration items."""
    seed: int = 0
    """Of the weights, the order of the batches and all random draws."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    report: Report = field(default_factory=Silent)
    training_rows: TrainingRows = "clean"
    """What the user declares of the training rows; unless they are clean, suspicious ones are left out."""

    @property
    def modality(self) -> Modality:
        return self.item_set.shape.modality

    def train_on(self, items: np.ndarray) -> Self:
        """With these positions (f,) as the items that train."""
        return replace(self, split=replace(self.split, fit=items))

    def check_items(self) -> None:
        """
        Raises:
            DataError: there are no items to train on.
        """
        if not len(self.split.fit):
            raise DataError(
                "No rows are left to train on. Choose more training rows, or repair the rows that have a note."
            )
