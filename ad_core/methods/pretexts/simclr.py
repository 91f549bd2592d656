"""Contrastive learning: find the other augmented copy of an image among those of all images (SimCLR)."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.data.reservoir import drawn
from ad_core.methods.augmentations.images import ImageAugmentations
from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.class_gaussians import gaussians
from ad_core.methods.pretext import PRETEXTS, Pretext, TensorGroup
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

STATISTICS = 50_000
"""Maximum number of images, drawn at random, on which the Gaussian is fitted."""


class SimclrSettings(Settings):
    """Augmentations of the copies, and how copies are compared."""

    least_crop: float = Field(
        0.2, gt=0, le=1, description="Least share of the image's area that a copy shows, resized to its size."
    )
    colour: float = Field(
        0.5, ge=0, le=1, description="How strongly brightness, contrast and colours of a copy change; 0 = not at all."
    )
    grey: float = Field(0.2, ge=0, le=1, description="Colour images only: share of the copies that lose their colours.")
    mirrored: float = Field(0.5, ge=0, le=1, description="Share of the copies whose left and right are exchanged.")
    temperature: float = Field(0.5, gt=0, le=10, description="Smaller = the most similar copies count more.")
    embedding: int = Field(128, ge=2, le=1024, description="Size of the embedding that copies are compared by.")


@PRETEXTS.register
class Simclr(Pretext[SimclrSettings]):
    """What all augmented copies of an image share is its content; images with other content are embedded far away.

    Loss: NT-Xent, the cross-entropy [nat] of finding the other copy of the same image among all copies of the batch, by
    cosine; mean over both copies. Score: Mahalanobis distance of the unchanged image's embedding, normalised to length
    1, from those of the training images.
    """

    title = "Contrast of views"
    task = "Find the other augmented copy of the image among the copies of all images."
    finds = "objects and scenes of the wrong kind"
    misses = "small local defects; anomalies in what the augmentations change, such as light, colour or side"
    source = "Chen et al. 2020, SimCLR, arXiv:2002.05709, eq. 1; score: Sehwag et al. 2021, SSD, arXiv:2103.12051"
    modalities = frozenset({Modality.IMAGE})
    Settings = SimclrSettings

    def __init__(self, settings: SimclrSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.views = ImageAugmentations(shape, settings.least_crop, settings.colour, settings.grey, settings.mirrored)
        self.projector = nn.Sequential(
            nn.Linear(encoder.d, encoder.d), nn.ReLU(), nn.Linear(encoder.d, settings.embedding)
        )
        self.normal = _Gaussian()

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        views = torch.cat([self.views.disturbed(batch.x, draw) for _ in range(2)])
        z = self.projector(self.encoder(views)).to(views.dtype)  # (2 b, embedding)
        return _nt_xent(z, self.settings.temperature)

    def finish(self, batches: Iterable[Batch]) -> None:
        """Mean and whitened covariance of the embeddings."""
        z = drawn((self.embed(batch.x) for batch in batches), STATISTICS)
        double = z.cpu().double().numpy()
        means, whitenings = gaussians(double[:, None], double[:, 0] * 0)
        self.normal.put("mean", torch.from_numpy(means[0, 0]).to(z))
        self.normal.put("whiten", torch.from_numpy(whitenings[0, 0]).to(z))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        whitened = (self.embed(x) - self.normal.mean) @ self.normal.whiten  # (b, d)
        return whitened.to(x.dtype).square().sum(1).clamp_min(1e-12).sqrt()  # (b,); the root has no gradient at 0

    def embed(self, x: Tensor) -> Tensor:
        return F.normalize(self.encoder(x).to(x.dtype), dim=1)  # (b, d)

    def embed_parts(self, x: Tensor) -> Tensor:
        return self.encoder.parts(x).flatten(2).mT  # (b, positions, d)


class _Gaussian(TensorGroup):
    mean: Tensor
    whiten: Tensor


def _nt_xent(z: Tensor, temperature: float) -> Tensor:
    """(2 b, d), the first copies of all items and then the second ones -> (b,) mean loss of both copies."""
    z = F.normalize(z, dim=1)
    likeness = (z @ z.mT).to(z.dtype) / temperature
    oneself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    other = torch.arange(len(z), device=z.device).roll(len(z) // 2)
    losses = F.cross_entropy(likeness.masked_fill(oneself, -torch.inf), other, reduction="none")
    return losses.view(2, -1).mean(0)
