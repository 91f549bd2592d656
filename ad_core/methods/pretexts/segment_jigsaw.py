"""Predict in which order the segments of a window were put together."""

from collections.abc import Iterable
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.errors import MethodError
from ad_core.methods.augmentations.permutations import far_apart
from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

POSITIONS = 16
"""Approximate number of positions of a segment after the encoder's first layer, which joins time steps."""


class SegmentJigsawSettings(Settings):
    """Number of segments, number of their orders that are told apart, and size of the network."""

    segments: int = Field(4, ge=2, le=6, description="Number of segments of equal length.")
    orders: int = Field(
        24, ge=2, le=24, description="Number of orders of the segments that are told apart, including the original one."
    )
    width: int = Field(48, ge=2, le=1024, description="Channels of the network.")


@PRETEXTS.register
class SegmentJigsaw(Pretext[SegmentJigsawSettings]):
    """In a normal recording the order of the segments can be recognised; in an anomalous one it can't.

    The segments are embedded separately by the same network and joined in the given order, so that the seams can't be
    seen. Loss and score: mean over the orders of the cross-entropy [nat]. Orders are chosen one by one, each with the
    largest number of segments in another place than in the orders before. If the window's length is no multiple of the
    number of segments, neighbouring segments overlap by one time step.
    """

    title = "Segment jigsaw"
    task = "Predict in which order the window's segments were put together."
    finds = "signals whose phases don't follow each other normally: missing, doubled or exchanged phases"
    misses = "recordings whose segments all look alike: the run then says so"
    source = (
        "Noroozi and Favaro 2016, arXiv:1603.09246, sec. 3.1, 3.2 and alg. 1, for time instead of images; score "
        "after Wang et al. 2019, E3Outlier"
    )
    modalities = frozenset({Modality.SENSOR})
    not_for: ClassVar[dict[Modality, str]] = {
        Modality.TABLE: "The order of a table's columns carries no meaning; use masked cells instead.",
        Modality.IMAGE: "Images have no order in time; use the jigsaw of tiles instead.",
    }
    Settings = SegmentJigsawSettings
    orders: Tensor

    def __init__(self, settings: SegmentJigsawSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        count, time = settings.segments, shape.size[1]
        if time < 2 * count:
            raise MethodError(
                f"Windows of {time} samples are too short for a jigsaw of {count} segments. Choose a longer window "
                f"(reader.window), or fewer segments (pretext.segments)."
            )
        self.register_buffer("orders", far_apart(count, settings.orders), persistent=False)
        self.head = nn.Sequential(
            nn.Linear(count * encoder.d, 2 * encoder.d), nn.GELU(), nn.Linear(2 * encoder.d, len(self.orders))
        )
        self.recognition = TaskAccuracy(shape.modality)

    @classmethod
    def encoder_shape(cls, settings: SegmentJigsawSettings, shape: ItemShape) -> ItemShape:
        """One segment."""
        length = -(-shape.size[1] // settings.segments)
        return shape.model_copy(update={"size": (shape.size[0], length)})

    @classmethod
    def encoder_settings(cls, settings: SegmentJigsawSettings, shape: ItemShape) -> dict[str, object]:
        stride = max(1, shape.size[1] // (settings.segments * POSITIONS))
        return {"width": settings.width, "layers": 4, "stride": stride}

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:  # noqa: ARG002
        answers = self._answers(batch.x)
        if self.training:
            self.recognition.watch(answers)
        return surprises(answers).mean(1)

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        return self.recognition.doubts(AccuracyShares.of(self._answers(batch.x) for batch in batches))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return surprises(self._answers(x)).mean(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`jigsaw_spread`: standard deviation of -log p over the orders."""
        return {"jigsaw_spread": surprises(self._answers(x)).std(1)}

    def embed(self, x: Tensor) -> Tensor:
        """(b, segments d): the embeddings of the segments, in their original order."""
        return self._segments(x).flatten(1)

    def _segments(self, x: Tensor) -> Tensor:
        """(b, channel, time) -> (b, segments, d)."""
        length, count = self.encoder.shape.size[1], self.settings.segments
        starts = [i * (x.shape[2] - length) // (count - 1) for i in range(count)]
        cut = torch.stack([x[:, :, start : start + length] for start in starts], 1)  # (b, segments, channel, length)
        z: Tensor = self.encoder(cut.flatten(0, 1)).to(x.dtype).unflatten(0, cut.shape[:2])
        return z

    def _answers(self, x: Tensor) -> Tensor:
        """(b, orders, orders): logits for the window in each order, position p showing segment `orders[:, p]`."""
        shown = self._segments(x)[:, self.orders]  # (b, orders, segments, d)
        answers: Tensor = self.head(shown.flatten(2))
        return answers.to(x.dtype)
