"""Classify images as unchanged, with a pasted rectangle or with a pasted scar."""

import math
from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.augmentations.images import LIGHT, ImageAugmentations
from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.scorer import SCORE_SEED
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

LONGEST = 3.3
"""Largest ratio of a pasted rectangle's longer to its shorter side."""

SCAR_WIDTH, SCAR_LENGTH, SCAR_TURN = (2 / 256, 16 / 256), (10 / 256, 25 / 256), math.pi / 4
"""Smallest and largest width and length of a scar, as shares of the image's shorter side; largest turn [rad]."""

LEAST_WIDTH, LEAST_LENGTH = 1, 4
"""Least width and length of a scar [px]: a smaller one is hardly visible."""


class CutpasteSettings(Settings):
    """Size and appearance of the pasted piece."""

    least_area: float = Field(
        0.02, gt=0, lt=1, description="Share of the image that a pasted rectangle covers at least."
    )
    most_area: float = Field(0.15, gt=0, lt=1, description="Share of the image that a pasted rectangle covers at most.")
    light: float = Field(
        0.1, ge=0, le=0.8, description="By how much brightness, contrast and colours of a pasted piece may change."
    )


@PRETEXTS.register
class Cutpaste(Pretext[CutpasteSettings]):
    """A pasted piece has edges and a pattern that do not continue beside it, and so have defects.

    Loss: cross-entropy [nat] over three classes, the unchanged image, the image with a pasted rectangle and with a
    pasted scar (a thin, turned strip); mean over all three copies of an image. Score: -log p of the class "unchanged"
    for the image as it is. The map is the same score at each position of the encoder's grid.
    """

    title = "Cut and paste"
    task = "Predict whether a piece of the image was pasted elsewhere."
    finds = "scratches, spots and pieces that don't fit their surroundings"
    misses = "objects of the wrong kind; faults that change the whole image; faint, gradual defects"
    source = "Li et al. 2021, CutPaste, arXiv:2104.04015, eq. 1 with the three classes of sec. 2; own score"
    modalities = frozenset({Modality.IMAGE})
    Settings = CutpasteSettings

    def __init__(self, settings: CutpasteSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        if settings.most_area < settings.least_area:
            raise MethodError(
                f"pretext.least_area ({settings.least_area}) is larger than pretext.most_area ({settings.most_area}). "
                f"Raise pretext.most_area."
            )
        if min(shape.size[1:]) < 2 * LEAST_LENGTH:
            raise MethodError(
                f"Images of {shape.size[1]} x {shape.size[2]} pixels are too small to paste pieces into them. Choose a "
                f"larger size for the images."
            )
        self.light = ImageAugmentations(shape, 1.0, settings.light / LIGHT, grey=0.0, mirrored=0.0)
        self.head = nn.Linear(encoder.d, 3)
        self.recognition = TaskAccuracy(shape.modality)

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        answers = self._all_answers(batch.x, draw)
        if self.training:
            self.recognition.watch(answers)
        return surprises(answers).mean(1)

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        draw = Draw.per_item(SCORE_SEED, self.head.weight.device)
        return self.recognition.doubts(AccuracyShares.of(self._all_answers(batch.x, draw) for batch in batches))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return _surprise(self.head(self.encoder(x)).to(x.dtype))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return _surprise(self.head(self.encoder.parts(x).movedim(1, 3)).to(x.dtype))  # (b, y, x)

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).flatten(2).mT  # (b, positions, d)

    def _all_answers(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, 3, 3) logits for the unchanged image, the one with a rectangle and the one with a scar."""
        copies = torch.stack([x, self._with_rectangle(x, draw), self._with_scar(x, draw)], 1)
        answers: Tensor = self.head(self.encoder(copies.flatten(0, 1)))
        return answers.to(x.dtype).view(-1, 3, 3)

    def _with_rectangle(self, x: Tensor, draw: Draw) -> Tensor:
        b, high, wide = len(x), *x.shape[2:]
        area, ratio = draw.uniform(b, 2).to(x.dtype).unbind(1)
        area = (self.settings.least_area + (self.settings.most_area - self.settings.least_area) * area) * high * wide
        ratio = LONGEST ** (2 * ratio - 1)
        size = torch.stack([(area * ratio).sqrt().clamp(2, high - 1), (area / ratio).sqrt().clamp(2, wide - 1)], 1)
        return self._pasted(x, size.round(), torch.zeros_like(area), draw)

    def _with_scar(self, x: Tensor, draw: Draw) -> Tensor:
        b, side = len(x), min(x.shape[2:])
        long, thin, turn = draw.uniform(b, 3).to(x.dtype).unbind(1)
        long = (side * _between(SCAR_LENGTH, long)).clamp_min(LEAST_LENGTH)
        thin = (side * _between(SCAR_WIDTH, thin)).clamp_min(LEAST_WIDTH)
        return self._pasted(x, torch.stack([long, thin], 1).round(), (2 * turn - 1) * SCAR_TURN, draw)

    def _pasted(self, x: Tensor, size: Tensor, turn: Tensor, draw: Draw) -> Tensor:
        """A piece of every image of this size (b, 2) [px], pasted at another position and turned by (b,) [rad]."""
        whole = size.new_tensor(x.shape[2:])
        up, aside = turn.cos().abs(), turn.sin().abs()
        needed = torch.stack([up * size[:, 0] + aside * size[:, 1], aside * size[:, 0] + up * size[:, 1]], 1)
        start = _centre(size, whole, draw)
        end = _centre(needed.ceil().minimum(whole), whole, draw)
        moved, inside = _moved(self.light.lit(x, draw), size, start, end, turn)
        return torch.where(inside[:, None], moved, x)


def _between(limits: tuple[float, float], share: Tensor) -> Tensor:
    return limits[0] + (limits[1] - limits[0]) * share


def _centre(size: Tensor, whole: Tensor, draw: Draw) -> Tensor:
    """(b, 2) centre of a box of this size [px] at a random place in the image."""
    first = (draw.uniform(len(size), 2).to(size.dtype) * (whole - size + 1)).floor()
    return first + (size - 1) / 2


def _moved(x: Tensor, size: Tensor, start: Tensor, end: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """The images shifted so that `start` lies on `end` and turned around it, and which pixels (b, y, x) the piece
    covers there.

    The nearest pixel is taken: interpolation would blur the piece, and the network would recognise it by that.
    """
    high, wide = x.shape[2:]
    row = torch.arange(high, device=x.device, dtype=x.dtype)[:, None] - end[:, 0, None, None]  # (b, y, 1)
    column = torch.arange(wide, device=x.device, dtype=x.dtype) - end[:, 1, None, None]  # (b, 1, x)
    cos, sin = turn.cos()[:, None, None], turn.sin()[:, None, None]
    down, across = cos * row - sin * column, sin * row + cos * column  # along the piece's own sides
    inside = (down.abs() <= size[:, 0, None, None] / 2) & (across.abs() <= size[:, 1, None, None] / 2)
    y, x_ = down + start[:, 0, None, None], across + start[:, 1, None, None]
    grid = torch.stack([(2 * x_ + 1) / wide - 1, (2 * y + 1) / high - 1], 3)  # (b, y, x, 2)
    return F.grid_sample(x, grid, mode="nearest", padding_mode="border", align_corners=False), inside


def _surprise(answers: Tensor) -> Tensor:
    """(..., 3) -> (...): -log p of the first class, accurate also where p is close to 1."""
    return F.softplus(answers[..., 1:].logsumexp(-1) - answers[..., 0])
