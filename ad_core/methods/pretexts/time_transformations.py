"""Guess what was done to a window: nothing, turned back in time, sign flipped, scaled, or channels exchanged."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality

POSITIONS = 16
"""A window is looked at in about so many steps; more time steps are joined."""


class TimeTransformationsSettings(AnySettings):
    """How much is scaled, and the size of the network."""

    scale: float = Field(2.0, gt=1, le=10, description="The scaled copy shows so many times the distance from usual.")
    width: int = Field(48, ge=2, le=1024, description="Channels of the network.")


@PRETEXTS.register
class TimeTransformations(Pretext):
    """A usual window betrays what was done to it; one that is odd already misleads.

    The channels are exchanged by a fixed rule, each for the one half of all channels further on; with one channel that
    is not asked. Loss: cross-entropy of what was done [nat]. Score: its mean over all that can be done, each weighted
    by how far held-out windows were recognised better than by guessing: what normal windows look the same under tells
    nothing of odd ones.
    """

    title = "Time transformations"
    asks = "What was done to me?"
    finds = "courses of the wrong direction, sign, size or channel; phases that never occurred"
    misses = "recordings that look the same backwards or upside down: the run then says so; short spikes"
    source = (
        "Saeed et al. 2019, Multi-task self-supervised learning for human activity detection, arXiv:1907.11879, "
        "sec. 3; score after Golan and El-Yaniv 2018, arXiv:1805.10917, sec. 4"
    )
    modalities = frozenset({Modality.SENSOR})
    Settings = TimeTransformationsSettings
    settings: TimeTransformationsSettings
    weights: Tensor

    def __init__(self, settings: TimeTransformationsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.names = ["nothing done", "time reversal", "sign flip", "scale"]
        self.names += ["channel swap"] if shape.size[0] > 1 else []
        self.head = nn.Linear(encoder.d, len(self.names))
        self.register_buffer("weights", torch.ones(len(self.names)))
        self.recognition = TaskAccuracy(shape.modality)

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:
        return {"width": settings.width, "layers": 4, "stride": max(1, shape.size[1] // POSITIONS)}  # type: ignore[attr-defined]

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:  # noqa: ARG002
        answers = self._all_answers(batch.x)
        if self.training:
            self.recognition.watch(answers)
        return surprises(answers).mean(1)

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        """Weighs what can be done by how well it was recognised."""
        shares = AccuracyShares.of(self._all_answers(batch.x) for batch in batches)
        self.weights = shares.weights().to(self.weights)
        hardly = self.recognition.hardly(shares, self.names, "counted less in the score")
        return self.recognition.doubts(shares) or hardly

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return surprises(self._all_answers(x)) @ (self.weights / self.weights.sum())

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`transformation_spread`: how differently what can be done surprises; high = only some of it looks odd."""
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
        answers: Tensor = self.head(self.encoder(copies.flatten(0, 1)))
        return answers.to(x.dtype).unflatten(0, copies.shape[:2])  # type: ignore[no-any-return]  # (b, k, k)
