"""Contract of a recipe: an ensemble of base detectors, and out-of-bag scores of its training rows."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

import numpy as np
import torch
from torch import Tensor

from ad_core.data.item_set import ItemSet, Split
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Report
from ad_core.registry import Registry
from ad_core.settings import S_co, SettingsClass
from ad_core.types import Modality, TrainingRows


@dataclass(frozen=True)
class HeldOut:
    """Scores of items by a model that was not trained on them, for the calibration."""

    items: np.ndarray
    """(n,) positions in the item set."""
    scores: np.ndarray
    """(n,), or (n, span) if the model scores the samples of an item."""
    model: ScoreModel | None = None
    """The model that gave the scores, if it is a single one; further statistics of held-out rows are taken from it."""


@dataclass(frozen=True)
class Fitted:
    """Result of a training of any kind: a pretext task with a scorer, a classical detector, or a recipe."""

    model: ScoreModel
    held_out: HeldOut | None = None
    """Out-of-bag scores of training items; such a row keeps this score when it is scored again. None: there are none,
    and the calibration items are scored by the model.
    """


class Recipe(ABC, Generic[S_co]):
    """An ensemble of base detectors; one file per modality, named `<recipe>_<modality>`.

    One file, one class: `class AutoTabular(Recipe[AutoTabularSettings])`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    source: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]]
    Settings: ClassVar[SettingsClass]
    shares: ClassVar[tuple[float, float, float]] = (0.6, 0.15, 0.25)
    """Shares of the training rows: fit, early stop, calibration. A recipe with out-of-bag scores can fit on all."""
    reader_defaults: ClassVar[Mapping[str, Any]] = {}
    """The recipe's defaults for settings of the reader; the user's settings take precedence."""

    def __init__(self, settings: S_co, seed: int, device: torch.device | str = "cpu") -> None:
        self.settings, self.seed, self.device = settings, seed, device

    @abstractmethod
    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> Fitted:
        """Fit all base detectors on the fit items."""

    @abstractmethod
    def state(self, model: ScoreModel) -> tuple[dict[str, Any], Mapping[str, np.ndarray | Tensor]]:
        """A fitted model of this recipe as JSON-serialisable facts and arrays."""

    @abstractmethod
    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ScoreModel:
        """The inverse of `state`."""

    def fitted_to(self, model: ScoreModel) -> int | None:  # noqa: ARG002
        """Number of items that a model of this recipe was fitted to, all with out-of-bag scores, in the order of the
        item set; None where that is not known.
        """
        return None


RECIPES: Registry[Recipe] = Registry("recipe", "ad_core.recipes", "anomaly_lens.recipes")
"""All recipes by file name, such as `balanced_tabular`."""
