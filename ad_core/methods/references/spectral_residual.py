"""Spectral residual: what of a signal is not in its smoothed spectrum."""

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings
from ad_core.types import Modality

SMALLEST = 1e-8
FAINT = 1e-3
"""Share of a window's mean amplitude that is the least amplitude, since logarithms of smaller ones are meaningless."""

AT_A_TIME = 256
"""Number of windows whose spectra are in memory at once, each with about twelve values per sample."""


class SpectralResidualSettings(Settings):
    """Smoothing of the spectrum."""

    smoothed: int = Field(
        3, ge=2, le=50, description="Number of neighbouring frequencies over which the log amplitude is averaged."
    )


@REFERENCES.register
class SpectralResidual(Reference[SpectralResidualSettings]):
    """Score = the window's salience divided by the median of the training windows; mean over the channels.

    The salience of a sample is the modulus of the inverse transform of exp(log amplitude - its local mean) with the
    original phase; that of a window is (largest - mean) / mean. Only the medians are learnt.
    """

    title = "Spectral residual"
    about = "Finds samples that stand out from a channel's own spectrum, such as spikes; blind to slow faults."
    source = "Ren et al. 2019, Time-series anomaly detection service at Microsoft, eq. 1-6"
    modalities = frozenset({Modality.SENSOR})
    Settings = SpectralResidualSettings

    @classmethod
    def vectors(cls, x: Tensor, modality: Modality) -> np.ndarray:  # noqa: ARG003
        return x.numpy()  # (b, channel, time)

    def fit(self, x: np.ndarray) -> None:
        found = self._standing_out(x)
        self.usual = np.maximum(np.median(found, axis=0), SMALLEST)  # (channel,)

    def score(self, x: np.ndarray) -> np.ndarray:
        return np.asarray((self._standing_out(x) / self.usual).mean(axis=1))

    def _standing_out(self, x: np.ndarray) -> np.ndarray:
        """(n, channel) (largest - mean) / mean of the salience over a window; 0 for a constant channel."""
        parts = [self._of_some(x[begin : begin + AT_A_TIME]) for begin in range(0, len(x), AT_A_TIME)]
        return np.concatenate(parts) if parts else np.zeros(x.shape[:2])

    def _of_some(self, x: np.ndarray) -> np.ndarray:
        signal = torch.from_numpy(np.ascontiguousarray(x)).double()
        spectrum = torch.fft.fft(signal, dim=2)
        amplitude = spectrum.abs()
        log_amplitude = torch.maximum(amplitude, FAINT * amplitude.mean(2, keepdim=True) + SMALLEST).log()
        width = min(self.settings.smoothed, signal.shape[2])
        around = torch.cat(
            [log_amplitude[..., -(width // 2) :], log_amplitude, log_amplitude[..., : (width - 1) // 2]], 2
        )
        residual = log_amplitude - around.unfold(2, width, 1).mean(3)
        salience = torch.fft.ifft(torch.polar(residual.exp(), spectrum.angle()), dim=2).abs()
        mean = salience.mean(2)
        found = (salience.amax(2) - mean) / mean.clamp_min(SMALLEST)
        return np.asarray(torch.where(signal.std(2) > SMALLEST, found, 0.0))
