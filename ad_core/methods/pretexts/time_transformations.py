"""Predict how a window was transformed: not at all, time reversed, sign flipped, scaled, or channels exchanged."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

POSITIONS = 16
"""Approximate number of positions of a window after the encoder's first layer, which joins time steps."""


class TimeTransformationsSettings(Settings):
    """Factor of the scaled copy, and size of the network."""

    scale: float = Field(
        2.0, gt=1, le=10, description="Factor by which the scaled copy's standardised values are multiplied."
    )
    width: int = Field(48, ge=2, le=1024, description="Channels of the network.")


@PRETEXTS.register
class TimeTransformations(Pretext[TimeTransformationsSettings]):
    """In a normal window the transformation can be recognised; in an anomalous one it can't.

    Channels are exchanged by a fixed rule: channel i of c shows channel i - c // 2; left out with one channel. Loss:
    cross-entropy over the transformations [nat]. Score: its mean over all of them, each weighted by how much better
    than by chance it was recognised in held-out windows: a transformation that normal windows don't show says nothing
    about anomalies either.
    """

    title = "Time transformations"
    task = "Predict how the window was transformed."
    finds = "signals of the wrong direction, sign, size or channel; phases that never occurred"
    misses = "recordings that look the same reversed or with flipped sign: the run then says so; short spikes"
    source = (
        "Saeed et al. 2019, Multi-task self-supervised learning for human activity detection, arXiv:1907.11879, "
        "sec. 3; score after Golan and El-Yaniv 2018, arXiv:1805.10917, sec. 4"
    )
    modalities = frozenset({Modality.SENSOR})
    Settings = TimeTransformationsSettings
    weights: Tensor

    def __init__(self, settings: TimeTransformationsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.names = ["nothing done", "time reversal", "sign flip", "scale"]
        self.names += ["channel swap"] if shape.size[0] > 1 else []
        self.head = nn.Linear(encoder.d, len(self.names))
        self.register_buffer("weights", torch.ones(len(self.names)))
        self.recognition = TaskAccuracy(shape.modality)

    @classmethod
    def encoder_settings(cls, settings: TimeTransformationsSettings, shape: ItemShape) -> dict[str, object]:
        return {"width": settings.width, "layers": 4, "stride": max(1, shape.size[1] // POSITIONS)}

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:  # noqa: ARG002
        answers = self._all_answers(batch.x)
        if self.training:
            self.recognition.watch(answers)
        return surprises(answers).mean(1)

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        """Weighs each transformation by how well it was recognised."""
        shares = AccuracyShares.of(self._all_answers(batch.x) for batch in batches)
        self.weights = shares.weights().to(self.weights)
        hardly = self.recognition.hardly(shares, self.names, "counted less in the score")
        return self.recognition.doubts(shares) or hardly

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return surprises(self._all_answers(x)) @ (self.weights / self.weights.sum())

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`transformation_spread`: standard deviation of -log p over the transformations."""
        return {"transformation_spread": surprises(self._all_answers(x)).std(1)}

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).mT  # (b, positions, d)

    def _all_copies(self, x: Tensor) -> Tensor:
        """(b, channel, time) -> (b, k, channel, time), in the order of `names`."""
        copies = [x, x.flip(2), -x, self.settings.scale * x]
        copies += [x.roll(max(1, x.shape[1] // 2), 1)] if x.shape[1] > 1 else []
        return torch.stack(copies, 1)

    def _all_answers(self, x: Tensor) -> Tensor:
        copies = self._all_copies(x)
        answers: Tensor = self.head(self.encoder(copies.flatten(0, 1))).to(x.dtype).unflatten(0, copies.shape[:2])
        return answers  # (b, k, k)
