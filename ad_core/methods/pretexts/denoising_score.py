"""Predict how much noise was added to a row."""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import softplus

from ad_core.methods.encoder import Encoder
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind


class DenoisingScoreSettings(Settings):
    """Largest noise level, and size of the network."""

    largest_level: float = Field(
        2.5,
        ge=0.1,
        le=30,
        description="Noise levels in training run from 0 to this; the unit is the spread of a column.",
    )
    width: int = Field(96, ge=2, le=4096, description="Units per layer of the network.")


@PRETEXTS.register
class DenoisingScore(Pretext[DenoisingScoreSettings]):
    """An anomalous row looks like a normal row with noise; the predicted noise level is its score.

    A level s is drawn uniformly from 0 to the largest. Entries with more than two values get normal noise of s standard
    deviations. In a two-valued entry noise would be obvious, so a column of such entries only takes its values from a
    random row of the batch, with probability s / largest level; missing flags are not changed.

    The network predicts s = r * softplus(net(x / r)), r^2 = 1 + mean_j x_j^2. For standard normal data s is
    proportional to r, so rows far from all others get levels beyond those of training.
    Loss: squared error of the level. Score: the level predicted for the unchanged row [standard deviations].
    """

    title = "Noise level"
    task = "Predict how much noise was added to the row."
    finds = "rows far from all normal rows in many columns at once"
    misses = "a single odd cell in a wide table; rare combinations of common categories"
    source = (
        "Livernoche et al. 2024, On diffusion modeling for anomaly detection, ICLR, arXiv:2305.18593: diffusion time "
        "estimation; here a regression of the level, by variance-exploding noise"
    )
    modalities = frozenset({Modality.TABLE})
    Settings = DenoisingScoreSettings
    owner: Tensor
    noisy: Tensor
    exchanged: Tensor

    def __init__(self, settings: DenoisingScoreSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        parts = shape.parts
        self.head = nn.Linear(encoder.d, 1)
        is_category = torch.tensor([parts.kinds[part] is PartKind.CATEGORY for part in parts.of_entry])
        self.register_buffer("owner", torch.tensor(parts.of_entry), persistent=False)
        self.register_buffer("exchanged", is_category)
        self.register_buffer("noisy", ~is_category)

    @classmethod
    def encoder_settings(cls, settings: DenoisingScoreSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Which entries have more than two values, and which columns have no such entry."""
        entries = self.shape.entries
        low, high = (torch.full((entries,), end, device=self.owner.device) for end in (torch.inf, -torch.inf))
        for batch in batches:
            low, high = torch.minimum(low, batch.x.amin(0)), torch.maximum(high, batch.x.amax(0))
        self.noisy = torch.zeros_like(self.noisy)
        for batch in batches:
            self.noisy |= ((batch.x > low) & (batch.x < high)).any(0)
        has_noise = torch.zeros(len(self.shape.parts.names), device=self.owner.device)
        has_noise = has_noise.index_add(0, self.owner, self.noisy.to(has_noise.dtype))
        self.exchanged = has_noise[self.owner] == 0

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        level = self.settings.largest_level * draw.uniform(len(batch.x), 1).to(batch.x.dtype)
        return (self._guess(self._corrupted(batch.x, level, draw)) - level[:, 0]).square()

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        return self._guess(x)

    def embed(self, x: Tensor) -> Tensor:
        return self.encoder(x / _reach(x))

    def _corrupted(self, x: Tensor, level: Tensor, draw: Draw) -> Tensor:
        """(b, entries), (b, 1) -> (b, entries)."""
        b, columns = len(x), len(self.shape.parts.names)
        noise = draw.normal(b, x.shape[1]).to(x.dtype) * self.noisy
        swap = draw.bernoulli(level / self.settings.largest_level, b, columns)[:, self.owner] & self.exchanged
        other = x[draw.integers(b, b, columns)[:, self.owner], torch.arange(x.shape[1], device=x.device)]
        return torch.where(swap, other, x + level * noise)

    def _guess(self, x: Tensor) -> Tensor:
        """(b,) noise level."""
        return _reach(x)[:, 0] * softplus(self.head(self.embed(x)).to(x.dtype))[:, 0]


def _reach(x: Tensor) -> Tensor:
    """(b, 1): r of the class docstring; 1 at the mean, larger far from it."""
    return (1 + x.square().mean(1, keepdim=True)).sqrt()
