"""Predict from the rest of a row which of its pieces was cut out."""

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
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

NUMBERS_AT_A_TIME = 2**24
"""Largest number of values in a tensor (64 MiB): rows are processed in chunks. Where there are several, training
recomputes their intermediate results in the backward pass instead of keeping them."""


class InternalContrastSettings(Settings):
    """Number of orders of the columns, and how pieces are compared."""

    shuffles: int = Field(
        3, ge=1, le=16, description="Number of random orders of the columns, each with networks of its own."
    )
    temperature: float = Field(
        0.01, ge=0.001, le=10, description="Divisor of the similarities; small = only the most similar pieces count."
    )
    size: int = Field(128, ge=2, le=512, description="Size of the embedding of a piece and of the rest of its row.")


@PRETEXTS.register
class InternalContrast(Pretext[InternalContrastSettings]):
    """The rest of a normal row is most similar to the piece cut out of it; that of an anomaly to another piece.

    A piece a_j is `width` neighbouring entries in a shuffled order, b_j the other entries; f embeds b_j and g embeds
    a_j. Each dimension of the embeddings is first normalised over the pieces of the row, then each embedding to length
    1, as in the authors' code. Surprise of a position j [nat]: -log softmax over l of f(b_j) . g(a_l) / temperature, at
    l = j. Loss and score: its mean over the positions and orders; part of a column: its mean over the pieces that cover
    the column. The width follows from the number of encoded entries and leaves at most 401 positions, fewer than the
    source's 1000 negatives, so all are compared. The source's batch normalisation is left out.
    """

    title = "Internal contrast"
    task = "Predict which piece was cut out of the row from the rest of it."
    finds = "columns that don't fit the rest of their row; rows far from all others"
    misses = "columns that depend on no other; anomalies that are frequent in training"
    source = "Shenkar and Wolf 2022, Internal contrastive learning, ICLR, section 3"
    modalities = frozenset({Modality.TABLE})
    encoder_name = "flat"
    Settings = InternalContrastSettings
    orders: Tensor
    rest_at: Tensor
    owner: Tensor

    def __init__(self, settings: InternalContrastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        d = shape.entries
        if d < 3:
            raise MethodError(
                f"Internal contrast compares pieces of a row with its rest and needs at least 3 encoded entries, but "
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
        """(b, shuffles * size): the mean embedding of the rest over the positions, per order."""
        return self._by_shuffle(x, self._mean_rest).flatten(1)

    def _by_shuffle(self, x: Tensor, compute: Callable[[Tensor, int], Tensor]) -> Tensor:
        """(b, shuffles, ...): `compute` of the rows for each order, a chunk of rows at a time."""
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
        rest: Tensor = self.pairs[shuffle](*self._cut(x, shuffle))[0]
        return rest.mean(1)

    def _cut(self, x: Tensor, shuffle: int) -> tuple[Tensor, Tensor]:
        """(b, positions, d - width) the rest of the row, (b, positions, width) the pieces."""
        x = x[:, self.orders[shuffle]]
        return x[:, self.rest_at], x.unfold(1, self.width, 1)

    def _covers(self) -> Tensor:
        """(shuffles, positions, columns): whether the piece at a position contains an entry of the column."""
        is_of = one_hot(self.owner[self.orders], len(self.shape.parts.names))  # (shuffles, entries, columns)
        before = pad(is_of.cumsum(1), (0, 0, 1, 0))
        return before[:, self.width :] > before[:, : -self.width]


HIDDEN_REST, HIDDEN_PIECE = (100, 50), (50, 25)
"""Hidden units of the two networks, as in the source."""


class _Pair(nn.Module):
    """The networks f and g of one order of the columns."""

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
    """Number of entries of a piece, of d in all."""
    for most, width in ((40, 2), (160, 10), (240, d - 150), (480, d - 200)):
        if d <= most:
            return width
    return d - 400
