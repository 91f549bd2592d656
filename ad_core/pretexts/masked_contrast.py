"""Recognise an item in two disturbed copies, among copies of its class and of others, each turned in several ways."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.class_gaussians import gaussians, shared_whitening
from ad_core.encoder import Encoder
from ad_core.moments import mean_and_spread
from ad_core.pretext import PRETEXTS, Pretext, TensorGroup
from ad_core.recognition import Recognition, Shares
from ad_core.sampling import drawn
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality
from ad_core.views.rows import RowViews
from ad_core.views.windows import WindowViews

FAR = 6.0
"""The network sees entries clipped to so many standard deviations; an item's length is not clipped."""

LEAST_STATISTICS, STATISTICS_NUMBERS = 4096, 2**23
"""Means and covariances are taken from embeddings of so many numbers (32 MiB) at most, or of so many items if those are
more, drawn at random."""

LEAST_COSINE = 1e-7
"""Copies that point away from each other are as far apart as need be: they are pushed no further."""

POSITIONS = 16
"""A window is looked at in about so many steps; more time steps are joined."""


class MaskedContrastSettings(AnySettings):
    """How items are turned and disturbed, and how strongly copies attract and repel each other."""

    transformations: int = Field(
        4, ge=1, le=16, description="Ways to turn an item, the first being none; windows have 5 at most."
    )
    corruption: float = Field(
        0.3, ge=0, le=0.95, description="Tables only: share of a copy's cells taken from other training rows."
    )
    noise: float = Field(0.05, ge=0, le=2, description="Noise added to every copy, in standard deviations.")
    scaling: float = Field(
        0.1, ge=0, le=1, description="Recordings only: spread of the factor that stretches a copy's channels."
    )
    crop: float = Field(
        0.7, gt=0, le=1, description="Recordings only: least share of the window that a copy shows, stretched."
    )
    dropout: float = Field(
        0.1, ge=0, lt=1, description="Recordings only: share of a copy's channels that are held at their usual level."
    )
    temperature: float = Field(0.2, gt=0, le=10, description="Inverse strength of attraction, and between classes.")
    beta: float = Field(2.0, ge=0, le=100, description="Repulsion of copies of a class that are turned differently.")
    alpha: float = Field(0.05, ge=0, le=100, description="Repulsion of copies of a class that are turned alike.")
    attraction: float = Field(1.0, ge=0, le=100, description="Weight of finding another item of the class.")
    width: int = Field(128, ge=2, le=4096, description="Tables only: units per layer of the network.")
    channels: int = Field(48, ge=2, le=1024, description="Recordings only: channels of the network.")
    embedding: int = Field(64, ge=2, le=1024, description="Size of the embedding that copies are compared by.")


@PRETEXTS.register
class MaskedContrast(Pretext):
    """Copies of an item must find each other; items of a class gather, apart for every way in which they are turned.

    Loss: the cross-entropy [nat] of finding a copy's other half among all copies of the batch, plus that of finding
    another item of its class turned the same way, where there is one (stochastic positive attraction); mean over an
    item's 2 R copies. `RowViews` and `WindowViews` say how items are turned and disturbed.

    Score: the item is turned in all R ways; per class the harmonic mean over them of the Mahalanobis distances to the
    class; the smallest of these. The extra column `spread` is the standard deviation of the nearest class's R
    distances: high = only some of the ways make the item look odd. Ways to turn a window that a linear discriminant
    hardly recognises on held-out windows are left out: usual windows look the same under them.

    Items of unknown class (-1) repel all others as weakly as if they were of the same class. Together they are one more
    class for partners and statistics, and without a class column the only one.

    Own extension: embeddings have length 1 and cannot tell how far off an item is. The item's distance from the mean of
    those that taught is one more coordinate of every Gaussian, independent of the others.
    """

    title = "Masked contrast"
    asks = "Which of these is the other copy of me?"
    finds = "rows that belong to none of the classes, or to none of the usual groups; windows of an unknown course"
    misses = (
        "single odd cells and short spikes; without a class column a plain Gaussian of the items often does as well"
    )
    source = (
        "Cho et al. 2021, Masked contrastive learning, IJCAI, arXiv:2105.08793; for rows and windows in an own form"
    )
    modalities = frozenset({Modality.TABLE, Modality.SENSOR})
    Settings = MaskedContrastSettings
    settings: MaskedContrastSettings
    kept: Tensor

    def __init__(self, settings: MaskedContrastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        ways, noise = settings.transformations, settings.noise
        self.turns = (
            RowViews(shape, ways, settings.corruption, noise)
            if shape.modality is Modality.TABLE
            else WindowViews(shape, ways, noise, settings.scaling, settings.crop, settings.dropout)
        )
        self.projector = nn.Sequential(
            nn.Linear(encoder.d, 2 * encoder.d), nn.ReLU(), nn.Linear(2 * encoder.d, settings.embedding)
        )
        self.normal = TensorGroup()
        self.register_buffer("kept", torch.ones(ways))  # by which ways an item is judged

    @classmethod
    def encoder_settings(cls, settings: AnySettings, shape: ItemShape) -> dict[str, object]:
        if shape.modality is Modality.TABLE:
            return {"width": settings.width, "dropout": 0.0}  # type: ignore[attr-defined]  # copies differ enough
        stride = max(1, shape.size[1] // POSITIONS)
        return {"width": settings.channels, "layers": 4, "stride": stride}  # type: ignore[attr-defined]

    def prepare(self, batches: Iterable[Batch]) -> None:
        self.turns.learn(batch.x for batch in batches)
        self.normal.put("centre", mean_and_spread(batch.x for batch in batches)[0].to(self.kept))
        self.kept = torch.ones_like(self.kept)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        cls, most = _classes(batch), 1 / self.settings.temperature
        z = torch.stack([self._embedded(self.turns.disturbed(batch.x, draw)) for _ in range(2)]).flatten(0, 2)
        half = len(z) // 2  # (2 b R, embedding): first copies of all rows in all ways, then second copies
        cosines = (z @ z.mT).to(z.dtype).clamp_min(LEAST_COSINE)
        strengths = self._strengths(cls)
        copy = torch.arange(len(z), device=z.device)
        other = copy.roll(half)
        losses = _missed(cosines, strengths, other)
        partner, has_one = _partners(cls, self.settings.transformations, draw)
        partner = torch.cat([partner, partner + half])
        strengths = strengths.clone()
        strengths[copy, other] = 0.0  # neither attracts nor repels
        strengths[copy, partner] = most
        attracted = torch.where(has_one.repeat(2), _missed(cosines, strengths, partner), 0.0)  # alone: infinite
        return (losses + self.settings.attraction * attracted).view(2, len(cls), -1).mean((0, 2))

    def finish(self, batches: Iterable[Batch]) -> None:
        """Mean and covariance of every class in every way of turning, and how far its items lie from the centre."""
        size = self.settings.transformations * self.settings.embedding
        items = drawn((self._facts(batch) for batch in batches), max(LEAST_STATISTICS, STATISTICS_NUMBERS // size))
        facts = items.cpu().double().numpy()
        cls, z = facts[:, 0], facts[:, 2:].reshape(len(facts), self.settings.transformations, -1)
        found = dict(zip(("mean", "whiten"), gaussians(z, cls), strict=True))
        found |= dict(zip(("length", "length_whiten"), gaussians(facts[:, 1, None, None], cls), strict=True))
        found |= {"probe": shared_whitening(z, cls)} if self.shape.modality is Modality.SENSOR else {}
        for name, value in found.items():
            self.normal.put(name, torch.from_numpy(value).to(items))

    def examine(self, batches: Iterable[Batch]) -> list[str]:
        """Leaves out ways to turn a window that are hardly recognised; rotations of rows always count."""
        if self.shape.modality is Modality.TABLE:
            return []
        shares = Shares.of(self._nearnesses(batch.x) for batch in batches)
        self.kept = shares.recognised().to(self.kept)
        self.kept[0] = 1.0
        turned = Shares(shares.right[1:], shares.count)
        return Recognition(self.shape.modality).hardly(turned, self.turns.names[1:], "left out of the score")

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._harmonic_mean(self._distances(x)).amin(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`spread`: standard deviation of the distances to the nearest class over the ways of turning that count."""
        distances = self._distances(x)  # (b, classes, R)
        nearest = self._harmonic_mean(distances).argmin(1)
        counted = distances[torch.arange(len(x), device=x.device), nearest][:, self.kept > 0]
        return {"spread": counted.std(1, correction=0)}

    def embed(self, x: Tensor) -> Tensor:
        """(b, embedding + 1): the item as it is, and its distance from the centre in standard deviations."""
        length = self._length(x) * self.normal.length_whiten.mean()  # type: ignore[operator]
        return torch.cat([self._embedded(x[:, None])[:, 0], length[:, None]], 1)  # (b, embedding + 1)

    def _embedded(self, copies: Tensor) -> Tensor:
        """(b, R or 1, *item), copy r to be turned in way r -> (b, R, embedding) of length 1."""
        every = copies.clamp(-FAR, FAR).expand(-1, self.settings.transformations, *copies.shape[2:])
        turned = self.turns(every)
        z: Tensor = self.projector(self.encoder(turned.flatten(0, 1))).to(copies.dtype)
        return F.normalize(z, dim=1).view(*turned.shape[:2], -1)

    def _strengths(self, cls: Tensor) -> Tensor:
        """(2 b R, 2 b R): by what the cosine of each pair of copies is multiplied."""
        ways, most = self.settings.transformations, 1 / self.settings.temperature
        way = torch.arange(ways, device=cls.device).repeat(len(cls))
        cls = cls.repeat_interleave(ways)
        differ = (cls[:, None] != cls) & (cls[:, None] >= 0) & (cls >= 0)
        alike = torch.where(way[:, None] == way, self.settings.alpha, self.settings.beta)
        strengths = torch.where(differ, most, alike).repeat(2, 2)
        copy = torch.arange(len(strengths), device=cls.device)
        strengths[copy, copy.roll(len(cls))] = most
        return strengths

    def _facts(self, batch: Batch) -> Tensor:
        """(b, 2 + R embedding): class, distance from the centre, embeddings in all ways."""
        z = self._embedded(batch.x[:, None]).flatten(1)
        return torch.cat([_classes(batch)[:, None].to(z.dtype), self._length(batch.x)[:, None], z], 1)

    def _length(self, x: Tensor) -> Tensor:
        """(b,) distance from the mean of the items that taught; the root has no slope at 0."""
        return (x - self.normal.centre).square().flatten(1).sum(1).clamp_min(1e-12).sqrt()  # type: ignore[operator]

    def _distances(self, x: Tensor) -> Tensor:
        """(b, classes, R) Mahalanobis distances, the length being one more coordinate."""
        z, normal = self._embedded(x[:, None]), self.normal
        length, unit = normal.length[:, :, 0], normal.length_whiten[:, :, 0, 0]  # type: ignore[index]
        off = (self._length(x)[:, None, None] - length) * unit  # (b, classes, 1)
        squares = [
            torch.einsum("brd,rde->bre", z - mean, whiten.to(z.dtype)).to(z.dtype).square().sum(2)
            for mean, whiten in zip(normal.mean, normal.whiten, strict=True)  # type: ignore[arg-type]
        ]
        return (torch.stack(squares, 1) + off.square()).clamp_min(1e-12).sqrt()

    def _nearnesses(self, x: Tensor) -> Tensor:
        """(b, R, R): how near the window, turned in each way, comes to the nearest class in each way."""
        z, normal = self._embedded(x[:, None]), self.normal
        whitened = (z @ normal.probe)[:, :, None, None] - normal.mean @ normal.probe  # type: ignore[operator]
        return -whitened.square().sum(4).amin(2)  # of (b, R, classes, R, embedding)

    def _harmonic_mean(self, distances: Tensor) -> Tensor:
        """(b, classes, R) -> (b, classes), over the ways that count."""
        return self.kept.sum() / (self.kept / distances).sum(2)


def _classes(batch: Batch) -> Tensor:
    """(b,) class codes, -1 = unknown."""
    return torch.full((len(batch.x),), -1, device=batch.x.device) if batch.cls is None else batch.cls


def _missed(cosines: Tensor, strengths: Tensor, target: Tensor) -> Tensor:
    """(n,) cross-entropy of finding the target among all copies but oneself."""
    oneself = torch.eye(len(cosines), dtype=torch.bool, device=cosines.device)
    return F.cross_entropy((strengths * cosines).masked_fill(oneself, -torch.inf), target, reduction="none")


def _partners(cls: Tensor, ways: int, draw: Draw) -> tuple[Tensor, Tensor]:
    """(b R,) twice: another copy of the same class turned the same way, drawn at random, and whether there is one."""
    b = len(cls)
    fit = (cls[:, None] == cls) & ~torch.eye(b, dtype=torch.bool, device=cls.device)
    lots = draw.uniform(b, ways, b).masked_fill(~fit[:, None], -1)
    partner = lots.argmax(2) * ways + torch.arange(ways, device=cls.device)
    return partner.flatten(), fit.any(1).repeat_interleave(ways)
