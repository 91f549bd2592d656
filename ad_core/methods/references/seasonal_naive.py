"""Seasonal naive forecast: a sample is expected to be what it was one period ago."""

import numpy as np
from pydantic import Field
from torch import Tensor

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings
from ad_core.types import Modality

LEAST_ERROR = 0.01
"""Added to a channel's usual squared error [standard deviations squared]: one that never errs would divide by zero."""


class SeasonalNaiveSettings(Settings):
    """Which periods are tried."""

    longest: float = Field(
        0.5,
        gt=0,
        le=0.9,
        description="Longest period that is tried, as a share of the window.",
    )


@REFERENCES.register
class SeasonalNaive(Reference[SeasonalNaiveSettings]):
    """Score = mean over channels and samples of the squared difference to one period before, by the usual one.

    Each channel's period is the lag with the smallest mean squared difference in the windows learnt from: where nothing
    repeats that is one sample, and the forecast is the last value.
    """

    title = "Seasonal naive"
    about = "Expects every sample to be as it was one period before. What any forecaster has to beat."
    source = "Hyndman and Athanasopoulos 2021, Forecasting: principles and practice, section 5.2"
    modalities = frozenset({Modality.SENSOR})
    Settings = SeasonalNaiveSettings

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:  # noqa: ARG003
        return x.numpy()  # (b, channel, time)

    def fit(self, x: np.ndarray) -> None:
        longest = max(1, int(self.settings.longest * x.shape[2]))
        errors = np.stack([_differences(x, lag).mean(axis=0) for lag in range(1, longest + 1)])  # (lag, channel)
        self.lags = errors.argmin(axis=0) + 1  # (channel,)
        self.usual = errors.min(axis=0) + LEAST_ERROR

    def score(self, x: np.ndarray) -> np.ndarray:
        found = np.zeros((len(x), x.shape[1]))
        for lag in np.unique(self.lags):
            chosen = self.lags == lag
            found[:, chosen] = _differences(x[:, chosen], lag)
        return np.asarray((found / self.usual).mean(axis=1))


def _differences(x: np.ndarray, lag: int) -> np.ndarray:
    """(n, channel, time) -> (n, channel) mean squared difference to `lag` samples before."""
    return np.asarray(np.square(x[..., lag:].astype(np.float64) - x[..., :-lag]).mean(axis=2))
