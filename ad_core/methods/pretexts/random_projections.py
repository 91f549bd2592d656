"""Predict which random projection an item went through, and perturb its features adversarially in scoring (SLA²P)."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.data.reservoir import drawn
from ad_core.errors import MethodError
from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext, TrainingProgress
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

PAIRS_AT_A_TIME = 2**13
"""Pairs of item and projection that are scored together, at least one projection: bounds the memory of a score."""

MOST_NUMBERS = 2**28
"""Maximum number of values in the projections (1 GiB)."""

PARTS = 4
"""Number of segments of a window; level, spread and roughness of each channel per segment are its features. Random
projections of few informative features can be told apart better than those of many samples."""

SAMPLE = 4096
"""Maximum number of items, drawn at random, from which the scale of the features and the radius are estimated."""

WITHIN = 0.99
"""Share of the training items within the radius."""


class RandomProjectionsSettings(Settings):
    """Number of projections, the stopping rule, and strength of the adversarial perturbation."""

    projections: int = Field(64, ge=2, le=4096, description="Number of random projections that are told apart.")
    size: int = Field(64, ge=1, le=4096, description="Output dimensions of a projection.")
    accuracy: float = Field(
        0.6,
        gt=0,
        le=1,
        description="Stop once this share of all predictions so far was right; later, anomalies are learnt as well.",
    )
    least_steps: int = Field(10, ge=1, le=100_000, description="Minimum number of training steps.")
    pairs: int = Field(
        128, ge=2, le=65_536, description="Pairs of an item and a projection per step, at least one per item."
    )
    epsilon: float = Field(
        2.0, ge=0, le=10_000, description="Step size of the perturbation, in gradients; 0 = none (plain SLA)."
    )
    offset: float = Field(
        1.0,
        ge=0,
        le=100,
        description="Constant appended to every item's centred features, in lengths of a normal item; 0 = none.",
    )
    unit_length: bool = Field(True, description="Whether features, the constant included, are divided by their length.")


@PRETEXTS.register
class RandomProjections(Pretext[RandomProjectionsSettings]):
    """A classifier stopped early recognises the projections of frequent items and confuses those of rare ones.

    Loss: cross-entropy over the K projections [nat]. Score: mean over the projections of the Brier score
    |p - e_k|², 0 to 2 (K times the paper's), after one gradient step away from the predicted projection. The gradient
    is that of the item's own cross-entropy, so the step does not depend on the batch.

    Own additions:
    - Features are centred and scaled, and a constant is appended (`offset`). The paper's features (of a network, or raw
      counts) are positive and so share a large mean, by which the projections are told apart. Centred features share no
      mean: the longer a row, the more confident the classifier, and anomalies would get low scores.
    - Items outside the radius that holds 99 % of the training items are projected onto its surface for the classifier,
      and log(distance / radius) is added to their score, which therefore grows without bound.

    The projections are drawn together with the initial weights and stored in the bundle (K x features x size values),
    since a seed need not give the same numbers in another version of PyTorch.
    """

    title = "Random projections (SLA²P)"
    task = "Predict which random projection the item went through."
    finds = "rare kinds of items, also if they form groups within unlabelled training data"
    misses = "items scattered close to the normal ones; small local defects of images"
    source = "Wang et al. 2022, SLA²P, CIKM, arXiv:2111.12896, with the step of each item's own loss, see the docstring"
    modalities = frozenset(Modality)
    without_encoder = frozenset({Modality.TABLE, Modality.SENSOR})
    Settings = RandomProjectionsSettings
    projections: Tensor

    def __init__(self, settings: RandomProjectionsSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        k, m = settings.projections, settings.size
        self.encoder.requires_grad_(False)  # used for images only, and untrained
        size = {
            Modality.TABLE: shape.entries,
            Modality.IMAGE: encoder.d if encoder.pretrained else encoder.d + 32 * shape.size[0],
            Modality.SENSOR: 3 * PARTS * shape.size[0],
        }[shape.modality]
        self.features = _Features(size, settings.offset, settings.unit_length)
        numbers = k * (size + 1) * m
        if numbers > MOST_NUMBERS:
            raise MethodError(
                f"{k} projections of {size + 1} features to {m} numbers are {numbers:,} numbers, "
                f"more than {MOST_NUMBERS:,}. Lower pretext.projections or pretext.size."
            )
        self.register_buffer("projections", torch.randn(k, size + 1, m))
        self.classifier = nn.Sequential(
            nn.Linear(m, 2 * m),
            nn.BatchNorm1d(2 * m),
            nn.LeakyReLU(),
            nn.Linear(2 * m, 4 * m),
            nn.BatchNorm1d(4 * m),
            nn.LeakyReLU(),
            nn.Linear(4 * m, k),
        )
        self.right, self.asked = 0, 0

    def prepare(self, batches: Iterable[Batch]) -> None:
        self.features.learn(self._raw(batch.x) for batch in batches)
        self.right, self.asked = 0, 0

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        b = len(batch.x)
        which = draw.integers(len(self.projections), b, -(-self.settings.pairs // b))  # (b, pairs)
        features = self.features(self._raw(batch.x))
        seen = torch.stack([features[:, None] @ self.projections[k] for k in which.T], 1)[:, :, 0]  # (b, pairs, size)
        answers = self.classifier(seen.flatten(0, 1))
        if self.training:
            self.right += int((answers.argmax(1) == which.flatten()).sum())
            self.asked += len(answers)
        return F.cross_entropy(answers.float(), which.flatten(), reduction="none").view_as(which).mean(1)

    def enough(self, progress: TrainingProgress) -> bool:
        """Whether the accuracy over all training batches so far, each before its own step, exceeds the setting."""
        return progress.step >= self.settings.least_steps and self.right > self.settings.accuracy * self.asked

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        raw = self._raw(x)
        features, chunk = self.features(raw), max(1, PAIRS_AT_A_TIME // max(1, len(x)))
        scores = [self._brier(features, part) for part in torch.arange(len(self.projections)).split(chunk)]
        return torch.cat(scores, 1).mean(1) + self.features.outside(raw)

    def embed(self, x: Tensor) -> Tensor:
        """(b, features): the features before they are limited to the radius, so that distant items stay distant."""
        return self.features.scaled(self._raw(x))

    def _raw(self, x: Tensor) -> Tensor:
        """(b, features), not scaled: the row; a window's statistics; an image's embedding by a pretrained encoder, or
        its pooled values and its embedding by an untrained encoder.
        """
        if self.shape.modality is Modality.TABLE:
            return x
        if self.shape.modality is Modality.SENSOR:
            return _statistics(x)
        if self.encoder.pretrained:
            return self.encoder(x).to(x.dtype)
        return torch.cat([_pooled(x), self.encoder(x).to(x.dtype)], 1)

    def _brier(self, features: Tensor, which: Tensor) -> Tensor:
        """(b, features), (k,) -> (b, k): Brier score after the perturbation."""
        seen = torch.einsum("bd,kdm->bkm", features, self.projections[which])
        seen = seen.flatten(0, 1).to(features.dtype)  # (b * k, size)
        if self.settings.epsilon:
            seen = seen + self.settings.epsilon * self._slope(seen)
        p: Tensor = self.classifier(seen).to(seen.dtype).softmax(1)
        truth = F.one_hot(which.to(p.device), p.shape[1]).to(p.dtype).repeat(len(features), 1)  # (b * k, K)
        return (p - truth).square().sum(1).view(len(features), -1)

    def _slope(self, seen: Tensor) -> Tensor:
        """Gradient of each pair's own cross-entropy for the predicted projection."""
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():  # also where the caller switched gradients off
            start = seen if seen.requires_grad else seen.detach().requires_grad_()
            answers = self.classifier(start).to(start.dtype)
            doubt = F.cross_entropy(answers, answers.argmax(1), reduction="sum")
            (slope,) = torch.autograd.grad(doubt, start, create_graph=wanted)
        return slope


class _Features(nn.Module):
    """Standardise, limit to the radius, append the constant: (b, size) -> (b, size + 1)."""

    centre: Tensor
    spread: Tensor
    radius: Tensor

    def __init__(self, size: int, offset: float, unit_length: bool) -> None:
        super().__init__()
        self.size, self.offset, self.unit_length = size, offset, unit_length
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        self.register_buffer("radius", torch.ones(()))

    def learn(self, chunks: Iterable[Tensor]) -> None:
        """Mean and standard deviation of a sample; the spread is scaled so that the median length is 1."""
        rows = drawn(chunks, SAMPLE).float()
        centre, spread = rows.mean(0), rows.std(0, correction=0)
        spread = torch.where(spread > 1e-6, spread, 1.0)  # a constant feature is only centred
        lengths, last = _length((rows - centre) / spread).sort().values.clamp_min(1e-6), len(rows) - 1
        usual = lengths[round(0.5 * last)]
        self.centre, self.spread, self.radius = centre, spread * usual, lengths[round(WITHIN * last)] / usual

    def scaled(self, raw: Tensor) -> Tensor:
        return (raw - self.centre) / self.spread

    def outside(self, raw: Tensor) -> Tensor:
        """(b,) log(distance / radius); 0 within the radius."""
        return (_length(self.scaled(raw)) / self.radius).clamp_min(1).log()

    def forward(self, raw: Tensor) -> Tensor:
        scaled = self.scaled(raw)
        held = scaled * (self.radius / _length(scaled)).clamp_max(1)[:, None]
        features = F.pad(held, (0, 1), value=self.offset)
        return features / _length(features)[:, None] if self.unit_length else features


def _length(z: Tensor) -> Tensor:
    """(b, features) -> (b,). The root has no gradient at 0."""
    return z.square().sum(1).clamp_min(1e-12).sqrt()


def _pooled(x: Tensor) -> Tensor:
    """(b, channel, y, x) -> (b, values): mean and standard deviation in each of 4 x 4 parts of the image."""
    pool = nn.AdaptiveAvgPool2d(4)
    mean = pool(x)
    deviation = (pool(x.square()) - mean.square()).clamp_min(1e-8).sqrt()
    return torch.cat([mean, deviation], 1).flatten(1)


def _statistics(x: Tensor) -> Tensor:
    """(b, channel, time) -> (b, values): level, spread and roughness of each channel per segment."""
    pool = nn.AdaptiveAvgPool1d(PARTS)
    mean = pool(x)
    deviation = (pool(x.square()) - mean.square()).clamp_min(1e-8).sqrt()
    steps = pool(x.diff(dim=2, prepend=x[:, :, :1]).square()).clamp_min(1e-8).sqrt()  # from sample to sample
    return torch.cat([mean, deviation, steps], 1).flatten(1)
