"""Tell which piece of a row was cut out of it, going by the rest."""

from collections.abc import Callable
from functools import partial

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot, pad
from torch.utils.checkpoint import checkpoint

from ad_core.errors import MethodError
from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality

NUMBERS_AT_A_TIME = 2**24
"""Rows are worked on so many at a time that no tensor has more numbers (64 MiB); where that takes several goes,
training keeps nothing of them but the rows and computes the rest twice."""


class InternalContrastSettings(AnySettings):
    """How often the columns are shuffled, and how pieces are compared."""

    shuffles: int = Field(3, ge=1, le=16, description="Orders of the columns, each with networks of its own.")
    temperature: float = Field(
        0.01, ge=0.001, le=10, description="What likenesses are divided by; small = only the most alike pieces count."
    )
    size: int = Field(128, ge=2, le=512, description="Numbers that a piece, or the rest of its row, is embedded in.")


@PRETEXTS.register
class InternalContrast(Pretext):
    """The rest of a normal row tells which piece was cut out of it; that of an odd row points to another piece.

    A piece a_j is `width` neighbouring entries in a shuffled order, b_j the other entries; f embeds b_j and g embeds
    a_j. Each number of an embedding is first divided by its length over the pieces of the row, then each embedding by
    its own, as in the authors' code. Surprise of a position j [nat]: -log softmax over l of
    f(b_j) . g(a_l) / temperature, at l = j. Loss and score: its mean over the positions and shuffles; part of a column:
    its mean over those that cover the column. The width follows from the number of encoded entries and leaves 401
    positions at most, fewer than the source's 1000 negatives: all are compared. Its batch normalisation is left out.
    """

    title = "Internal contrast"
    asks = "Which of these pieces was cut out of me?"
    finds = "columns that don't go with the rest of their row; rows far from all others"
    misses = "columns that nothing else tells about; anomalies that are frequent in training"
    source = "Shenkar and Wolf 2022, Internal contrastive learning, ICLR, section 3"
    modalities = frozenset({Modality.TABLE})
    encoder_name = "flat"
    Settings = InternalContrastSettings
    settings: InternalContrastSettings
    orders: Tensor
    rest_at: Tensor
    owner: Tensor

    def __init__(self, settings: InternalContrastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        d = shape.entries
        if d < 3:
            raise MethodError(
                f"Internal contrast compares pieces of a row with its rest and needs 3 encoded entries at least, but "
                f"these rows have {d}. Use more columns, or choose another method."
            )
        self.width = _width(d)
        self.positions = d - self.width + 1
        self.pairs = nn.ModuleList(_Pair(d - self.width, self.width, settings.size) for _ in range(settings.shuffles))
        self.register_buffer("orders", torch.stack([torch.randperm(d) for _ in range(settings.shuffles)]))
        self.register_buffer("owner", torch.tensor(shape.parts.of_entry), persistent=False)
        rest, first = torch.arange(d - self.width), torch.arange(self.positions)[:, None]
        self.register_buffer("rest_at", rest + self.width * (rest >= first), persistent=False)  # (positions, d - width)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        return self.score(batch.x, draw)

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._by_shuffle(x, self._surprise).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        covers = self._covers().to(x.dtype)
        return torch.einsum("bsp,spc->bc", self._by_shuffle(x, self._surprise), covers / covers.sum((0, 1)))

    def embed(self, x: Tensor) -> Tensor:
        """(b, shuffles * size): the embedded rests, their mean over the positions."""
        return self._by_shuffle(x, self._mean_rest).flatten(1)

    def _by_shuffle(self, x: Tensor, compute: Callable[[Tensor, int], Tensor]) -> Tensor:
        """(b, shuffles, ...): what is computed of the rows for each shuffle, not too many rows at a time."""
        widest = max(self.positions, self.width, self.rest_at.shape[1], self.settings.size, HIDDEN_REST[0])
        few = x.split(max(1, NUMBERS_AT_A_TIME // (self.positions * widest)))
        if len(few) > 1 and torch.is_grad_enabled():
            compute = partial(checkpoint, compute, use_reentrant=False)
        return torch.cat([torch.stack([compute(rows, k) for k in range(len(self.orders))], 1) for rows in few])

    def _surprise(self, x: Tensor, shuffle: int) -> Tensor:
        """(b, positions)."""
        f, g = (normalize(normalize(z.to(x.dtype), dim=1), dim=2) for z in self.pairs[shuffle](*self._cut(x, shuffle)))
        likeness = f @ g.mT / self.settings.temperature  # (b, positions, positions)
        return likeness.logsumexp(2) - likeness.diagonal(dim1=1, dim2=2)

    def _mean_rest(self, x: Tensor, shuffle: int) -> Tensor:
        """(b, size)."""
        return self.pairs[shuffle](*self._cut(x, shuffle))[0].mean(1)  # type: ignore[no-any-return]

    def _cut(self, x: Tensor, shuffle: int) -> tuple[Tensor, Tensor]:
        """(b, positions, d - width) what is left of the row, (b, positions, width) the pieces."""
        x = x[:, self.orders[shuffle]]
        return x[:, self.rest_at], x.unfold(1, self.width, 1)

    def _covers(self) -> Tensor:
        """(shuffles, positions, columns): whether the piece at a position has an entry of the column."""
        is_of = one_hot(self.owner[self.orders], len(self.shape.parts.names))  # (shuffles, entries, columns)
        before = pad(is_of.cumsum(1), (0, 0, 1, 0))
        return before[:, self.width :] > before[:, : -self.width]


HIDDEN_REST, HIDDEN_PIECE = (100, 50), (50, 25)
"""Hidden units of the two networks, as in the source."""


class _Pair(nn.Module):
    """The networks f and g of one shuffle."""

    def __init__(self, rest: int, width: int, size: int) -> None:
        super().__init__()
        self.f, self.g = (
            _network(rest, HIDDEN_REST, size, nn.Tanh()),
            _network(width, HIDDEN_PIECE, size, nn.LeakyReLU(0.2)),
        )

    def forward(self, rest: Tensor, piece: Tensor) -> tuple[Tensor, Tensor]:
        """(b, positions, d - width), (b, positions, width) -> (b, positions, size) twice."""
        return self.f(rest), self.g(piece)


def _network(entries: int, hidden: tuple[int, int], size: int, first: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(entries, hidden[0]),
        first,
        nn.Linear(hidden[0], hidden[1]),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden[1], size),
    )


def _width(d: int) -> int:
    """How many of d entries a piece has."""
    for most, width in ((40, 2), (160, 10), (240, d - 150), (480, d - 200)):
        if d <= most:
            return width
    return d - 400
