"""Contract of a scorer: what is made of a trained pretext task to get one number per item."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import Pretext
from ad_core.registry import Registry
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, Modality

SCORE_SEED = 20_111
"""The shared draw of every score starts from this seed, whatever seed the training had."""


class Scorer(nn.Module, ABC):
    """From a trained task to a score. Statistics of normal items are fitted once and kept as buffers."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    source: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]] = frozenset(Modality)
    Settings: ClassVar[type[AnySettings]]

    def __init__(self, settings: AnySettings) -> None:
        super().__init__()
        self.settings = settings

    def fit(self, task: Pretext, batches: Iterable[Batch]) -> None:
        """Once after training, over the fit items, under `no_grad`."""

    @abstractmethod
    def forward(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor:
        """(b,) anomaly score, differentiable by x where the task is; independent of the rest of the batch."""

    def part_scores(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor | None:  # noqa: ARG002
        """Where the surprise sits, by this scorer; shapes as in `Pretext.part_scores`."""
        return None


class ScoreModel(Protocol):
    """Whatever scores items: a pretext task with its scorer, a reference, a blend of several.

    A model that inherits from it says nothing but scores and embeddings until it says more.
    """

    @property
    def differentiable(self) -> bool:
        """Whether the score can be differentiated by the item."""

    def score(self, x: Tensor) -> Tensor:
        """(b, *item) -> (b,)."""

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:  # noqa: ARG002
        """(b, *item) -> (b,) scores of changed copies of items, none of which is compared with its original; the score
        itself where a model doesn't compare items with training rows.
        """
        return self.score(x)

    def embed(self, x: Tensor) -> Tensor | None:
        """(b, *item) -> (b, d), or None."""

    def over_time(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """(b, channel, time) -> (b, time): what each sample of a window scores, whose mean is the window's score; None
        where all samples have the window's score.
        """
        return None

    def part_scores(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """Where the surprise sits, or None."""
        return None

    def expected(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """(b, *item) what was expected instead, or None."""
        return None

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:  # noqa: ARG002
        """(b, *item) twice, 5 % and 95 % quantile of what was expected, or None."""
        return None

    def extras(self, x: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        """Named (b,) columns."""
        return {}


def finest_scores(model: ScoreModel, x: Tensor) -> Tensor:
    """(b, time) where the model tells the samples of a window apart, else (b,)."""
    of_samples = model.over_time(x)
    return model.score(x) if of_samples is None else of_samples


class TaskModel(nn.Module, ScoreModel):
    """A pretext task with its scorer: the score is a function of the item alone, reseeded at every call."""

    def __init__(self, task: Pretext, scorer: Scorer) -> None:
        super().__init__()
        self.task, self.scorer = task, scorer

    @property
    def differentiable(self) -> bool:
        """Whether integrated gradients can be used."""
        return self.task.smooth

    def score(self, x: Tensor) -> Tensor:
        return self.scorer(self.task, x, self._draw(x))  # type: ignore[no-any-return]

    def embed(self, x: Tensor) -> Tensor | None:
        return self.task.embed(x)

    def part_scores(self, x: Tensor) -> Tensor | None:
        return self.scorer.part_scores(self.task, x, self._draw(x))

    def expected(self, x: Tensor) -> Tensor | None:
        return self.task.expected(x, self._draw(x))

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        return self.task.expected_range(x, self._draw(x))

    def extras(self, x: Tensor) -> dict[str, Tensor]:
        return self.task.extras(x, self._draw(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)

    @staticmethod
    def _draw(x: Tensor) -> Draw:
        return Draw.shared(SCORE_SEED, torch.device(x.device))


SCORERS: Registry[Scorer] = Registry("scorer", "ad_core.methods.scorers", "anomaly_lens.scorers")
"""All scorers by name."""
