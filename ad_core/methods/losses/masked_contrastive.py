"""Loss of masked contrastive learning: attraction and repulsion between pairs of copies."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_COSINE = 1e-7
"""Lower bound of a cosine: copies that are orthogonal or further apart are not repelled any more."""


@dataclass(frozen=True)
class MaskedContrastiveLoss:
    """The class-conditional mask and the stochastic positive attraction.

    Source: Cho et al. 2021, Masked contrastive learning, IJCAI, arXiv:2105.08793.
    """

    temperature: float
    """Inverse strength of attraction, and of repulsion between classes."""
    beta: float
    """Repulsion of copies of a class that are transformed differently."""
    alpha: float
    """Repulsion of copies of a class that are transformed alike."""
    attraction: float
    """Weight of the attraction of another item of the class."""

    def __call__(self, z: Tensor, cls: Tensor, partner: Tensor, has_one: Tensor) -> Tensor:
        """(b,) loss per item [nat], the mean over its copies.

        Args:
            z: (2, b, R, d) of length 1: two copies of every item after every transformation.
            cls: (b,) class codes, -1 = unknown.
            partner: (b R,) index of the copy of another item of the class, transformed alike, that attracts each copy.
            has_one: (b R,) whether there is such a copy.
        """
        ways, flat = z.shape[2], z.flatten(0, 2)
        half = len(flat) // 2  # the first copies of all items after all transformations, then the second ones
        cosines = (flat @ flat.mT).to(z.dtype).clamp_min(LEAST_COSINE)
        strengths = self._strengths(cls, ways)
        copy = torch.arange(len(flat), device=z.device)
        other = copy.roll(half)
        losses = _missed(cosines, strengths, other)
        partner = torch.cat([partner, partner + half])
        strengths = strengths.clone()
        strengths[copy, other] = 0.0  # neither attracts nor repels
        strengths[copy, partner] = 1 / self.temperature
        attracted = torch.where(
            has_one.repeat(2), _missed(cosines, strengths, partner), 0.0
        )  # without a partner: infinite
        return (losses + self.attraction * attracted).view(2, len(cls), -1).mean((0, 2))

    def _strengths(self, cls: Tensor, ways: int) -> Tensor:
        """(2 b R, 2 b R): factor of the cosine of each pair of copies."""
        way = torch.arange(ways, device=cls.device).repeat(len(cls))
        cls = cls.repeat_interleave(ways)
        differ = (cls[:, None] != cls) & (cls[:, None] >= 0) & (cls >= 0)
        alike = torch.where(way[:, None] == way, self.alpha, self.beta)
        strengths = torch.where(differ, 1 / self.temperature, alike).repeat(2, 2)
        copy = torch.arange(len(strengths), device=cls.device)
        strengths[copy, copy.roll(len(cls))] = 1 / self.temperature
        return strengths


def _missed(cosines: Tensor, strengths: Tensor, target: Tensor) -> Tensor:
    """(n,) cross-entropy of finding the target among all copies except itself."""
    oneself = torch.eye(len(cosines), dtype=torch.bool, device=cosines.device)
    return F.cross_entropy((strengths * cosines).masked_fill(oneself, -torch.inf), target, reduction="none")
