"""Learn transformations of a row that can be told apart while each copy still resembles the row."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality


class LearntTransformationsSettings(Settings):
    """Number and form of the transformations, and the size of the networks."""

    transformations: int = Field(11, ge=2, le=100, description="Number of transformations.")
    form: Literal["residual", "mask"] = Field(
        "residual",
        description="Form of a transformation: residual = adds to the row, mask = scales its entries by 0 to 1.",
    )
    temperature: float = Field(
        0.1, ge=0.01, le=10, description="Divisor of the cosines; small = only the most similar copies count."
    )
    hidden: int = Field(200, ge=2, le=4096, description="Hidden units of each transformation.")
    width: int = Field(64, ge=2, le=4096, description="Units per layer of the encoder.")
    size: int = Field(32, ge=2, le=1024, description="Size of the embedding of a copy.")


@PRETEXTS.register
class LearntTransformations(Pretext[LearntTransformationsSettings]):
    """Transformations learnt on normal rows give copies that resemble the row and differ from each other; on anomalies
    they fail in one or the other.

    Transformations: x + M_k(x), or x * sigmoid(M_k(x)). Loss and score of a row [nat], h = exp(cosine / temperature) of
    embeddings: sum over the k of -log(h(k, row) / (h(k, row) + sum of h(k, l) over the others l)). A row is compared
    only with its own copies.
    """

    title = "Learnt transformations"
    task = "Make copies of the row that resemble it and differ from each other."
    finds = "rows whose columns depend on each other in another way than in normal rows; rows far from all others"
    misses = "small shifts of normal rows; anomalies that are frequent in training"
    source = "Qiu et al. 2021, NeuTraL AD, ICML, arXiv:2103.16440, eq. 2"
    modalities = frozenset({Modality.TABLE})
    Settings = LearntTransformationsSettings

    def __init__(self, settings: LearntTransformationsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.changes = _Changes(settings.transformations, shape.entries, settings.hidden)
        self.head = nn.Linear(encoder.d, settings.size, bias=False)

    @classmethod
    def encoder_settings(cls, settings: LearntTransformationsSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "dropout": 0.0}

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        return self.score(batch.x, draw)

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._surprises(x).sum(1)

    def embed(self, x: Tensor) -> Tensor:
        z: Tensor = self.head(self.encoder(x))
        return z

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`transformation_spread`: standard deviation of the surprise over the transformations."""
        return {"transformation_spread": self._surprises(x).std(1)}

    def _surprises(self, x: Tensor) -> Tensor:
        """(b, k): -log of the row's share in the similarities of each copy."""
        views = torch.cat([x[:, None], self._transformed(x)], 1)  # (b, 1 + k, entries)
        z = normalize(self.embed(views.flatten(0, 1)).to(x.dtype), dim=1).unflatten(0, views.shape[:2])
        likeness: Tensor = z[:, 1:] @ z.mT / self.settings.temperature  # (b, k, 1 + k)
        itself = torch.eye(likeness.shape[1], dtype=torch.bool, device=x.device)
        others = likeness.masked_fill(nn.functional.pad(itself, (1, 0)), -torch.inf)
        return others.logsumexp(2) - likeness[:, :, 0]

    def _transformed(self, x: Tensor) -> Tensor:
        """(b, k, entries)."""
        change: Tensor = self.changes(x).to(x.dtype)
        return x[:, None] + change if self.settings.form == "residual" else x[:, None] * change.sigmoid()


class _Changes(nn.Module):
    """k parallel networks of two layers: (b, entries) -> (b, k, entries). Without bias, which would be a shortcut."""

    def __init__(self, k: int, entries: int, hidden: int) -> None:
        super().__init__()
        self.inwards = nn.Parameter(torch.empty(k, entries, hidden).uniform_(-1, 1) / entries**0.5)
        self.outwards = nn.Parameter(torch.empty(k, hidden, entries).uniform_(-1, 1) / hidden**0.5)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.einsum("be,keh->bkh", x, self.inwards).relu()
        return torch.einsum("bkh,khe->bke", hidden, self.outwards)
