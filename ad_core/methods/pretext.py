"""Contract of a pretext task: the puzzle that a network solves without labels, and the score that falls out of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ad_core.methods.encoder import DEFAULT_ENCODER, Encoder
from ad_core.registry import Registry
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality


@dataclass(frozen=True)
class TrainingProgress:
    """Where the training stands, for a task that knows itself when it has had enough."""

    step: int
    epoch: int
    loss: float
    """Mean training loss of the last epoch so far."""
    held_out_loss: float | None
    """Last loss on the early-stop rows, None before the first."""


class Pretext(nn.Module, ABC):
    """A pretext task. One file, one class; the texts are its card in the app.

    A task without weights that can be trained is only prepared and finished.

    Args:
        settings: an instance of `Settings`, stored in the bundle.
        shape: shape and parts of the items.
        encoder: built for `encoder_shape(settings, shape)`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    asks: ClassVar[str]
    """The question that the network has to answer, in a few words."""
    finds: ClassVar[str]
    misses: ClassVar[str]
    source: ClassVar[str]
    """The paper and equation, or "own"."""
    modalities: ClassVar[frozenset[Modality]]
    not_for: ClassVar[Mapping[Modality, str]] = {}
    """Kinds of data for which the task makes no sense, and why, in a sentence."""
    Settings: ClassVar[type[AnySettings]]
    encoder_name: ClassVar[str | None] = None
    """The one encoder that the task is made for; None = the modality's default, and the user may choose another."""
    without_encoder: ClassVar[frozenset[Modality]] = frozenset()
    """Kinds of data that it looks at without its encoder, so that none can be chosen."""
    pretrained_fits: ClassVar[bool] = True
    """Whether encoders with weights from elsewhere can be chosen; not where it shows them more than an image."""
    before: ClassVar[Mapping[str, object]] = {}
    """Settings that came later -> the value with which older bundles, that don't name them, score as they did."""
    smooth: ClassVar[bool] = True
    """Whether the score can be differentiated by the item."""

    def __init__(self, settings: AnySettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__()
        self.settings, self.shape, self.encoder = settings, shape, encoder

    @classmethod
    def encoder_shape(cls, settings: AnySettings, shape: ItemShape) -> ItemShape:  # noqa: ARG003
        """What the encoder takes in; a task that shows masks to it widens the item."""
        return shape

    @classmethod
    def usual_encoder(cls, modality: Modality) -> str:
        """Name of the encoder that it gets unless the user chooses another."""
        return cls.encoder_name or DEFAULT_ENCODER[modality]

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        """The usual encoder's settings where they differ from its defaults, for items of this shape."""
        return {}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Once before training, over all fit items: centres, feature statistics, classes. `batches` can be iterated
        again and again.
        """

    @abstractmethod
    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        """(b,) training loss per item; may look across the batch. Randomness comes from `draw` only."""

    def enough(self, progress: TrainingProgress) -> bool:  # noqa: ARG002
        """The task's own stop, asked after every step; by default only the loop's early stop counts."""
        return False

    def finish(self, batches: Iterable[Batch]) -> None:
        """Once after training, over all fit items: statistics of normal items. `batches` can be iterated again and
        again.
        """

    def examine(self, batches: Iterable[Batch]) -> list[str]:  # noqa: ARG002
        """Once after `finish`, where items are held out: how well the puzzle is solved on items that did not teach.

        A task may weigh its questions by that; it sees no label. `batches` can be iterated again and again.

        Returns:
            What the analyst should know of it, in sentences; none where all is well.
        """
        return []

    @abstractmethod
    def score(self, x: Tensor, draw: Draw) -> Tensor:
        """(b,) anomaly score, higher = more anomalous. Never depends on the rest of the batch."""

    def embed(self, x: Tensor) -> Tensor:
        """(b, d) embedding for the map, the neighbours and the scorers."""
        return self.encoder(x)  # type: ignore[no-any-return]

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor | None:  # noqa: ARG002
        """Surprise where it sits, or None: (b, parts) for tables, (b, y, x) on any grid for images, (b, channel, time)
        for windows.
        """
        return None

    def expected(self, x: Tensor, draw: Draw) -> Tensor | None:  # noqa: ARG002
        """(b, *item): what the task expected of each entry, given the rest; None for tasks that do not predict."""
        return None

    def expected_range(self, x: Tensor, draw: Draw) -> tuple[Tensor, Tensor] | None:  # noqa: ARG002
        """(b, *item) twice: 5 % and 95 % quantile of what the task expected of each entry; None for tasks that know no
        range of their own: it then follows from their errors on held-out rows.
        """
        return None

    def embed_parts(self, x: Tensor) -> Tensor | None:  # noqa: ARG002
        """(b, positions, d) for patch memories; None where positions mean nothing. Positions run over the grid in row
        order.
        """
        return None

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """Named (b,) columns for the score table, such as the spread over transformations."""
        return {}


class TensorGroup(nn.Module):
    """Named buffers whose sizes are known only after `finish`: means, covariances, banks of normal items.

    `load_state_dict` takes them in whatever size they were saved.
    """

    def put(self, name: str, value: Tensor) -> None:
        """Store or replace a buffer."""
        self.register_buffer(name, value.detach())

    def _load_from_state_dict(self, state_dict, prefix, *rest):  # type: ignore[no-untyped-def]
        for key, value in state_dict.items():
            name = key.removeprefix(prefix)
            if key.startswith(prefix) and "." not in name:
                self.register_buffer(name, torch.empty_like(value))
        super()._load_from_state_dict(state_dict, prefix, *rest)


PRETEXTS: Registry[Pretext] = Registry("pretext task", "ad_core.methods.pretexts", "anomaly_lens.pretexts")
"""All pretext tasks by name."""
