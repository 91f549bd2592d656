"""Learn changes of a row that can be told apart and yet all leave the row recognisable."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality


class LearntTransformationsSettings(AnySettings):
    """How many transformations are learnt, of which form, and the size of the networks."""

    transformations: int = Field(11, ge=2, le=100, description="Transformations that are learnt.")
    form: Literal["residual", "mask"] = Field(
        "residual", description="What a transformation does: residual = adds to the row, mask = damps its entries."
    )
    temperature: float = Field(
        0.1, ge=0.01, le=10, description="What cosines are divided by; small = only the most alike views count."
    )
    hidden: int = Field(200, ge=2, le=4096, description="Hidden units of each transformation.")
    width: int = Field(64, ge=2, le=4096, description="Units per layer of the network that embeds the views.")
    size: int = Field(32, ge=2, le=1024, description="Numbers that a view is embedded in.")


@PRETEXTS.register
class LearntTransformations(Pretext):
    """Transformations learnt on normal rows keep each recognisable; odd rows they distort, or make all alike.

    Transformations: x + M_k(x), or x * sigmoid(M_k(x)). Loss and score of a row [nat], h = exp(cosine / temperature) of
    embeddings: sum over the k of -log(h(k, row) / (h(k, row) + sum of h(k, l) over the others l)). A row is compared
    with nothing but its own transformations.
    """

    title = "Learnt transformations"
    asks = "Which of these changed rows are mine, and which change was it?"
    finds = "rows in which the columns go together in another way than usual; rows far from all others"
    misses = "small shifts of normal rows; anomalies that are frequent in training"
    source = "Qiu et al. 2021, NeuTraL AD, ICML, arXiv:2103.16440, eq. 2"
    modalities = frozenset({Modality.TABLE})
    Settings = LearntTransformationsSettings
    settings: LearntTransformationsSettings

    def __init__(self, settings: LearntTransformationsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.changes = _Changes(settings.transformations, shape.entries, settings.hidden)
        self.head = nn.Linear(encoder.d, settings.size, bias=False)

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "dropout": 0.0}  # type: ignore[attr-defined]

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        return self.score(batch.x, draw)

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._surprises(x).sum(1)

    def embed(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))  # type: ignore[no-any-return]

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`transformation_spread`: how differently the transformations surprise; high = a few of them fail."""
        return {"transformation_spread": self._surprises(x).std(1)}

    def _surprises(self, x: Tensor) -> Tensor:
        """(b, k): -log share of the row itself among all that a transformed row is like."""
        views = torch.cat([x[:, None], self._transformed(x)], 1)  # (b, 1 + k, entries)
        z = normalize(self.embed(views.flatten(0, 1)).to(x.dtype), dim=1).unflatten(0, views.shape[:2])
        likeness = z[:, 1:] @ z.mT / self.settings.temperature  # (b, k, 1 + k)
        itself = torch.eye(likeness.shape[1], dtype=torch.bool, device=x.device)
        others = likeness.masked_fill(nn.functional.pad(itself, (1, 0)), -torch.inf)
        return others.logsumexp(2) - likeness[:, :, 0]  # type: ignore[no-any-return]

    def _transformed(self, x: Tensor) -> Tensor:
        """(b, k, entries)."""
        change = self.changes(x).to(x.dtype)
        return x[:, None] + change if self.settings.form == "residual" else x[:, None] * change.sigmoid()  # type: ignore[no-any-return]


class _Changes(nn.Module):
    """k networks of two layers side by side: (b, entries) -> (b, k, entries). No bias: it would be a shortcut."""

    def __init__(self, k: int, entries: int, hidden: int) -> None:
        super().__init__()
        self.inwards = nn.Parameter(torch.empty(k, entries, hidden).uniform_(-1, 1) / entries**0.5)
        self.outwards = nn.Parameter(torch.empty(k, hidden, entries).uniform_(-1, 1) / hidden**0.5)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.einsum("be,keh->bkh", x, self.inwards).relu()
        return torch.einsum("bkh,khe->bke", hidden, self.outwards)
