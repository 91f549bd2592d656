"""Predict how many columns of a row each of several mixtures contains."""

import math
from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.methods.encoder import Encoder
from ad_core.methods.moments import mean_and_spread
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind, Parts

FAR = 6.0
"""Entries are clipped to this many standard deviations before the network; the excess is added to the score."""

MAGNIFIED = 200
"""Factor of the scales, as in the authors' code: without it the softmax of the scales is nearly uniform."""

WEIGHED_ENTRIES = 50
"""Rows with fewer entries weigh each entry by its correlation with the others; in wider rows each weighs 1."""

FEW_ENTRIES = 10
"""In rows with at most this many entries a subset may contain one twice, so that there are enough subsets."""

GROUPS_A_STEP = 5
"""Maximum number of groups per training step, drawn anew each time; more would cost much and add little."""

MOST_SIZES = 50
"""Maximum number of different sizes of subsets."""


class ScaleOrderSettings(Settings):
    """Number of mixtures that are compared, and size of the network."""

    subsets: int = Field(
        10, ge=2, le=100, description="Number of mixtures of a row per group, which are compared with each other."
    )
    groups: int = Field(20, ge=1, le=100, description="Number of groups of mixtures.")
    size: int = Field(128, ge=2, le=1024, description="Dimensions of a mixture.")
    width: int = Field(100, ge=2, le=4096, description="Units of the hidden layer.")


@PRETEXTS.register
class ScaleOrder(Pretext[ScaleOrderSettings]):
    """Mixtures of a normal row show how many of its columns they contain; those of an anomaly do not.

    A random subset S of the entries goes through a frozen random linear map to `size` numbers; its scale is
    200 / size * sum of w_e over S, with w_e the mean |correlation| of the entry with all entries, scaled to 0..1. A
    network predicts a number per mixture. Loss: Jensen-Shannon divergence [nat] of softmax(predictions) from
    softmax(scales) over the mixtures of a group, mean over the groups. Score: (loss - its mean) / (its standard
    deviation + 0.001), both over the training rows, + the squared excess of entries beyond 6 standard deviations, since
    the divergence is at most log 2.
    """

    title = "Scale order"
    task = "Predict which mixtures of the row contain more of its columns."
    finds = "rows whose columns don't depend on each other as in normal rows"
    misses = "single odd cells in wide tables; rows that deviate only a little"
    source = (
        "Xu et al. 2023, SLAD, Fascinating supervisory signals, ICML, arXiv:2305.16114; loss without its second softmax"
    )
    modalities = frozenset({Modality.TABLE})
    Settings = ScaleOrderSettings
    of_size: Tensor
    subsets: Tensor
    maps: Tensor
    scales: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(self, settings: ScaleOrderSettings, shape: ItemShape, encoder: Encoder) -> None:
        super().__init__(settings, shape, encoder)
        self.head = nn.Linear(encoder.d, 1)
        self.sizes = _sizes(shape.entries)
        of_size = torch.randint(len(self.sizes), (settings.groups, settings.subsets))
        maps = [torch.empty(size, settings.size).uniform_(-1, 1) / size**0.5 for size in self.sizes]
        self.register_buffer("of_size", of_size)
        self.register_buffer("subsets", _drawn_subsets(of_size, self.sizes, shape.entries))
        self.register_buffer("maps", torch.cat(maps))  # one frozen map per size, concatenated
        self.register_buffer("scales", torch.zeros(settings.groups, settings.subsets))
        self.register_buffer("usual", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))

    @classmethod
    def encoder_shape(cls, settings: ScaleOrderSettings, shape: ItemShape) -> ItemShape:
        """A mixture, whose dimensions belong to no column."""
        size: int = settings.size
        names = tuple(f"mixed {i + 1}" for i in range(size))
        parts = Parts(names=names, of_entry=tuple(range(size)), kinds=(PartKind.NUMBER,) * size, units=(None,) * size)
        return shape.model_copy(update={"size": (size,), "parts": parts})

    @classmethod
    def encoder_settings(cls, settings: ScaleOrderSettings, shape: ItemShape) -> dict[str, object]:  # noqa: ARG003
        return {"width": settings.width, "blocks": 0, "dropout": 0.0}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """The scale of each subset."""
        weights = _weights(batches, self.shape.entries).to(self.scales)
        padded = torch.cat([weights, weights.new_zeros(1)])  # unused positions of a subset point behind the last entry
        self.scales = MAGNIFIED / self.settings.size * padded[self.subsets].sum(2)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        """With the same random groups for the whole batch."""
        groups = draw.permutations(self.settings.groups, 1)[0, :GROUPS_A_STEP]
        return self._divergence(batch.x, groups.tolist())

    def finish(self, batches: Iterable[Batch]) -> None:
        """Mean divergence of the training rows and its standard deviation."""
        usual, spread = mean_and_spread(self._divergence(batch.x, self._all_groups) for batch in batches)
        self.usual, self.spread = usual.to(self.usual), spread.to(self.spread)

    def score(self, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        beyond = (x - x.clamp(-FAR, FAR)).square().sum(1)
        return (self._divergence(x, self._all_groups) - self.usual) / (self.spread + 0.001) + beyond

    def embed(self, x: Tensor) -> Tensor:
        """Mean over all mixtures."""
        return torch.stack([self._embedded(x, group).mean(1) for group in self._all_groups]).mean(0)

    @property
    def _all_groups(self) -> list[int]:
        return list(range(self.settings.groups))

    def _divergence(self, x: Tensor, groups: list[int]) -> Tensor:
        """(b,) mean over these groups [nat]."""
        divergences = []
        for group in groups:
            guesses = self.head(self._embedded(x, group))[:, :, 0].to(x.dtype)
            divergences.append(_jensen_shannon(guesses.log_softmax(1), self.scales[group].log_softmax(0)))
        return torch.stack(divergences).mean(0)

    def _embedded(self, x: Tensor, group: int) -> Tensor:
        """(b, subsets, d): the mixtures of a group."""
        x = x.clamp(-FAR, FAR)
        mixtures = []
        for subset, at in zip(self.subsets[group], self.of_size[group].tolist(), strict=True):
            first, size = sum(self.sizes[:at]), self.sizes[at]
            mixtures.append(x[:, subset[:size]] @ self.maps[first : first + size])
        z: Tensor = self.encoder(torch.cat(mixtures)).unflatten(0, (-1, len(x)))
        return z.transpose(0, 1)


def _sizes(entries: int) -> list[int]:
    """Possible sizes of subsets, evenly from 1 to all entries."""
    steps = min(entries, MOST_SIZES) - 1
    return [1 + round(step * (entries - 1) / max(1, steps)) for step in range(steps + 1)]


def _drawn_subsets(of_size: Tensor, sizes: list[int], entries: int) -> Tensor:
    """(groups, subsets, largest size) positions of the entries; `entries` where a subset has no more."""
    subsets = torch.full((of_size.numel(), sizes[-1]), entries)
    for subset, at in zip(subsets, of_size.flatten().tolist(), strict=True):
        size = sizes[at]
        subset[:size] = torch.randint(entries, (size,)) if entries <= FEW_ENTRIES else torch.randperm(entries)[:size]
    return subsets.view(*of_size.shape, -1)


def _weights(batches: Iterable[Batch], entries: int) -> Tensor:
    """(entries,) mean |Pearson correlation| with all entries, scaled to 0..1; all 1 for wide tables."""
    if entries >= WEIGHED_ENTRIES:
        return torch.ones(entries)
    total, products, rows = torch.zeros(entries), torch.zeros(entries, entries), 0
    for batch in batches:
        x = batch.x.cpu().double()
        total, products, rows = total + x.sum(0), products + x.mT @ x, rows + len(x)
    covariance = products / rows - (total / rows)[:, None] * (total / rows)
    spread = covariance.diagonal().clamp_min(0).sqrt()
    varies = spread > 1e-6
    correlation = covariance.abs() / (spread[:, None] * spread).clamp_min(1e-12) * varies * varies[:, None]
    mean = correlation.mean(1)
    span = mean.max() - mean.min()
    return ((mean - mean.min()) / span if span > 1e-6 else torch.ones(entries)).float()


def _jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
    """(b, k), (k,) -> (b,) divergence of two distributions given by their logarithms [nat], at most log 2."""
    log_middle = torch.logaddexp(log_p, log_q.expand_as(log_p)) - math.log(2)
    return ((log_p.exp() * (log_p - log_middle)).sum(1) + (log_q.exp() * (log_q - log_middle)).sum(1)) / 2
