"""Distance of a window's subsequences to the nearest subsequences of the training recordings."""

from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from ad_core.methods.nearest_neighbours import NeighbourDistances
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import TensorGroup

STEPS = 16
"""Number of means per channel that represent a subsequence; faster changes are ignored."""

BANK = 3000
"""Maximum number of subsequences in the bank, evenly spaced in time."""

NEIGHBOURS = 5

RIDGE = 0.01
"""Share of the mean variance that is added to every direction before whitening, so that directions without variance
don't dominate.
"""

AT_A_TIME = 2048
"""Number of subsequences that are compared with the bank at once."""


class SubsequenceNeighbours(TensorGroup):
    """(b, channel, time) -> (b, time): mean distance of the subsequences that cover a sample to the bank.

    Source: nearest neighbours of subsequences (Yankov et al. 2008, Disk aware discord discovery); whitened: the same in
    the units of the Mahalanobis distance.

    Args:
        span: length of a subsequence [samples], a multiple of `STEPS`, or shorter than it.
        whitened: whether distances are divided by the spread of each direction of the bank.
    """

    bank: Tensor
    centred: Tensor
    mean: Tensor
    turn: Tensor

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, x: Tensor, originals: SourceItems | None = None) -> Tensor: ...

    def __init__(self, span: int, whitened: bool) -> None:
        super().__init__()
        self.span, self.whitened = span, whitened

    @classmethod
    def of(cls, windows: Tensor, centred: Tensor, span: int, whitened: bool) -> Self:
        """With the subsequences of some windows as the bank.

        Args:
            windows: (n, channel, time), in order of time.
            centred: (channel,) bool: channels that are compared by shape: each subsequence minus its own mean.
        """
        member = cls(span, whitened)
        member.put("centred", centred)
        found = member.vectors(windows)  # (n k, d)
        bank = found[kept(len(found))].double()
        mean, turn = bank.mean(0), torch.ones(0, dtype=torch.float64)
        if whitened:
            variance, directions = torch.linalg.eigh((bank - mean).T @ (bank - mean) / len(bank))
            variance = variance.clamp_min(0)
            turn = directions / (variance + RIDGE * variance.mean().clamp_min(1e-12)).sqrt()
            bank = (bank - mean) @ turn
        for name, value in (("mean", mean), ("turn", turn), ("bank", bank)):
            member.put(name, value.float())
        return member

    def forward(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:
        starts, parts = self._starts(x.shape[2]), self._compared(x).split(AT_A_TIME)
        made_of = [None] * len(parts) if originals is None else originals.seen(self._compared).split(AT_A_TIME)
        near = [
            NeighbourDistances(part, self.bank, own).mean_distance(NEIGHBOURS)
            for part, own in zip(parts, made_of, strict=True)
        ]
        return _over(torch.cat(near).view(len(x), len(starts)), starts, min(self.span, x.shape[2]), x.shape[2])

    def _compared(self, x: Tensor) -> Tensor:
        """(b k, d) the subsequences of each window, whitened if the bank is."""
        vectors = self.vectors(x)
        return (vectors - self.mean) @ self.turn if self.whitened else vectors

    @property
    def entries(self) -> int:
        """Number of entries of a subsequence."""
        return self.bank.shape[1]

    def nearest(self, x: Tensor) -> Tensor:
        """(b, k, channel, time) the nearest windows of the bank, for a detector without whitening whose span is the
        window; channels that are compared by shape are shifted to the window's own level.
        """
        _, at = NeighbourDistances(self.vectors(x), self.bank).nearest(NEIGHBOURS)
        return self.shown(x, at)

    def shown(self, x: Tensor, at: Tensor) -> Tensor:
        """(b, k, channel, time) the windows at these (b, k) positions of the bank, as `nearest` returns them."""
        found = self.bank[at].view(len(x), -1, x.shape[1], self.bank.shape[1] // x.shape[1])
        level = x.mean(2, keepdim=True) * self.centred[:, None]
        smooth = torch.nn.functional.interpolate(found.flatten(0, 1), x.shape[2], mode="linear", align_corners=False)
        return smooth.view(*found.shape[:3], -1) + level[:, None]

    def vectors(self, x: Tensor) -> Tensor:
        """(b k, d) the subsequences of each window, which overlap by half, one after another."""
        span = min(self.span, x.shape[2])
        starts = self._starts(x.shape[2])
        found = torch.stack([x[:, :, start : start + span] for start in starts], 1)  # (b, k, channel, span)
        steps = torch.nn.functional.adaptive_avg_pool1d(found.flatten(0, 1), min(STEPS, span))
        steps = steps - steps.mean(2, keepdim=True) * self.centred[:, None]
        return steps.flatten(1)

    def _starts(self, time: int) -> list[int]:
        """Start of each subsequence in a window."""
        span = min(self.span, time)
        return [*range(0, time - span, max(1, span // 2)), time - span]


def kept(found: int) -> Tensor:
    """Positions of the subsequences that are kept in the bank, among those found."""
    return torch.linspace(0, found - 1, min(BANK, found)).long()


def _over(scores: Tensor, starts: list[int], span: int, time: int) -> Tensor:
    """(b, k) -> (b, time): mean over the subsequences that cover each sample."""
    cover = scores.new_zeros(len(starts), time)
    for k, start in enumerate(starts):
        cover[k, start : start + span] = 1
    return scores @ (cover / cover.sum(0))
