"""Contract of a reference: a classical detector that every result is compared with.

References have no gradient and no portable file format. A bundle stores their training rows and seed, never a pickle;
on load they are fitted again and checked against stored scores.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic

import numpy as np
import torch
from torch import Tensor

from ad_core.data.item_set import ItemSet
from ad_core.data.reservoir import drawn_items
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.scorer import ScoreModel
from ad_core.registry import Registry
from ad_core.settings import S_co, SettingsClass
from ad_core.types import Modality

MAX_FIT_ROWS = 20_000
"""Maximum number of rows that a reference is fitted on, drawn with the run's seed; the run reports it."""

MAX_FIT_NUMBERS = 2**25
"""Maximum number of values that a reference is fitted on (128 MiB), which limits the rows of wide vectors."""


class Reference(ABC, Generic[S_co]):
    """A classical detector on one vector per item. Deterministic: the same rows and seed give the same scores.

    One file, one class: `class Histogram(Reference[HistogramSettings])`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    source: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]] = frozenset(Modality)
    Settings: ClassVar[SettingsClass]

    def __init__(self, settings: S_co, seed: int) -> None:
        self.settings, self.seed = settings, seed

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:
        """(b, *item) -> (b, *vector) float32, or float16 for long vectors: the detector's input; by default `flat`."""
        return flat(x, modality)

    @abstractmethod
    def fit(self, x: np.ndarray) -> None:
        """Fit on the (n, *vector) output of `vectors`."""

    @abstractmethod
    def score(self, x: np.ndarray) -> np.ndarray:
        """(n, *vector) -> (n,) float64, higher = more anomalous."""

    def score_copies(self, x: np.ndarray, sources: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """As `score`, for changed copies of other vectors; a detector in which a training row is not its own neighbour
        does not compare a copy with its source.

        Args:
            sources: (n, *vector), what each copy was made of.
        """
        return self.score(x)

    def part_scores(self, x: np.ndarray) -> np.ndarray | None:  # noqa: ARG002
        """(n, *vector) -> (n, y, x) anomaly maps, by detectors of images that make them; else None."""
        return None


def flat(x: Tensor, modality: Modality) -> np.ndarray:
    """The default input vector of a classical detector.

    Tables: the encoded row. Images: reduced to at most 16 x 16. Windows: each channel reduced to 16 means.

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


def flat_rows(item_set: ItemSet, index: np.ndarray) -> np.ndarray:
    """(len(index), d) float32: `flat` of the items at these positions."""
    batches = item_set.batches(index, item_set.items_at_a_time)
    return np.concatenate([flat(batch.x, item_set.shape.modality) for batch in batches])


def whole_windows(x: Tensor, modality: Modality) -> np.ndarray:
    """(b, d) float32: like `flat`, but windows of recordings with all their samples."""
    return x.flatten(1).numpy() if modality is Modality.SENSOR else flat(x, modality)


def fitting_rows(reference: type[Reference], item_set: ItemSet, index: np.ndarray, seed: int) -> np.ndarray:
    """(n, *vector) float32 training vectors of a reference, of a random sample if there are very many items.

    Args:
        index: positions of the training items.
    """
    size = reference.vectors(item_set.take(index[:1]), item_set.shape.modality).size
    most = max(1, min(MAX_FIT_ROWS, MAX_FIT_NUMBERS // size))
    batches = item_set.batches(drawn_items(index, most, seed), item_set.items_at_a_time)
    return np.concatenate([reference.vectors(batch.x, item_set.shape.modality) for batch in batches])


class ReferenceModel(ScoreModel):
    """A fitted reference as a `ScoreModel`. It keeps its training rows, which a bundle stores in its place.

    Args:
        rows: (n, *vector), the output of `vectors`; the reference is fitted on them here.
    """

    differentiable = False

    def __init__(self, reference: Reference, modality: Modality, rows: np.ndarray) -> None:
        self.reference, self.modality, self.rows = reference, modality, rows
        reference.fit(rows)

    def score(self, x: Tensor) -> Tensor:
        vectors = self.reference.vectors(x.detach().cpu(), self.modality)
        return torch.from_numpy(np.asarray(self.reference.score(vectors), dtype=np.float64))

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:
        vectors, sources = (self.reference.vectors(part.detach().cpu(), self.modality) for part in (x, originals.items))
        scores = self.reference.score_copies(vectors, sources[originals.of.cpu().numpy()])
        return torch.from_numpy(np.asarray(scores, dtype=np.float64))

    def embed(self, x: Tensor) -> Tensor | None:
        return torch.from_numpy(flat(x.detach().cpu(), self.modality))

    def part_scores(self, x: Tensor) -> Tensor | None:
        found = self.reference.part_scores(self.reference.vectors(x.detach().cpu(), self.modality))
        return None if found is None else torch.from_numpy(found)


REFERENCES: Registry[Reference] = Registry(
    "classical detector", "ad_core.methods.references", "anomaly_lens.references"
)
"""All classical detectors by name."""
