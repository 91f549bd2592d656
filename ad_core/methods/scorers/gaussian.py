"""Mahalanobis distance of an item's embedding from those of normal items."""

from collections.abc import Iterable

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ad_core.data.reservoir import drawn
from ad_core.methods.pretext import Pretext, TensorGroup
from ad_core.methods.scorer import SCORERS, Scorer
from ad_core.settings import Settings
from ad_core.types import Batch, Draw


class GaussianSettings(Settings):
    """Number of normal items in the fit."""

    rows: int = Field(
        50_000, ge=2, le=1_000_000, description="Maximum number of normal items in the fit, drawn at random."
    )


@SCORERS.register
class Gaussian(Scorer[GaussianSettings]):
    """Mahalanobis distance, with the covariance of Ledoit and Wolf.

    Fitted in float64, so that small eigenvalues are not lost, and stored in float32 as mean and whitening matrix, since
    Apple's GPUs have no float64.
    """

    title = "Gaussian"
    about = (
        "Distance of the item's embedding from the mean of normal items, in units of their spread in each direction."
    )
    source = "Mahalanobis 1936; covariance: Ledoit and Wolf 2004, A well-conditioned estimator, eq. 14"
    Settings = GaussianSettings

    def __init__(self, settings: GaussianSettings) -> None:
        super().__init__(settings)
        self.normal = _Gaussian()

    def fit(self, task: Pretext, batches: Iterable[Batch]) -> None:
        from sklearn.covariance import ledoit_wolf

        rows = drawn((task.embed(b.x) for b in batches), self.settings.rows)
        z = rows.double().cpu().numpy()
        mean = z.mean(axis=0)
        covariance, _ = ledoit_wolf(z - mean, assume_centered=True)
        floor = 1e-9 * max(np.trace(covariance) / len(covariance), 1e-9)  # for constant dimensions
        variances, directions = np.linalg.eigh(covariance)
        self.normal.put("mean", torch.from_numpy(mean).to(rows))
        self.normal.put("whiten", torch.from_numpy(directions / np.sqrt(variances.clip(floor))).to(rows))

    def forward(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        whitened = (task.embed(x) - self.normal.mean) @ self.normal.whiten  # (b, d)
        return whitened.square().sum(1).clamp_min(1e-12).sqrt()  # (b,); the root has no gradient at 0


class _Gaussian(TensorGroup):
    mean: Tensor
    whiten: Tensor
