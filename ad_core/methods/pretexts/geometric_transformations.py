"""Predict how an image was mirrored, shifted and turned."""

from collections.abc import Iterable
from itertools import product

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

SHIFTS = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
"""Down and across; with each come 8 transformations: mirrored or not, and four turns."""


class GeometricTransformationsSettings(Settings):
    """Which transformations are told apart."""

    transformations: int = Field(
        8,
        ge=8,
        le=72,
        multiple_of=8,
        description="Number of transformations: 8 = mirror image and quarter turns; 24 also shifts left and right, 40 "
        "up and down, 72 diagonally.",
    )
    shift: float = Field(0.25, gt=0, le=0.5, description="Shifts are by this share of the image's side.")


@PRETEXTS.register
class GeometricTransformations(Pretext[GeometricTransformationsSettings]):
    """The arrangement of a normal image's parts shows how it was transformed; that of an anomaly does not.

    Loss: cross-entropy over the transformations [nat], for one of them drawn at random. Score: -log p of the right
    transformation, mean over all of them. Pixels that a shift leaves empty are filled by reflection.
    """

    title = "Geometric transformations"
    task = "Predict how the image was mirrored, shifted and turned."
    finds = "objects of the wrong kind, in the wrong place or standing the wrong way"
    misses = "small local defects; objects and textures that look the same when mirrored or turned"
    source = "Golan and El-Yaniv 2018, arXiv:1805.10917, sec. 4; score: sum of -log p, here as a mean"
    modalities = frozenset({Modality.IMAGE})
    Settings = GeometricTransformationsSettings

    def __init__(self, settings: GeometricTransformationsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        if shape.size[1] != shape.size[2]:
            raise MethodError(
                f"Geometric transformations need square images, but these are {shape.size[1]} high and "
                f"{shape.size[2]} wide. Make them square when they are read, or choose another pretext task."
            )
        pixels = max(1, round(settings.shift * shape.size[1]))
        shifts = [(pixels * down, pixels * across) for down, across in SHIFTS[: settings.transformations // 8]]
        self.ways = list(product(shifts, (False, True), range(4)))
        self.head = nn.Linear(encoder.d, len(self.ways))
        self.recognition = TaskAccuracy(shape.modality)

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        which = draw.integers(len(self.ways), len(batch.x))
        changed = torch.empty_like(batch.x)
        for way in which.unique().tolist():
            chosen = which == way
            changed[chosen] = _transformed(batch.x[chosen], *self.ways[way])
        answers = self._answers(changed)
        if self.training:
            self.recognition.watch(answers, which)
        return F.cross_entropy(answers, which, reduction="none")

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        return self.recognition.doubts(AccuracyShares.of(self._all_answers(batch.x) for batch in batches))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._all_surprises(x).mean(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`transformation_spread`: standard deviation of -log p over the transformations."""
        return {"transformation_spread": self._all_surprises(x).std(1)}

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).flatten(2).mT  # (b, positions, d)

    def _all_surprises(self, x: Tensor) -> Tensor:
        """(b, ways)."""
        return surprises(self._all_answers(x))

    def _all_answers(self, x: Tensor) -> Tensor:
        """(b, ways, ways); one way at a time, for memory."""
        return torch.stack([self._answers(_transformed(x, *way)) for way in self.ways], 1)

    def _answers(self, x: Tensor) -> Tensor:
        answers: Tensor = self.head(self.encoder(x))
        return answers.to(x.dtype)  # (b, ways)


def _transformed(x: Tensor, shift: tuple[int, int], mirrored: bool, turns: int) -> Tensor:
    """(b, channel, y, x), mirrored left to right first, then shifted down and across [px], then turned."""
    x = x.flip(3) if mirrored else x
    (down, across), (high, wide) = shift, x.shape[2:]
    if down or across:
        x = F.pad(x, (max(across, 0), max(-across, 0), max(down, 0), max(-down, 0)), mode="reflect")
        x = x[:, :, max(-down, 0) :, max(-across, 0) :][:, :, :high, :wide]
    return x.rot90(turns, (2, 3))
