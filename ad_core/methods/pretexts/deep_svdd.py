"""Map normal items close to one centre."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import Encoder
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality

FAR = 6.0
"""Entries are clipped to this many standard deviations before the network; the excess is added to the score."""

LEAST_CENTRE = 0.1
"""Least absolute value of the centre's coordinates: a centre at 0 is reached by setting all weights to 0."""


class DeepSvddSettings(Settings):
    """Size of the embedding, and the penalty against a collapse to one point."""

    size: int = Field(32, ge=1, le=1024, description="Numbers that an item is mapped to.")
    least_spread: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Least spread of each of these numbers, as a share of its spread before training.",
    )
    spread_weight: float = Field(
        1.0,
        ge=0,
        le=100,
        description="Weight of the penalty for less spread; 0 = all items may collapse to the centre.",
    )


@PRETEXTS.register
class DeepSvdd(Pretext[DeepSvddSettings]):
    """A network trained to map normal items close to one centre maps anomalies further away.

    The centre c is the mean embedding before training, |c_j| >= 0.1. The source prevents a collapse of all items to c
    by leaving out all biases. That isn't enough for encoders with normalisation layers, which can replace a bias, so a
    lower bound on the spread of each coordinate is added, as in VICReg.

    Loss: |z - c|^2 / sum_j s_j^2 + weight * mean_j max(0, 1 - std_j / (share * s_j)), with std_j over the batch and s_j
    the standard deviation before training. Score: |z - c|^2 / (its mean over the training items) + the
    squared excess of entries beyond 6 standard deviations.
    """

    title = "Compactness"
    task = "Map normal items close to one centre."
    finds = "items that as a whole are unlike the bulk of the others"
    misses = "small local defects; anomalies when normal items form several different groups"
    source = (
        "Ruff et al. 2018, Deep SVDD, ICML, eq. 4 and 5; lower bound on the spread after Bardes et al. 2022, VICReg, "
        "arXiv:2105.04906, eq. 1"
    )
    modalities = frozenset(Modality)
    Settings = DeepSvddSettings
    centre: Tensor
    spread: Tensor
    usual: Tensor

    def __init__(self, settings: DeepSvddSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.head = nn.Linear(encoder.d, settings.size, bias=False)
        self.register_buffer("centre", torch.full((settings.size,), LEAST_CENTRE))
        self.register_buffer("spread", torch.ones(settings.size))
        self.register_buffer("usual", torch.ones(()))

    def prepare(self, batches: Iterable[Batch]) -> None:
        """The centre and the spread around it, as the untrained network maps the items."""
        mean, spread = mean_and_spread(self.embed(batch.x) for batch in batches)
        self.spread = spread.clamp_min(1e-4).to(self.spread)
        least = torch.where(mean < 0, -LEAST_CENTRE, LEAST_CENTRE)
        self.centre = torch.where(mean.abs() < LEAST_CENTRE, least, mean).to(self.centre)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:  # noqa: ARG002
        z = self.embed(batch.x).to(self.centre.dtype)
        distance = (z - self.centre).square().sum(1) / self.spread.square().sum()
        kept = (z.var(0, correction=0) + 1e-8).sqrt() / (self.settings.least_spread * self.spread)
        return distance + self.settings.spread_weight * (1 - kept).clamp_min(0).mean()

    def finish(self, batches: Iterable[Batch]) -> None:
        """The mean squared distance of the training items."""
        usual, _ = mean_and_spread(self._distance(batch.x) for batch in batches)
        self.usual = usual.clamp_min(1e-12).to(self.usual)

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        beyond = (x - x.clamp(-FAR, FAR)).square().flatten(1).sum(1)
        return self._distance(x) / self.usual + beyond

    def embed(self, x: Tensor) -> Tensor:
        z: Tensor = self.head(self.encoder(x.clamp(-FAR, FAR)))  # (b, size)
        return z

    def _distance(self, x: Tensor) -> Tensor:
        """(b,) squared distance to the centre."""
        return (self.embed(x).to(x.dtype) - self.centre).square().sum(1)
