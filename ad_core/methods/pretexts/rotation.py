"""Predict by how many quarter turns an image was rotated."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ad_core.errors import MethodError
from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality


class RotationSettings(Settings):
    """There is nothing to set."""


@PRETEXTS.register
class Rotation(Pretext[RotationSettings]):
    """The arrangement of a normal image's parts shows its orientation; that of an anomaly does not.

    Loss: cross-entropy over the four turns [nat]. Score: its mean over all four.
    """

    title = "Rotation"
    task = "Predict by how many quarter turns the image was rotated."
    finds = "objects of the wrong kind, or standing the wrong way"
    misses = "small local defects; objects and textures that look the same when turned"
    source = "Gidaris et al. 2018, arXiv:1803.07728, eq. 2"
    modalities = frozenset({Modality.IMAGE})
    Settings = RotationSettings

    def __init__(self, settings: RotationSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        if shape.size[1] != shape.size[2]:
            raise MethodError(
                f"Rotation needs square images, but these are {shape.size[1]} high and {shape.size[2]} wide."
            )
        self.head = nn.Linear(encoder.d, 4)
        self.recognition = TaskAccuracy(shape.modality)

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        turns = draw.integers(4, len(batch.x))
        item = torch.arange(len(batch.x), device=batch.x.device)
        answers = self._answers(_all_turns(batch.x)[item, turns])
        if self.training:
            self.recognition.watch(answers, turns)
        return cross_entropy(answers, turns, reduction="none")

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        return self.recognition.doubts(AccuracyShares.of(self._all_answers(batch.x) for batch in batches))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._all_surprises(x).mean(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`rotation_spread`: standard deviation of -log p over the four turns."""
        return {"rotation_spread": self._all_surprises(x).std(1)}

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).flatten(2).mT  # (b, positions, d)

    def _all_surprises(self, x: Tensor) -> Tensor:
        """(b, 4): -log p of every turn, so that the score is not random."""
        return surprises(self._all_answers(x))

    def _all_answers(self, x: Tensor) -> Tensor:
        return self._answers(_all_turns(x).flatten(0, 1)).view(-1, 4, 4)  # (b, turns, answers)

    def _answers(self, turned: Tensor) -> Tensor:
        answers: Tensor = self.head(self.encoder(turned))
        return answers.to(turned.dtype)  # (b, 4)


def _all_turns(x: Tensor) -> Tensor:
    """(b, channel, y, x) -> (b, 4, channel, y, x): by 0, 1, 2 and 3 quarter turns."""
    return torch.stack([x.rot90(k, (2, 3)) for k in range(4)], 1)
