"""Contract of a reference: a classical detector that every result is shown beside.

References have no gradient and no portable file form: a bundle keeps their fitted rows and seed, refits them on load
and compares with stored scores. Never a pickle.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ad_core.registry import Registry
from ad_core.settings import Settings as AnySettings
from ad_core.types import Frame, Modality

MAX_FIT_ROWS = 20_000
"""References are fitted on at most so many rows, drawn with the run's seed; the run says so when it happens."""


class Reference(ABC):
    """A classical detector on flat vectors. Deterministic: the same rows and seed give the same scores."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    source: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]] = frozenset(Modality)
    Settings: ClassVar[type[AnySettings]]

    def __init__(self, settings: AnySettings, seed: int) -> None:
        self.settings, self.seed = settings, seed

    @abstractmethod
    def fit(self, x: np.ndarray) -> None:
        """Learn from (n, d) float32 rows."""

    @abstractmethod
    def score(self, x: np.ndarray) -> np.ndarray:
        """(n, d) -> (n,) float64, higher = more anomalous."""


def flat(x: Tensor, modality: Modality) -> np.ndarray:
    """The vector that a classical detector gets for an item.

    Tables: the row as encoded. Images: the picture shrunk to at most 16 x 16. Windows: each channel as 16 means.

    Args:
        x: (b, *item).

    Returns:
        (b, d) float32.
    """
    if modality is Modality.IMAGE:
        x = torch.nn.functional.adaptive_avg_pool2d(x, (min(16, x.shape[-2]), min(16, x.shape[-1])))
    elif modality is Modality.SENSOR:
        x = torch.nn.functional.adaptive_avg_pool1d(x, min(16, x.shape[-1]))
    return x.flatten(1).numpy()


def flat_rows(frame: Frame, index: np.ndarray) -> np.ndarray:
    """(len(index), d) float32: `flat` of the items at these positions."""
    batches = frame.batches(index, frame.items_at_a_time)
    return np.concatenate([flat(batch.x, frame.shape.modality) for batch in batches])


class ReferenceModel:
    """A reference, fitted on flat rows, as a `ScoreModel`. It keeps the rows: they are its portable form.

    Args:
        rows: (n, d) as made by `flat`; the reference is fitted on them here.
    """

    differentiable = False

    def __init__(self, reference: Reference, modality: Modality, rows: np.ndarray) -> None:
        self.reference, self.modality, self.rows = reference, modality, rows
        reference.fit(rows)

    def score(self, x: Tensor) -> Tensor:
        return torch.from_numpy(
            np.asarray(self.reference.score(flat(x.detach().cpu(), self.modality)), dtype=np.float64)
        )

    def embed(self, x: Tensor) -> Tensor | None:
        return torch.from_numpy(flat(x.detach().cpu(), self.modality))

    def part_scores(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        return None

    def expected(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        return None

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:  # noqa: ARG002
        return None

    def extras(self, x: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        return {}


REFERENCES: Registry[Reference] = Registry("reference", "ad_core.references", "anomaly_lens.references")
