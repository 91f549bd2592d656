"""Each entry of a row as the normal quantile of its rank among the training rows."""

from typing import Self

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from ad_core.methods.pretext import TensorGroup

MOST_KNOTS = 500


class RankTransform(TensorGroup):
    """(b, entries) -> (b, entries), monotone and piecewise linear.

    Equal values share the middle of their ranks. Beyond the ends the slope is 1, so that extreme values stay extreme.
    """

    knots: Tensor
    values: Tensor

    @classmethod
    def of(cls, x: np.ndarray) -> Self:
        """Learn from (n, entries) rows."""
        columns = [_column(np.sort(np.asarray(column, dtype=np.float64))) for column in x.T]
        size = max(len(knots) for knots, _ in columns)
        ranks = cls()
        # shorter columns are padded with infinite knots
        ranks.put("knots", torch.tensor(np.stack([_filled(k, size, np.inf) for k, _ in columns]), dtype=torch.float32))
        ranks.put("values", torch.tensor(np.stack([_filled(v, size, v[-1]) for _, v in columns]), dtype=torch.float32))
        return ranks

    def forward(self, x: Tensor) -> Tensor:
        low = self.knots[:, 0]
        high = self.knots.masked_fill(self.knots.isinf(), -torch.inf).amax(1)
        inside = torch.minimum(torch.maximum(x, low), high)
        right = torch.searchsorted(self.knots, inside.detach().T.contiguous()).T  # (b, entries)
        right = right.clamp(1, max(1, self.knots.shape[1] - 1))
        left = right - 1
        x0, x1 = self.knots.T.gather(0, left), self.knots.T.gather(0, right.clamp_max(self.knots.shape[1] - 1))
        y0, y1 = self.values.T.gather(0, left), self.values.T.gather(0, right.clamp_max(self.values.shape[1] - 1))
        slope = torch.where(x1 > x0, (y1 - y0) / torch.where(x1 > x0, x1 - x0, 1.0), 0.0)
        return y0 + slope * (inside - x0) + (x - inside)


def _column(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knots and their normal quantiles of a sorted column; a column of one value has one knot."""
    n = len(values)
    knots = np.unique(values)
    knots = knots[np.unique(np.linspace(0, len(knots) - 1, min(len(knots), MOST_KNOTS)).astype(int))]
    left, right = np.searchsorted(values, knots, "left"), np.searchsorted(values, knots, "right")
    quantiles = ndtri(np.clip(((left + right) / 2 + 0.5) / (n + 1), 0.5 / (n + 1), 1 - 0.5 / (n + 1)))
    return knots, quantiles


def _filled(values: np.ndarray, size: int, by: float) -> np.ndarray:
    return np.concatenate([values, np.full(size - len(values), by)])
