"""Contract of a scorer: from a trained pretext task to one anomaly score per item."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol

import torch
from torch import Tensor, nn

from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import Pretext
from ad_core.registry import Registry
from ad_core.settings import S_co, SettingsClass
from ad_core.types import Batch, Draw, Modality

SCORE_SEED = 20_111
"""Seed of the shared draw in scoring, whatever the seed of the training."""


class Scorer(nn.Module, ABC, Generic[S_co]):
    """From a trained task to a score. Statistics of normal items are fitted once and stored as buffers.

    One file, one class: `class Gaussian(Scorer[GaussianSettings])`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    source: ClassVar[str]
    modalities: ClassVar[frozenset[Modality]] = frozenset(Modality)
    Settings: ClassVar[SettingsClass]

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor: ...

    def __init__(self, settings: S_co) -> None:
        super().__init__()
        self.settings = settings

    def fit(self, task: Pretext, batches: Iterable[Batch]) -> None:
        """Called once after training with the fit items, without gradients."""

    @abstractmethod
    def forward(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor:
        """(b,) anomaly score, differentiable by x where the task is; independent of the rest of the batch."""

    def of_copies(self, task: Pretext, x: Tensor, draw: Draw, originals: SourceItems) -> Tensor:  # noqa: ARG002
        """(b,) as `forward`, for changed copies of items; see `ScoreModel.score_copies`."""
        return self(task, x, draw)

    def part_scores(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor | None:  # noqa: ARG002
        """Contribution of each part of the item to the score; shapes as in `Pretext.part_scores`."""
        return None


class ScoreModel(Protocol):
    """A model that scores items: a pretext task with its scorer, a classical detector, or an ensemble.

    Only `differentiable`, `score` and `embed` have to be implemented; the other methods have defaults.
    """

    @property
    def differentiable(self) -> bool:
        """Whether the score is differentiable with respect to the item."""

    def score(self, x: Tensor) -> Tensor:
        """(b, *item) -> (b,)."""

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:  # noqa: ARG002
        """(b, *item) -> (b,) scores of changed copies of items, without comparing a copy with its source item; by
        default `score`, for models that don't compare items with training rows.
        """
        return self.score(x)

    def embed(self, x: Tensor) -> Tensor | None:
        """(b, *item) -> (b, d), or None."""

    def over_time(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """(b, channel, time) -> (b, time) scores of a window's samples, whose mean is the window's score; None for
        models that score whole windows.
        """
        return None

    def part_scores(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """Contribution of each part of the item to the score, or None."""
        return None

    def expected(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """(b, *item) expected values, or None."""
        return None

    def expected_of(self, x: Tensor, recordings: Sequence[str | None]) -> Tensor | None:  # noqa: ARG002
        """(b, channel, time) expected values of windows, given the recording of each, where it is known; by default
        the same as without.
        """
        return self.expected(x)

    @property
    def level_followers(self) -> tuple[int, ...]:
        """Positions of the channels of which any level is expected that a window has; by default none."""
        return ()

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:  # noqa: ARG002
        """(b, *item) twice, 5 % and 95 % quantile of what was expected, or None."""
        return None

    def extras(self, x: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        """Named (b,) columns."""
        return {}


def finest_scores(model: ScoreModel, x: Tensor) -> Tensor:
    """(b, time) if the model scores the samples of a window, else (b,)."""
    of_samples = model.over_time(x)
    return model.score(x) if of_samples is None else of_samples


class TaskModel(nn.Module, ScoreModel):
    """A pretext task with its scorer. The score is a function of the item alone: every call uses the same seed."""

    def __init__(self, task: Pretext, scorer: Scorer) -> None:
        super().__init__()
        self.task, self.scorer = task, scorer

    @property
    def differentiable(self) -> bool:
        """Whether the score is differentiable with respect to the item."""
        return self.task.smooth

    def score(self, x: Tensor) -> Tensor:
        return self.scorer(self.task, x, self._draw(x))

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:
        return self.scorer.of_copies(self.task, x, self._draw(x), originals)

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
