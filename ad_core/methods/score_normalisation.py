"""Scores of different methods on one scale: their tail probability among normal scores, extrapolated beyond them."""

from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor

from ad_core.methods.pretext import TensorGroup

TAIL = 0.9
"""The tail begins at this quantile."""

MOST_KNOTS = 1000


class TailNormalisation(TensorGroup):
    """From a score to minus the logarithm of its tail probability [nat], monotone and piecewise linear.

    Up to the 90 % quantile u of the normal scores: -log of the share of them that is at least as high. Beyond it:
    -log 0.1 + (score - u) / (mean excess of the normal scores over u), i. e. an exponential tail (the Pareto tail of
    extreme value theory with shape 0). So the values of several methods can be averaged: none dominates by its unit,
    and differences far beyond the normal scores still count.
    """

    knots: Tensor
    values: Tensor

    if TYPE_CHECKING:  # nn.Module declares Any

        def __call__(self, scores: Tensor) -> Tensor: ...

    @classmethod
    def of(cls, usual: np.ndarray) -> Self:
        """Learn from scores of items by models that were not trained on them.

        Args:
            usual: (n,).
        """
        usual = np.sort(np.asarray(usual, dtype=np.float64))
        n, start, spread = len(usual), float(np.quantile(usual, TAIL)), float(usual.std()) or 1.0
        excess = usual[usual > start] - start
        width = max(float(excess.mean()) if len(excess) else 0.1 * spread, 1e-6 * spread)
        within = np.unique(usual[usual < start])
        within = within[np.unique(np.linspace(0, len(within) - 1, min(len(within), MOST_KNOTS)).astype(int))]
        as_high = (n - np.searchsorted(usual, within, side="left") + 0.5) / (n + 1)
        surprise = np.minimum(-np.log(as_high), -np.log(1 - TAIL))
        tail = cls()
        tail.put("knots", torch.from_numpy(np.concatenate([within, [start, start + width]])))
        tail.put("values", torch.from_numpy(np.concatenate([surprise, -np.log(1 - TAIL) + np.array([0.0, 1.0])])))
        return tail.float()

    def forward(self, scores: Tensor) -> Tensor:
        """(b,) -> (b,); constant below the lowest normal score, linear above the last knot."""
        scores = torch.maximum(scores, self.knots[0])
        right = torch.searchsorted(self.knots, scores.detach()).clamp(1, len(self.knots) - 1)
        x0, x1, y0, y1 = self.knots[right - 1], self.knots[right], self.values[right - 1], self.values[right]
        return y0 + (scores - x0) * ((y1 - y0) / (x1 - x0).clamp_min(1e-12))


def surprise_among(scores: np.ndarray) -> np.ndarray:
    """(n,) scores, normalised by themselves."""
    return np.asarray(TailNormalisation.of(scores).double()(torch.from_numpy(np.asarray(scores, dtype=np.float64))))
