"""Recognise a row in two disturbed copies, among copies of its class and of others, each turned in several ways."""

from collections.abc import Iterable

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.encoder import Encoder
from ad_core.errors import MethodError
from ad_core.pretext import PRETEXTS, Pretext, TensorGroup
from ad_core.sampling import drawn
from ad_core.settings import Settings as AnySettings
from ad_core.types import Batch, Draw, ItemShape, Modality

FAR = 6.0
"""The network sees entries clipped to so many standard deviations; a row's length is not clipped."""

BANK = 4096
"""Training rows at most, drawn at random, that lend their cells to disturbed copies."""

STATISTICS_NUMBERS = 2**23
"""Means and covariances are taken from embeddings of so many numbers (32 MiB) at most, of rows drawn at random."""

MOST_NUMBERS = 2**27
"""The rotations may hold so many numbers (512 MiB)."""

ROWS_PER_DIMENSION = 5
"""A class with fewer rows than this times the embedding's size shares its covariance with the other classes."""

LEAST_COSINE = 1e-7
"""Copies that point away from each other are as far apart as need be: they are pushed no further."""


class MaskedContrastSettings(AnySettings):
    """How rows are turned and disturbed, and how strongly copies attract and repel each other."""

    transformations: int = Field(4, ge=1, le=16, description="Ways to turn a row, the first being none.")
    corruption: float = Field(0.3, ge=0, le=0.95, description="Share of a copy's cells taken from other training rows.")
    noise: float = Field(0.05, ge=0, le=2, description="Noise added to every copy, in standard deviations.")
    temperature: float = Field(0.2, gt=0, le=10, description="Inverse strength of attraction, and between classes.")
    beta: float = Field(2.0, ge=0, le=100, description="Repulsion of copies of a class that are turned differently.")
    alpha: float = Field(0.05, ge=0, le=100, description="Repulsion of copies of a class that are turned alike.")
    attraction: float = Field(1.0, ge=0, le=100, description="Weight of finding another row of the class.")
    width: int = Field(128, ge=2, le=4096, description="Units per layer of the network.")
    embedding: int = Field(64, ge=2, le=1024, description="Size of the embedding that copies are compared by.")


@PRETEXTS.register
class MaskedContrast(Pretext):
    """Copies of a row must find each other; rows of a class gather, apart for every way in which they are turned.

    Loss: the cross-entropy [nat] of finding a copy's other half among all copies of the batch, plus that of finding
    another row of its class turned the same way, where there is one (stochastic positive attraction); mean over a row's
    2 R copies.

    Score: the row is turned in all R ways; per class the harmonic mean over them of the Mahalanobis distances to the
    class; the smallest of these. The extra column `spread` is the standard deviation of the nearest class's R
    distances: high = only some of the ways make the row look odd.

    Rows of unknown class (-1) repel all others as weakly as if they were of the same class. Together they are one more
    class for partners and statistics, and without a class column the only one.

    Own extension: embeddings have length 1 and cannot tell how far off a row is. The row's distance from the mean of
    those that taught is one more coordinate of every Gaussian, independent of the others.
    """

    title = "Masked contrast"
    asks = "Which of these is the other copy of me?"
    finds = "rows that belong to none of the classes, or to none of the usual groups"
    misses = "single odd cells; without a class column a plain Gaussian of the rows often does as well"
    source = "Cho et al. 2021, Masked contrastive learning, IJCAI, arXiv:2105.08793; for rows in an own form"
    modalities = frozenset({Modality.TABLE})
    Settings = MaskedContrastSettings
    settings: MaskedContrastSettings
    bank: Tensor
    owner: Tensor

    def __init__(self, settings: MaskedContrastSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.turns = _RowTurns(shape.entries, settings.transformations)
        self.projector = nn.Sequential(
            nn.Linear(encoder.d, 2 * encoder.d), nn.ReLU(), nn.Linear(2 * encoder.d, settings.embedding)
        )
        self.normal = TensorGroup()
        self.register_buffer("owner", torch.tensor(shape.parts.of_entry), persistent=False)
        self.register_buffer("bank", torch.zeros(1, shape.entries), persistent=False)  # scores do without it

    @classmethod
    def encoder_settings(cls, settings: AnySettings) -> dict[str, object]:
        return {"width": settings.width, "dropout": 0.0}  # type: ignore[attr-defined]  # copies differ enough

    def prepare(self, batches: Iterable[Batch]) -> None:
        self.bank = drawn((batch.x for batch in batches), BANK)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        cls, most = _classes(batch), 1 / self.settings.temperature
        z = torch.stack([self._embedded(self._disturbed(batch.x, draw)) for _ in range(2)]).flatten(0, 2)
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
        """Mean and covariance of every class in every way of turning, and how far its rows lie from the centre."""
        self.normal.put("centre", self.bank.mean(0))
        size = self.settings.transformations * self.settings.embedding
        rows = drawn((self._facts(batch) for batch in batches), max(BANK, STATISTICS_NUMBERS // size))
        facts = rows.cpu().double().numpy()
        z = facts[:, 2:].reshape(len(facts), self.settings.transformations, -1)
        found = (*_gaussians(z, facts[:, 0]), *_gaussians(facts[:, 1, None, None], facts[:, 0]))
        for name, value in zip(("mean", "whiten", "length", "length_whiten"), found, strict=True):
            self.normal.put(name, torch.from_numpy(value).to(rows))

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return _harmonic_mean(self._distances(x)).amin(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:  # noqa: ARG002
        """`spread`: standard deviation of the distances to the nearest class over the ways of turning."""
        distances = self._distances(x)  # (b, classes, R)
        nearest = _harmonic_mean(distances).argmin(1)
        return {"spread": distances[torch.arange(len(x), device=x.device), nearest].std(1, correction=0)}

    def embed(self, x: Tensor) -> Tensor:
        """(b, embedding + 1): the row as it is, and its distance from the centre in standard deviations."""
        length = self._length(x) * self.normal.length_whiten.mean()  # type: ignore[operator]
        return torch.cat([self._embedded(x[:, None])[:, 0], length[:, None]], 1)  # (b, embedding + 1)

    def _embedded(self, copies: Tensor) -> Tensor:
        """(b, R or 1, entries), copy r to be turned in way r -> (b, R, embedding) of length 1."""
        turned = self.turns(copies.clamp(-FAR, FAR).expand(-1, self.settings.transformations, -1))
        z: Tensor = self.projector(self.encoder(turned.flatten(0, 1))).to(copies.dtype)
        return F.normalize(z, dim=1).view(*turned.shape[:2], -1)

    def _disturbed(self, x: Tensor, draw: Draw) -> Tensor:
        """(b, R, entries): copies with some cells of other rows, and noise."""
        size = (len(x), self.settings.transformations, len(self.shape.parts.names))
        swapped = draw.bernoulli(self.settings.corruption, *size)[:, :, self.owner]
        lender = draw.integers(len(self.bank), *size)[:, :, self.owner]
        lent = self.bank[lender, torch.arange(x.shape[1], device=x.device)]
        noise = draw.normal(*swapped.shape).to(x.dtype)
        return torch.where(swapped, lent.to(x.dtype), x[:, None]) + self.settings.noise * noise

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
        """(b,) distance from the mean of the rows that taught; the root has no slope at 0."""
        return (x - self.normal.centre).square().sum(1).clamp_min(1e-12).sqrt()  # type: ignore[operator]

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


class _RowTurns(nn.Module):
    """(b, R, entries) -> (b, R, entries): copy 0 as it is, copy r turned by the r-th of fixed random rotations."""

    matrices: Tensor

    def __init__(self, entries: int, ways: int) -> None:
        super().__init__()
        if (ways - 1) * entries**2 > MOST_NUMBERS:
            raise MethodError(f"Rows of {entries} entries are too wide to be turned. Leave columns out.")
        q, r = torch.linalg.qr(torch.randn(ways - 1, entries, entries))
        self.register_buffer("matrices", q * r.diagonal(dim1=1, dim2=2).sign()[:, None])  # else not all alike likely

    def forward(self, copies: Tensor) -> Tensor:
        turned = torch.einsum("brd,rde->bre", copies[:, 1:], self.matrices)
        return torch.cat([copies[:, :1], turned.to(copies.dtype)], 1)


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


def _harmonic_mean(distances: Tensor) -> Tensor:
    return 1 / (1 / distances).mean(2)  # (b, classes, R) -> (b, classes)


def _gaussians(z: np.ndarray, cls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, R, d), (n,) -> (classes, R, d) means and (classes, R, d, d) whitening matrices.

    A class with few rows takes the covariance within all classes.
    """
    groups, of_row = np.unique(cls, return_inverse=True)
    means = np.stack([z[of_row == g].mean(0) for g in range(len(groups))])
    rest = z - means[of_row]
    shared = _whitenings(rest)
    own = [rest[of_row == g] for g in range(len(groups))]
    least = ROWS_PER_DIMENSION * z.shape[2]
    return means, np.stack([_whitenings(rows) if len(rows) >= least else shared for rows in own])


def _whitenings(rest: np.ndarray) -> np.ndarray:
    """(n, R, d) deviations -> (R, d, d): W W' is the inverse of their covariance (Ledoit and Wolf 2004, eq. 14)."""
    from sklearn.covariance import ledoit_wolf

    covariances = np.stack([ledoit_wolf(rest[:, way], assume_centered=True)[0] for way in range(rest.shape[1])])
    floor = 1e-6 * rest.var() + 1e-12  # a dimension that never varies has no inverse
    return np.linalg.cholesky(np.linalg.inv(covariances + floor * np.eye(rest.shape[2])))
