"""Contract of a recipe: several members, how they are combined, and scores for rows by members that never saw them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ad_core.data.item_set import ItemSet, Split
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Report
from ad_core.registry import Registry
from ad_core.settings import Settings as AnySettings
from ad_core.types import Modality, TrainingRows


@dataclass(frozen=True)
class HeldOut:
    """Scores of items by a model that did not train on them. Calibration is made of these."""

    items: np.ndarray
    """(n,) positions in the frame."""
    scores: np.ndarray
    """(n,), or (n, span) where the model tells the samples of an item apart."""
    model: ScoreModel | None = None
    """The model that gave them, where it is one: what else is usual on rows that it has not seen is learnt from it."""


@dataclass(frozen=True)
class Fitted:
    """What every way of training ends in: a pretext task with a scorer, a reference, and a recipe alike."""

    model: ScoreModel
    held_out: HeldOut | None = None
    """Of items that were also trained on, out of the bag; when such a row is scored again it keeps this score. None:
    nothing was, and the calibration items are scored by the model.
    """


class Recipe(ABC):
    """Members and how they are combined; one file per modality, named `<recipe>_<modality>`."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    source: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]]
    Settings: ClassVar[type[AnySettings]]
    shares: ClassVar[tuple[float, float, float]] = (0.6, 0.15, 0.25)
    """Of the rows that may train: fit, early stop, calibration. A recipe with out-of-bag scores can fit on all."""
    reader_defaults: ClassVar[Mapping[str, Any]] = {}
    """Settings of the reader that suit the recipe; what the user sets wins."""

    def __init__(self, settings: AnySettings, seed: int, device: torch.device | str = "cpu") -> None:
        self.settings, self.seed, self.device = settings, seed, device

    @abstractmethod
    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> Fitted:
        """Train all members on the fit items."""

    @abstractmethod
    def state(self, model: ScoreModel) -> tuple[dict[str, Any], Mapping[str, np.ndarray | Tensor]]:
        """A fitted model of this recipe as JSON-able facts and arrays."""

    @abstractmethod
    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ScoreModel:
        """The inverse of `state`."""


RECIPES: Registry[Recipe] = Registry("recipe", "ad_core.recipes", "anomaly_lens.recipes")
"""All recipes by file name, such as `balanced_tabular`."""
