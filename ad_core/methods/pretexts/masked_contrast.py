"""Contrastive learning within and between classes, with transformed copies of each item as further classes."""

from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.data.reservoir import drawn
from ad_core.methods.augmentations.rotated_images import RotatedImages
from ad_core.methods.augmentations.rows import RowAugmentations
from ad_core.methods.augmentations.windows import WindowAugmentations
from ad_core.methods.encoder import Encoder
from ad_core.methods.losses.class_distances import ClassDistances
from ad_core.methods.losses.masked_contrastive import MaskedContrastiveLoss
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.task_accuracy import AccuracyShares, TaskAccuracy
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

FAR = 6.0
"""Entries are clipped to this many standard deviations before the network; an item's length is not clipped."""

LEAST_STATISTICS, STATISTICS_NUMBERS = 4096, 2**23
"""Means and covariances are estimated from a random sample: as many items as fit into `STATISTICS_NUMBERS` values
(32 MiB), but at least `LEAST_STATISTICS`."""

POSITIONS = 16
"""Approximate number of positions of a window after the encoder's first layer, which joins time steps."""


class MaskedContrastSettings(Settings):
    """Transformations and augmentations of items, and strength of attraction and repulsion between copies."""

    transformations: int = Field(
        4,
        ge=1,
        le=16,
        description="Number of transformations, the first being none; at most 5 for windows and 4 for images.",
    )
    corruption: float = Field(
        0.3, ge=0, le=0.95, description="Tables only: share of a copy's cells taken from other training rows."
    )
    noise: float = Field(
        0.05, ge=0, le=2, description="Tables and recordings: noise added to every copy, in standard deviations."
    )
    scaling: float = Field(
        0.1, ge=0, le=1, description="Recordings only: spread of the factor by which a copy's channels are multiplied."
    )
    crop: float = Field(
        0.7,
        gt=0,
        le=1,
        description="Recordings only: least share of the window that a copy shows, resampled to its length.",
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="Recordings only: share of a copy's channels that are set to their mean."
    )
    image_crop: float = Field(
        0.3, gt=0, le=1, description="Images only: least share of the image's area that a copy shows, resized."
    )
    colour: float = Field(
        0.5, ge=0, le=1, description="Images only: how strongly brightness, contrast and colours of copies change."
    )
    pixels: int = Field(
        64,
        ge=16,
        le=1024,
        description="Images only: larger images are reduced to this side, as many copies of each are processed.",
    )
    copies: Literal["one", "turned", "turned and flipped"] = Field(
        "turned and flipped",
        description="Copies that an item is scored by: itself, all transformed ones, or of images also mirrored ones.",
    )
    temperature: float = Field(
        0.2, gt=0, le=10, description="Inverse strength of attraction, and of repulsion between classes."
    )
    beta: float = Field(
        2.0, ge=0, le=100, description="Repulsion of copies of a class that are transformed differently."
    )
    alpha: float = Field(0.05, ge=0, le=100, description="Repulsion of copies of a class that are transformed alike.")
    attraction: float = Field(1.0, ge=0, le=100, description="Weight of the attraction of another item of the class.")
    width: int = Field(128, ge=2, le=4096, description="Tables only: units per layer of the network.")
    channels: int = Field(48, ge=2, le=1024, description="Recordings only: channels of the network.")
    embedding: int = Field(64, ge=2, le=1024, description="Size of the embedding that copies are compared by.")


@PRETEXTS.register
class MaskedContrast(Pretext[MaskedContrastSettings]):
    """Two augmented copies of an item attract each other, and items of a class gather, per transformation.

    Loss: the cross-entropy [nat] of finding a copy's partner among all copies of the batch, plus that of finding
    another item of its class with the same transformation, where there is one (stochastic positive attraction); mean
    over an item's 2 R copies. Transformations and augmentations: `RowAugmentations`, `WindowAugmentations`,
    `RotatedImages`.

    Score: Mahalanobis distances of the R transformed copies (of an image also of its mirror image) to each class, with
    the statistics of the same transformation; the harmonic mean over the copies; the smallest over the classes. The
    extra column `spread` is the standard deviation of the distances to the nearest class. Transformations of windows
    and images that a linear discriminant hardly recognises on held-out items are left out of the score.

    Items of unknown class (-1) repel all others as weakly as items of the same class do. For partners and statistics
    they form one further class; without a class column it is the only one.

    Own extension for rows and windows: embeddings have length 1 and can't show how far away an item is. So the item's
    distance from the mean of the training items is a further, independent coordinate of every Gaussian.
    """

    title = "Masked contrast"
    task = "Find the other augmented copy of the item among the copies of all items."
    finds = "items that belong to no class or normal group: images of other objects, windows of an unknown pattern"
    misses = "single odd cells, short spikes, small defects; without classes a plain Gaussian often does as well"
    source = "Cho et al. 2021, Masked contrastive learning, IJCAI, arXiv:2105.08793; rows and windows in an own form"
    modalities = frozenset(Modality)
    Settings = MaskedContrastSettings
    kept: Tensor

    def __init__(self, settings: MaskedContrastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.turns = _views(settings, shape)
        self.is_image = shape.modality is Modality.IMAGE
        self.masked_loss = MaskedContrastiveLoss(
            settings.temperature, settings.beta, settings.alpha, settings.attraction
        )
        self.projector = nn.Sequential(
            nn.Linear(encoder.d, 2 * encoder.d), nn.ReLU(), nn.Linear(2 * encoder.d, settings.embedding)
        )
        self.normal = ClassDistances()
        self.register_buffer("kept", torch.ones(settings.transformations))  # 1 = the transformation counts in the score

    @classmethod
    def encoder_shape(cls, settings: MaskedContrastSettings, shape: ItemShape) -> ItemShape:
        if shape.modality is not Modality.IMAGE:
            return shape
        side = min(shape.size[2], settings.pixels)
        return shape.model_copy(update={"size": (shape.size[0], side, side)})

    @classmethod
    def encoder_settings(cls, settings: MaskedContrastSettings, shape: ItemShape) -> dict[str, object]:
        if shape.modality is Modality.TABLE:
            return {"width": settings.width, "dropout": 0.0}  # the augmentations regularise enough
        if shape.modality is Modality.IMAGE:
            return {}
        stride = max(1, shape.size[1] // POSITIONS)
        return {"width": settings.channels, "layers": 4, "stride": stride}

    def prepare(self, batches: Iterable[Batch]) -> None:
        self.turns.learn(batch.x for batch in batches)
        if not self.is_image:
            self.normal.put("centre", mean_and_spread(batch.x for batch in batches)[0].to(self.kept))
        self.kept = torch.ones_like(self.kept)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        cls = _classes(batch)
        z = torch.stack([self._embedded(self.turns.disturbed(batch.x, draw)) for _ in range(2)])
        return self.masked_loss(z, cls, *_partners(cls, self.settings.transformations, draw))

    def finish(self, batches: Iterable[Batch]) -> None:
        """Mean and covariance per class and transformation, and the distribution of the distances from the centre."""
        size = self.settings.transformations * self.settings.embedding
        items = drawn((self._facts(batch) for batch in batches), max(LEAST_STATISTICS, STATISTICS_NUMBERS // size))
        z = items[:, 2:].unflatten(1, (self.settings.transformations, -1))
        length, compared = None if self.is_image else items[:, 1], self.shape.modality is not Modality.TABLE
        self.normal.learn(items[:, 0], length, z, compared)

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        """Leaves hardly recognised transformations out of the score; rotations of rows always count."""
        if self.shape.modality is Modality.TABLE or self.settings.copies == "one":
            return []
        shares = AccuracyShares.of(self.normal.nearnesses(self._embedded(batch.x[:, None])) for batch in batches)
        self.kept = shares.recognised().to(self.kept)
        self.kept[0] = 1.0
        turned = AccuracyShares(shares.right[1:], shares.count)
        return TaskAccuracy(self.shape.modality).hardly(turned, self.turns.names[1:], "left out of the score")

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._harmonic_mean(self._distances(x)).amin(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`spread`: standard deviation over the counted copies of the distance to the nearest class."""
        distances = self._distances(x)  # (b, classes, copies)
        nearest = self._harmonic_mean(distances).argmin(1)
        counted = distances[torch.arange(len(x), device=x.device), nearest][:, self._counts(distances) > 0]
        return {"spread": counted.std(1, correction=0)}

    def embed(self, x: Tensor) -> Tensor:
        """(b, embedding + 1): the untransformed item's embedding and its distance from the centre in standard
        deviations; of images (b, embedding).
        """
        z = self._embedded(x[:, None])[:, 0]
        if self.is_image:
            return z
        length = self._length(x) * self.normal.length_whiten.mean()
        return torch.cat([z, length[:, None]], 1)

    def _embedded(self, copies: Tensor) -> Tensor:
        """(b, R or 1, *item), copy r gets transformation r -> (b, R, embedding) of length 1."""
        every = copies.clamp(-FAR, FAR).expand(-1, self.settings.transformations, *copies.shape[2:])
        turned = self.turns(every)
        z: Tensor = self.projector(self.encoder(turned.flatten(0, 1))).to(copies.dtype)
        return F.normalize(z, dim=1).view(*turned.shape[:2], -1)

    def _facts(self, batch: Batch) -> Tensor:
        """(b or 2 b, 2 + R embedding): class, distance from the centre, all embeddings; the same for mirror images."""
        seen = self._seen(batch.x)
        cls, x = _classes(batch).repeat(len(seen)), torch.cat(seen)
        z = self._embedded(x[:, None]).flatten(1)
        return torch.cat([cls[:, None].to(z.dtype), self._length(x)[:, None], z], 1)

    def _length(self, x: Tensor) -> Tensor:
        """(b,) distance from the mean of the training items, 0 for images; the root has no gradient at 0."""
        if self.is_image:
            return x.new_zeros(len(x))
        return (x - self.normal.centre).square().flatten(1).sum(1).clamp_min(1e-12).sqrt()

    def _distances(self, x: Tensor) -> Tensor:
        """(b, classes, copies) Mahalanobis distances of the transformed item, then of its transformed mirror image."""
        squares = torch.cat([self.normal.squares(self._embedded(item[:, None])) for item in self._seen(x)], 2)
        if not self.is_image:
            squares = squares + self.normal.squares_of_length(self._length(x))  # one more coordinate
        squares = squares[:, :, :1] if self.settings.copies == "one" else squares
        return squares.clamp_min(1e-12).sqrt()

    def _seen(self, x: Tensor) -> list[Tensor]:
        """The items, and the mirror images if the setting asks for them."""
        return [x, x.flip(3)] if self.is_image and self.settings.copies == "turned and flipped" else [x]

    def _harmonic_mean(self, distances: Tensor) -> Tensor:
        """(b, classes, copies) -> (b, classes), over the copies that count."""
        counts = self._counts(distances)
        return counts.sum() / (counts / distances).sum(2)

    def _counts(self, distances: Tensor) -> Tensor:
        """(copies,) 1 where a copy counts; a mirrored copy counts if the other one does."""
        ways = min(len(self.kept), distances.shape[2])
        return self.kept[:ways].repeat(distances.shape[2] // ways)


def _views(
    settings: MaskedContrastSettings, shape: ItemShape
) -> RowAugmentations | WindowAugmentations | RotatedImages:
    """Transformations and augmentations of this kind of data."""
    ways, noise = settings.transformations, settings.noise
    if shape.modality is Modality.TABLE:
        return RowAugmentations(shape, ways, settings.corruption, noise)
    if shape.modality is Modality.SENSOR:
        return WindowAugmentations(shape, ways, noise, settings.scaling, settings.crop, settings.dropout)
    return RotatedImages(shape, ways, settings.pixels, settings.image_crop, settings.colour)


def _classes(batch: Batch) -> Tensor:
    """(b,) class codes, -1 = unknown."""
    return torch.full((len(batch.x),), -1, device=batch.x.device) if batch.cls is None else batch.cls


def _partners(cls: Tensor, ways: int, draw: Draw) -> tuple[Tensor, Tensor]:
    """(b R,) twice: a random copy of another item of the class with the same transformation, and whether it exists."""
    b = len(cls)
    fit = (cls[:, None] == cls) & ~torch.eye(b, dtype=torch.bool, device=cls.device)
    lots = draw.uniform(b, ways, b).masked_fill(~fit[:, None], -1)
    partner = lots.argmax(2) * ways + torch.arange(ways, device=cls.device)
    return partner.flatten(), fit.any(1).repeat_interleave(ways)
