"""Mahalanobis distance of a row to its nearest training rows."""

from typing import Self

import numpy as np
import torch
from torch import Tensor

from ad_core.methods.nearest_neighbours import NeighbourDistances
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import TensorGroup
from ad_core.methods.principal_directions import PrincipalDirections

AT_A_TIME = 128
"""Number of rows whose covariances are in memory at once."""

WIDE, DIRECTIONS = 130, 64
"""Rows with more entries than `WIDE` are projected onto this number of leading directions: a covariance of few rows
has no more information.
"""


class LocalMahalanobis(TensorGroup):
    """(b, entries) -> (b,) Mahalanobis distance to the k nearest training rows, without the row itself.

    Entries are compared as arcsinh((x - median) / width), standardised; width = (90 % - 10 % quantile) / 2.56. This
    compresses heavy tails and keeps their order. The local covariance is shrunk: 0.9 S + (0.1 trace(S) / d + 0.01) I.
    """

    middle: Tensor
    width: Tensor
    mean: Tensor
    scale: Tensor
    bank: Tensor

    def __init__(self, neighbours: int = 64) -> None:
        super().__init__()
        self.neighbours = neighbours

    @classmethod
    def of(cls, x: np.ndarray, seed: int) -> Self:
        """With these (n, entries) rows, compressed, as the bank."""
        rows = np.asarray(x, dtype=np.float64)
        low, middle, high = np.quantile(rows, [0.1, 0.5, 0.9], axis=0)
        width, spread = (high - low) / 2.56, rows.std(axis=0)
        width = np.where(width < 0.05 * spread, spread, width)
        width = np.where(width > 0, width, 1.0)
        bent = np.arcsinh((rows - middle) / width)
        scale = bent.std(axis=0)
        values = {
            "middle": middle,
            "width": width,
            "mean": bent.mean(axis=0),
            "scale": np.where(scale > 1e-9, scale, 1.0),
        }
        if x.shape[1] > WIDE and (
            turn := PrincipalDirections((bent - values["mean"]) / values["scale"], DIRECTIONS, seed).turn
        ):
            values["directions"] = turn.components_
        member = cls()
        for name, value in values.items():
            member.put(name, torch.from_numpy(np.asarray(value, dtype=np.float32)))
        member.put("bank", member._bent(torch.from_numpy(np.asarray(x, dtype=np.float32))))
        return member

    @property
    def k(self) -> int:
        """Number of nearest rows: at most a quarter of the bank."""
        return max(1, min(self.neighbours, len(self.bank) // 4))

    def forward(self, x: Tensor, originals: SourceItems | None = None) -> Tensor:
        pieces = self._bent(x).split(AT_A_TIME)
        if originals is None:
            return torch.cat([self._distances(piece) for piece in pieces])
        made_of = originals.seen(self._bent).split(AT_A_TIME)
        return torch.cat([self._distances(*both) for both in zip(pieces, made_of, strict=True)])

    def _bent(self, x: Tensor) -> Tensor:
        bent = (torch.asinh((x - self.middle) / self.width) - self.mean) / self.scale
        directions = self._buffers.get("directions")
        return bent if directions is None else bent @ directions.T

    def _distances(self, z: Tensor, originals: SourceItems | None = None) -> Tensor:
        d = z.shape[1]
        _, at = NeighbourDistances(z, self.bank, originals).nearest(self.k)
        near = self.bank[at]  # (b, k, d)
        mean = near.mean(1)
        away = near - mean[:, None]
        covariance = away.transpose(1, 2) @ away / at.shape[1]
        ridge = 0.1 * covariance.diagonal(dim1=1, dim2=2).mean(1) + 0.01
        covariance = 0.9 * covariance + ridge[:, None, None] * torch.eye(d, dtype=z.dtype, device=z.device)
        offset = z - mean
        squared: Tensor = (offset * torch.linalg.solve(covariance, offset)).sum(1)
        return squared.clamp_min(1e-12).sqrt()
