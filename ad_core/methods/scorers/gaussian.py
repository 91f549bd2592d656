"""How unlikely an item's embedding is under one Gaussian of normal items."""

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
    """How many normal items it is fitted on."""

    rows: int = Field(
        50_000, ge=2, le=1_000_000, description="Normal items that it is fitted on at most, drawn at random."
    )


@SCORERS.register
class Gaussian(Scorer):
    """Mahalanobis distance, with the covariance of Ledoit and Wolf.

    Fitted in float64 and kept in float32 as mean and whitening matrix: small eigenvalues survive, and Apple's
    GPUs, which know no float64, can use it.
    """

    title = "Gaussian"
    about = (
        "Distance of the item's embedding from the mean of normal items, in units of their spread in each direction."
    )
    source = "Mahalanobis 1936; covariance: Ledoit and Wolf 2004, A well-conditioned estimator, eq. 14"
    Settings = GaussianSettings
    settings: GaussianSettings

    def __init__(self, settings: GaussianSettings) -> None:
        super().__init__(settings)
        self.normal = TensorGroup()

    def fit(self, task: Pretext, batches: Iterable[Batch]) -> None:
        from sklearn.covariance import ledoit_wolf

        rows = drawn((task.embed(b.x) for b in batches), self.settings.rows)
        z = rows.double().cpu().numpy()
        mean = z.mean(axis=0)
        covariance, _ = ledoit_wolf(z - mean, assume_centered=True)
        floor = 1e-9 * max(np.trace(covariance) / len(covariance), 1e-9)  # a dimension that never varies has no inverse
        variances, directions = np.linalg.eigh(covariance)
        self.normal.put("mean", torch.from_numpy(mean).to(rows))
        self.normal.put("whiten", torch.from_numpy(directions / np.sqrt(variances.clip(floor))).to(rows))

    def forward(self, task: Pretext, x: Tensor, draw: Draw) -> Tensor:  # noqa: ARG002
        whitened = (task.embed(x) - self.normal.mean) @ self.normal.whiten  # type: ignore[operator]  # (b, d)
        return whitened.square().sum(1).clamp_min(1e-12).sqrt()  # (b,); the root has no slope at 0
