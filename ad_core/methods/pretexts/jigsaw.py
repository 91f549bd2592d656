"""Predict in which order the tiles of an image were put together."""

from collections.abc import Iterable
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ad_core.errors import MethodError
from ad_core.methods.augmentations.permutations import far_apart
from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy, surprises
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality


class JigsawSettings(Settings):
    """Number of tiles, and of their orders that are told apart."""

    grid: int = Field(2, ge=2, le=3, description="Number of tiles down and across.")
    orders: int = Field(
        24, ge=2, le=24, description="Number of orders of the tiles that are told apart, including the original one."
    )


@PRETEXTS.register
class Jigsaw(Pretext[JigsawSettings]):
    """In a normal image the order of the tiles can be recognised; in an anomalous one it can't.

    Loss: cross-entropy over the orders [nat], for one of them drawn at random. Score: its mean over all orders. Orders
    are chosen one by one, each with the largest number of tiles in another place than in the orders before. A border
    that fills no whole tile is not moved.
    """

    title = "Jigsaw"
    task = "Predict in which order the image's tiles were put together."
    finds = "parts that are missing, doubled or in the wrong place"
    misses = "small local defects; textures, whose tiles all look alike"
    source = "Noroozi and Favaro 2016, arXiv:1603.09246, sec. 3.2 and alg. 1; score after Wang et al. 2019, E3Outlier"
    modalities = frozenset({Modality.IMAGE})
    not_for: ClassVar[dict[Modality, str]] = {
        Modality.TABLE: (
            "The order of a table's columns carries no meaning, so there is nothing to put together; use masked cells "
            "instead."
        )
    }
    Settings = JigsawSettings
    orders: Tensor

    def __init__(self, settings: JigsawSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        if min(shape.size[1:]) < 2 * settings.grid:
            raise MethodError(
                f"Images of {shape.size[1]} x {shape.size[2]} pixels are too small for a jigsaw of {settings.grid} x "
                f"{settings.grid} tiles. Choose a larger size for the images."
            )
        self.register_buffer("orders", far_apart(settings.grid**2, settings.orders), persistent=False)
        self.head = nn.Linear(encoder.d, len(self.orders))
        self.recognition = TaskAccuracy(shape.modality)

    def prepare(self, batches: Iterable[Batch]) -> None:  # noqa: ARG002
        self.recognition.start()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        which = draw.integers(len(self.orders), len(batch.x))
        answers = self._answers(_put_together(batch.x, self.orders[which]))
        if self.training:
            self.recognition.watch(answers, which)
        return cross_entropy(answers, which, reduction="none")

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        return self.recognition.doubts(AccuracyShares.of(self._all_answers(batch.x) for batch in batches))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._all_surprises(x).mean(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`jigsaw_spread`: standard deviation of -log p over the orders."""
        return {"jigsaw_spread": self._all_surprises(x).std(1)}

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).flatten(2).mT  # (b, positions, d)

    def _all_surprises(self, x: Tensor) -> Tensor:
        """(b, orders)."""
        return surprises(self._all_answers(x))

    def _all_answers(self, x: Tensor) -> Tensor:
        """(b, orders, orders); one order at a time, for memory."""
        return torch.stack([self._answers(_put_together(x, order.expand(len(x), -1))) for order in self.orders], 1)

    def _answers(self, x: Tensor) -> Tensor:
        answers: Tensor = self.head(self.encoder(x))
        return answers.to(x.dtype)  # (b, orders)


def _put_together(x: Tensor, orders: Tensor) -> Tensor:
    """(b, channel, y, x), (b, tiles) -> the same size: position p shows tile `orders[:, p]`, in row order."""
    grid = round(orders.shape[1] ** 0.5)
    high, wide = (n // grid for n in x.shape[2:])
    top, left = (x.shape[2] - grid * high) // 2, (x.shape[3] - grid * wide) // 2
    inside = slice(None), slice(None), slice(top, top + grid * high), slice(left, left + grid * wide)
    tiles = x[inside].unflatten(3, (grid, wide)).unflatten(2, (grid, high))  # (b, channel, grid, high, grid, wide)
    tiles = tiles.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # (b, tiles, channel, high, wide)
    moved = tiles[torch.arange(len(x), device=x.device)[:, None], orders].unflatten(1, (grid, grid))
    result = x.clone()
    result[inside] = moved.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
    return result
