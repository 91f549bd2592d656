"""Predict on which side of a patch its neighbour lay."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.reconstruction_error import worst_mean
from ad_core.methods.pretext import PRETEXTS, Pretext, TensorGroup
from ad_core.methods.scorer import SCORE_SEED
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
"""Down and across, from a patch to its neighbour."""

LEAST_PATCH, LEAST_SIDE = 6, 16
"""Least side of a patch and of an image [px]: smaller patches show nothing, smaller images have no neighbours."""

WIDEST_GAP = 1 / 4
"""Largest gap between neighbours in training, as a share of a patch's side: without it the direction could be read off
lines that continue across the seam.
"""

WORST = 0.01
"""The score is the mean over this share of the map, the largest values."""


class PatchPositionSettings(Settings):
    """Size and number of the patches, and size of the classifier."""

    patch: float = Field(0.125, ge=0.03, le=0.35, description="A patch's side as a share of the image's shorter side.")
    rounds: int = Field(2, ge=1, le=32, description="In training: number of pairs of patches per image and direction.")
    width: int = Field(128, ge=2, le=1024, description="Units of the layer that compares two patches.")


@PRETEXTS.register
class PatchPosition(Pretext[PatchPositionSettings]):
    """The content of two neighbouring patches of a normal image shows their direction; that of a defect does not.

    Loss: cross-entropy [nat] of the direction, one of eight, from a random patch to its neighbour. The patches are
    embedded separately, with a gap of random width between them. Map: patches that overlap by half cover the image; for
    each the mean of -log p over all pairs with its neighbours, minus the mean at that position over the training
    images. Score: mean of the largest 1 % of the map. A border narrower than half a patch is left out.
    """

    title = "Patch position"
    task = "Predict on which side of a patch its neighbour lay."
    finds = "parts that are broken, missing or elsewhere, in images whose patches determine their neighbours"
    misses = "faults in plain areas and regular textures, where patches don't show their position"
    source = "Doersch et al. 2015, arXiv:1505.05192, sec. 3; map after Yi and Yoon 2020, Patch SVDD, arXiv:2006.16067"
    modalities = frozenset({Modality.IMAGE})
    Settings = PatchPositionSettings

    def __init__(self, settings: PatchPositionSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        side = min(shape.size[1:])
        if side < LEAST_SIDE:
            raise MethodError(
                f"Images of {shape.size[1]} x {shape.size[2]} pixels are too small to be cut into patches; the least "
                f"is {LEAST_SIDE} x {LEAST_SIDE}. Choose a larger size for the images."
            )
        self.side = max(LEAST_PATCH, 2 * round(settings.patch * side / 2))  # even, so that patches overlap by half
        self.first = nn.Linear(encoder.d, settings.width)
        self.second = nn.Linear(encoder.d, settings.width, bias=False)
        self.answer = nn.Linear(settings.width, len(DIRECTIONS))
        self.recognition = TaskAccuracy(shape.modality)
        self.usual = _Usual()

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        answers = self._sampled_answers(batch.x, draw, self.settings.rounds)
        if self.training:
            self.recognition.watch(answers)
        return surprises(answers).view(len(batch.x), -1).mean(1)

    def finish(self, batches: Iterable[Batch]) -> None:
        """The mean surprise at each position."""
        total, count = torch.zeros((), device=self.answer.weight.device), 0
        for batch in batches:
            total, count = total + self._surprise(batch.x).sum(0), count + len(batch.x)
        self.usual.put("surprise", total / count)

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        draw = Draw.per_item(SCORE_SEED, self.answer.weight.device)
        return self.recognition.doubts(AccuracyShares.of(self._sampled_answers(batch.x, draw, 1) for batch in batches))

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return worst_mean(self.part_scores(x, draw), WORST)

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._surprise(x) - self.usual.surprise  # (b, rows, columns) of patches

    def embed(self, x: Tensor) -> Tensor:
        """Mean over the patches."""
        return self._embedded(x).mean((1, 2))

    def embed_parts(self, x: Tensor) -> Tensor:
        """The patches' embeddings, interpolated to the encoder's grid."""
        z = F.interpolate(self._embedded(x).movedim(3, 1), self.encoder.grid, mode="bilinear")
        return z.flatten(2).mT  # (b, positions, d)

    def _sampled_answers(self, x: Tensor, draw: Draw, rounds: int) -> Tensor:
        """(b rounds, 8, 8): logits of a random pair of neighbours in each direction."""
        patches = _neighbours(x, self.side, rounds, draw)  # (b, rounds, 8, 2, channel, side, side)
        z = self.encoder(patches.flatten(0, 3)).view(*patches.shape[:4], -1)
        return self._answers(self.first(z[:, :, :, 0]), self.second(z[:, :, :, 1]), x).flatten(0, 1)

    def _answers(self, first: Tensor, second: Tensor, x: Tensor) -> Tensor:
        """(..., width) twice -> (..., 8)."""
        answers: Tensor = self.answer(F.gelu(first + second))
        return answers.to(x.dtype)

    def _embedded(self, x: Tensor) -> Tensor:
        """(b, rows, columns, d) of patches that overlap by half, centred in the image."""
        step = self.side // 2
        top, left = (((n - self.side) % step) // 2 for n in x.shape[2:])
        cut = x[:, :, top:, left:].unfold(2, self.side, step).unfold(3, self.side, step)  # (b, channel, rows, columns,
        cut = cut.permute(0, 2, 3, 1, 4, 5)  # side, side) before
        return self.encoder(cut.flatten(0, 2)).to(x.dtype).view(*cut.shape[:3], -1)

    def _surprise(self, x: Tensor) -> Tensor:
        """(b, rows, columns): mean of -log p over all pairs of a patch with its neighbours."""
        z = self._embedded(x)
        first, second = self.first(z), self.second(z)
        rows, columns = z.shape[1:3]
        total, count = z.new_zeros(z.shape[:3]), z.new_zeros(rows, columns)
        for right, (down, across) in enumerate(DIRECTIONS):
            (here_y, there_y), (here_x, there_x) = _pairs(rows, 2 * down), _pairs(columns, 2 * across)
            answers = self._answers(first[:, here_y, here_x], second[:, there_y, there_x], x)
            surprise = -answers.log_softmax(3)[..., right]  # (b, pairs down, pairs across)
            for y, along in ((here_y, here_x), (there_y, there_x)):
                around = along.start, columns - along.stop, y.start, rows - y.stop
                total = total + F.pad(surprise, around)
                count[y, along] += 1
        return total / count


class _Usual(TensorGroup):
    surprise: Tensor


def _pairs(n: int, by: int) -> tuple[slice, slice]:
    """Which of n positions have another one `by` further on, and which these are."""
    return slice(max(0, -by), n - max(0, by)), slice(max(0, by), n - max(0, -by))


def _neighbours(x: Tensor, side: int, rounds: int, draw: Draw) -> Tensor:
    """(b, rounds, 8, 2, channel, side, side): a patch and its neighbour in each direction, at random positions."""
    b, whole = len(x), torch.tensor(x.shape[2:], device=x.device)
    way = torch.tensor(DIRECTIONS, device=x.device)  # (8, 2)
    widest = max(0, min(round(WIDEST_GAP * side), min(x.shape[2:]) - 2 * side))
    gap = draw.integers(widest + 1, b, rounds, len(way), 1)
    apart = way * (side + gap)  # (b, rounds, 8, 2)
    free = whole - side - apart.abs()
    corner = (draw.uniform(b, rounds, len(way), 2) * (free + 1)).long().minimum(free)
    first = corner + (-apart).clamp_min(0)
    starts = torch.stack([first, first + apart], 3)  # (b, rounds, 8, 2, 2)
    inside = torch.arange(side, device=x.device)
    y, along = (starts[..., axis, None] + inside for axis in (0, 1))  # (b, rounds, 8, 2, side)
    item = torch.arange(b, device=x.device).view(b, 1, 1, 1, 1, 1)
    return x.movedim(1, 3)[item, y[..., :, None], along[..., None, :]].movedim(6, 4)
