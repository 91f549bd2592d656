"""Seasonal naive forecast: the forecast of a sample is the sample one period before."""

import numpy as np
from pydantic import Field
from torch import Tensor

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings
from ad_core.types import Modality

LEAST_ERROR = 0.01
"""Added to a channel's mean squared error [standard deviations squared], to avoid a division by zero."""


class SeasonalNaiveSettings(Settings):
    """Range of the periods."""

    longest: float = Field(
        0.5,
        gt=0,
        le=0.9,
        description="Longest possible period, as a share of the window.",
    )


@REFERENCES.register
class SeasonalNaive(Reference[SeasonalNaiveSettings]):
    """Score = squared difference to one period before, divided by its mean on the training windows; mean over channels
    and samples.

    Each channel's period is the lag with the smallest mean squared difference in the training windows. Without
    periodicity it is one sample, and the forecast is the last value.
    """

    title = "Seasonal naive"
    about = "Forecasts every sample by the sample one period before. The baseline of every forecaster."
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
