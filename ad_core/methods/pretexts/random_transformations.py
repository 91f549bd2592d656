"""Predict which of many random affine maps a row went through."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind, Parts

CENTRE_WEIGHT = 0.1
"""Weight of the triplet centre loss beside the cross-entropy, as in the authors' code."""


class RandomTransformationsSettings(Settings):
    """Number of maps, and size of the network that tells them apart."""

    transformations: int = Field(64, ge=2, le=256, description="Number of random affine maps that are told apart.")
    size: int = Field(64, ge=1, le=256, description="Output dimensions of a map.")
    width: int = Field(32, ge=2, le=1024, description="Units per layer of the network.")
    margin: float = Field(
        1.0,
        ge=0,
        le=100,
        description="Margin of the triplet loss: least gap in squared distance between own and nearest other centre.",
    )


@PRETEXTS.register
class RandomTransformations(Pretext[RandomTransformationsSettings]):
    """A normal row, mapped, lies near the centre of its map and far from the other centres; an anomaly need not.

    Maps: W x + b with standard normal W / sqrt(entries) and b, drawn once with the network's first weights. Loss, mean
    over the maps: cross-entropy [nat] + 0.1 * max(0, d2 to the own centre + margin - d2 to the nearest other one); the
    centres are means over the batch, after training over all training rows. Score: mean over the maps of
    -log softmax(-d2) at the own centre [nat]. The constant of eq. 4 for distant rows is left out: the network's final
    layer normalisation bounds the embeddings, and so all distances.
    """

    title = "Random transformations"
    task = "Predict which random affine map the row went through."
    finds = "rows that deviate a little in many columns, and rows far from all others"
    misses = "one odd cell among many; distance: beyond about ten standard deviations all rows score alike"
    source = "Bergman and Hoshen 2020, GOAD, ICLR, arXiv:2005.02359, eq. 2, 3, 5, 6"
    modalities = frozenset({Modality.TABLE})
    Settings = RandomTransformationsSettings
    maps: Tensor
    shifts: Tensor
    centres: Tensor

    def __init__(self, settings: RandomTransformationsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        k, size = settings.transformations, settings.size
        self.head = nn.Sequential(nn.LeakyReLU(0.2), nn.Linear(encoder.d, k))
        self.register_buffer("maps", torch.randn(k, shape.entries, size) / shape.entries**0.5)
        self.register_buffer("shifts", torch.randn(k, size))
        self.register_buffer("centres", torch.zeros(k, encoder.d))
        self.recognition = TaskAccuracy(shape.modality)

    @classmethod
    def encoder_shape(cls, settings: RandomTransformationsSettings, shape: ItemShape) -> ItemShape:
        """A mapped row, whose dimensions belong to no column."""
        size: int = settings.size
        names = tuple(f"mapped {i + 1}" for i in range(size))
        parts = Parts(names=names, of_entry=tuple(range(size)), kinds=(PartKind.NUMBER,) * size, units=(None,) * size)
        return shape.model_copy(update={"size": (size,), "parts": parts})

    @classmethod
    def encoder_settings(cls, settings: RandomTransformationsSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "dropout": 0.0}

    def loss(self, batch: Batch, draw: Draw) -> Tensor:  # noqa: ARG002
        z = self._mapped(batch.x)
        which = torch.arange(z.shape[1], device=z.device).repeat(len(z))
        guessed = cross_entropy(self.head(z).flatten(0, 1), which, reduction="none").view(len(z), -1).mean(1)
        own, others = _distances(z, z.mean(0))
        centred = (own + self.settings.margin - others.amin(2)).clamp_min(0).mean(1)
        return guessed + CENTRE_WEIGHT * centred

    def finish(self, batches: Iterable[Batch]) -> None:
        """The centre of each map: the mean embedding of the fit rows."""
        total, rows = torch.zeros_like(self.centres), 0
        for batch in batches:
            total, rows = total + self._mapped(batch.x).to(total).sum(0), rows + len(batch.x)
        self.centres = total / rows

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        return self.recognition.doubts(AccuracyShares.of(self._nearnesses(batch.x) for batch in batches))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        own, others = _distances(self._mapped(x).to(x.dtype), self.centres)
        return softplus(own + (-others).logsumexp(2)).mean(1)  # accurate also where softmax is close to 1

    def embed(self, x: Tensor) -> Tensor:
        """Mean over the copies."""
        return self._mapped(x).mean(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`maps_recognised`: share of the maps whose copy of the row is nearest to its own centre."""
        own, others = _distances(self._mapped(x).to(x.dtype), self.centres)
        return {"maps_recognised": (own < others.amin(2)).to(x.dtype).mean(1)}

    def _nearnesses(self, x: Tensor) -> Tensor:
        """(b, k, k): minus the squared distance of each mapped copy of the row to each centre."""
        own, others = _distances(self._mapped(x), self.centres)
        return -torch.where(others.isinf(), own[:, :, None], others)

    def _mapped(self, x: Tensor) -> Tensor:
        """(b, k, d): the embedding of each of the row's copies."""
        copies = torch.einsum("be,kes->bks", x, self.maps) + self.shifts
        z: Tensor = self.encoder(copies.flatten(0, 1)).unflatten(0, copies.shape[:2])
        return z


def _distances(z: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """(b, k, d), (k, d) -> (b, k) squared distance to the own centre, (b, k, k) to the others, infinite to the own."""
    d2 = z.square().sum(2, keepdim=True) + centres.square().sum(1) - 2 * (z @ centres.mT)
    itself = torch.eye(len(centres), dtype=torch.bool, device=z.device)
    return d2.diagonal(dim1=1, dim2=2), d2.masked_fill(itself, torch.inf)
