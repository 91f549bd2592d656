"""Contract of a pretext task: what a network predicts without labels, and the anomaly score that follows from it."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

import torch
from torch import Tensor, nn

from ad_core.methods.encoder import DEFAULT_ENCODER, Encoder
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.registry import Registry
from ad_core.settings import S, S_co, SettingsClass
from ad_core.types import Batch, Draw, ItemShape, Modality


@dataclass(frozen=True)
class TrainingProgress:
    """State of a training, for a task with a stopping rule of its own."""

    step: int
    epoch: int
    loss: float
    """Mean training loss over the current epoch so far."""
    held_out_loss: float | None
    """Latest loss on the early-stop items; None before the first check."""


class Pretext(nn.Module, ABC, Generic[S_co]):
    """A pretext task. One file, one class: `class Rotation(Pretext[RotationSettings])`. Its texts are shown in the app.

    A task without trainable weights is not trained: only `prepare` and `finish` are called.

    Args:
        settings: an instance of `Settings`, stored in the bundle.
        shape: shape and features of the items.
        encoder: built for `encoder_shape(settings, shape)`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    task: ClassVar[str]
    """What the network has to predict, as one imperative sentence: "Predict hidden cells from the rest of the row."."""
    finds: ClassVar[str]
    misses: ClassVar[str]
    source: ClassVar[str]
    """The paper and equation, or "own"."""
    modalities: ClassVar[frozenset[Modality]]
    not_for: ClassVar[Mapping[Modality, str]] = {}
    """Kinds of data that the task can't be used for -> the reason, in a sentence."""
    Settings: ClassVar[SettingsClass]
    encoder_name: ClassVar[str | None] = None
    """The only encoder that the task works with; None = the modality's default, and the user may choose another."""
    without_encoder: ClassVar[frozenset[Modality]] = frozenset()
    """Kinds of data for which the task uses no encoder, so that none can be chosen."""
    pretrained_fits: ClassVar[bool] = True
    """Whether a pretrained encoder can be chosen; not where the encoder's input has more channels than the image."""
    before: ClassVar[Mapping[str, object]] = {}
    """Settings added in later versions -> the value that keeps the scores of bundles saved before them."""
    smooth: ClassVar[bool] = True
    """Whether the score is differentiable with respect to the item."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "asks" in cls.__dict__ and "task" not in cls.__dict__:
            warnings.warn(
                f"{cls.__name__}.asks is now called task: rename it, and say in one sentence what is predicted. The "
                f"next release will not read asks.",
                DeprecationWarning,
                stacklevel=2,
            )
            cls.task = cls.__dict__["asks"]

    def __init__(self, settings: S_co, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__()
        self.settings, self.shape, self.encoder = settings, shape, encoder

    @classmethod
    def encoder_shape(cls: "type[Pretext[S]]", settings: S, shape: ItemShape) -> ItemShape:  # noqa: ARG003
        """Shape of the encoder's input; a task that also shows it a mask adds the mask's entries."""
        return shape

    @classmethod
    def usual_encoder(cls, modality: Modality) -> str:
        """Name of the default encoder for this kind of data."""
        return cls.encoder_name or DEFAULT_ENCODER[modality]

    @classmethod
    def encoder_settings(cls: "type[Pretext[S]]", settings: S, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        """Settings of the default encoder that differ from the encoder's own defaults, for items of this shape."""
        return {}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Called once before training with all fit items, to learn centres, feature statistics or classes. `batches`
        can be iterated several times.
        """

    @abstractmethod
    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        """(b,) training loss per item; may compare the items of the batch. Randomness comes from `draw` only."""

    def enough(self, progress: TrainingProgress) -> bool:  # noqa: ARG002
        """The task's own stopping rule, called after every step; by default only the loop's early stop applies."""
        return False

    def finish(self, batches: Iterable[Batch]) -> None:
        """Called once after training with all fit items, to learn statistics of normal items. `batches` can be iterated
        several times.
        """

    def examine(self, batches: Iterable[Batch]) -> list[str]:  # noqa: ARG002
        """Called once after `finish` with held-out items, if there are any: how well is the task solved on them?

        A task may weigh its predictions by that; it sees no label. `batches` can be iterated several times.

        Returns:
            Warnings for the analyst, one sentence each; none if the task is solved well.
        """
        return []

    @abstractmethod
    def score(self, x: Tensor, draw: Draw) -> Tensor:
        """(b,) anomaly score, higher = more anomalous. Independent of the rest of the batch."""

    def score_copies(self, x: Tensor, draw: Draw, originals: SourceItems) -> Tensor:  # noqa: ARG002
        """(b,) as `score`, for changed copies of items; a task that compares items with training rows does not compare
        a copy with its source.
        """
        return self.score(x, draw)

    def embed(self, x: Tensor) -> Tensor:
        """(b, d) embedding, used for the map, the most similar items and the scorers."""
        return self.encoder(x)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor | None:  # noqa: ARG002
        """Contribution of each part of the item to the score, or None: (b, columns) for tables, (b, y, x) on any grid
        for images, (b, channel, time) for windows.
        """
        return None

    def expected(self, x: Tensor, draw: Draw) -> Tensor | None:  # noqa: ARG002
        """(b, *item): the value expected of each entry given the others; None for tasks that predict no values."""
        return None

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor] | None:  # noqa: ARG002
        """(b, *item) twice: 5 % and 95 % quantile of the value expected of each entry. None for tasks without such a
        range: it is then estimated from their errors on held-out rows.
        """
        return None

    def embed_parts(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """(b, positions, d) embeddings of the positions, in row order of the encoder's grid, for scorers that compare
        patches; None if the item has no positions.
        """
        return None

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """Further columns (b,) of the score table, by name, such as the spread over transformations."""
        return {}


class TensorGroup(nn.Module):
    """Named buffers whose sizes are known only after `finish`: means, covariances, banks of normal items.

    `load_state_dict` accepts any size. A subclass declares the names: `bank: Tensor`.
    """

    def put(self, name: str, value: Tensor) -> None:
        """Add or replace a buffer."""
        self.register_buffer(name, value.detach())

    def _load_from_state_dict(self, state_dict: Mapping[str, Tensor], prefix: str, *rest: Any) -> None:
        for key, value in state_dict.items():
            name = key.removeprefix(prefix)
            if key.startswith(prefix) and "." not in name:
                self.register_buffer(name, torch.empty_like(value))
        super()._load_from_state_dict(state_dict, prefix, *rest)


PRETEXTS: Registry[Pretext] = Registry("pretext task", "ad_core.methods.pretexts", "anomaly_lens.pretexts")
"""All pretext tasks by name."""
