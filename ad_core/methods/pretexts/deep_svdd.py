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
"""The network sees entries clipped to so many standard deviations; the rest counts by itself."""

LEAST_CENTRE = 0.1
"""No coordinate of the centre is nearer to 0: a network reaches 0 too easily, by weights of 0."""


class DeepSvddSettings(Settings):
    """Size of the embedding, and what keeps it from shrinking to a point."""

    size: int = Field(32, ge=1, le=1024, description="Numbers that an item is mapped to.")
    least_spread: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Spread that each of these numbers has to keep, as a share of its spread before training.",
    )
    spread_weight: float = Field(
        1.0, ge=0, le=100, description="Weight of keeping that spread; 0 = every item may end up at the centre."
    )


@PRETEXTS.register
class DeepSvdd(Pretext):
    """A network that has learnt to map normal items close to one centre maps others elsewhere.

    The centre c is the mean embedding before training, |c_j| >= 0.1. The source keeps the network from mapping
    everything to c by leaving out all biases. That isn't enough for encoders that normalise their layers (a normalised
    layer can make up for a bias), so a floor under the spread of each coordinate is added, as in VICReg.

    Loss: |z - c|^2 / sum_j s_j^2 + weight * mean_j max(0, 1 - std_j / (share * s_j)), with std_j over the batch and s_j
    the standard deviation before training. Score: |z - c|^2 / (its mean over the training items) + the squares of
    what lies beyond 6 standard deviations.
    """

    title = "Compactness"
    asks = "How close to the centre can you map me?"
    finds = "items that as a whole are unlike the bulk of the others"
    misses = "small local defects; anomalies when normal items form several different groups"
    source = (
        "Ruff et al. 2018, Deep SVDD, ICML, eq. 4 and 5; floor under the spread after Bardes et al. 2022, VICReg, "
        "arXiv:2105.04906, eq. 1"
    )
    modalities = frozenset(Modality)
    Settings = DeepSvddSettings
    settings: DeepSvddSettings
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
        """The centre, and the spread around it that the untrained network gives."""
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
        """The usual squared distance."""
        usual, _ = mean_and_spread(self._distance(batch.x) for batch in batches)
        self.usual = usual.clamp_min(1e-12).to(self.usual)

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        beyond = (x - x.clamp(-FAR, FAR)).square().flatten(1).sum(1)
        return self._distance(x) / self.usual + beyond

    def embed(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x.clamp(-FAR, FAR)))  # type: ignore[no-any-return]  # (b, size)

    def _distance(self, x: Tensor) -> Tensor:
        """(b,) squared distance to the centre."""
        return (self.embed(x).to(x.dtype) - self.centre).square().sum(1)
