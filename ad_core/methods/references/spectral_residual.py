"""Spectral residual: what in a course is not in its smoothed spectrum."""

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ad_core.methods.reference import REFERENCES, Reference
from ad_core.settings import Settings
from ad_core.types import Modality

SMALLEST = 1e-8
FAINT = 1e-3
"""Amplitudes under this share of a window's mean amplitude count as so much: the logarithm of next to nothing says
nothing.
"""

AT_A_TIME = 256
"""Windows whose spectra are in memory at once, each with a dozen numbers for every sample."""


class SpectralResidualSettings(Settings):
    """How smooth a spectrum is expected to be."""

    smoothed: int = Field(
        3, ge=2, le=50, description="Neighbouring frequencies over which the usual log amplitude is averaged."
    )


@REFERENCES.register
class SpectralResidual(Reference[SpectralResidualSettings]):
    """Score = mean over the channels of the window's salience, each as a multiple of the usual one.

    The salience of a sample is the length of the inverse transform of exp(log amplitude - its local mean) with the
    phase kept; a window counts by how far its largest stands out from its mean. Nothing but the usual salience is
    learnt.
    """

    title = "Spectral residual"
    about = "Looks for samples that stick out of a channel's own spectrum. Finds spikes; blind to slow faults."
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
        """(n, channel) (largest - mean) / mean of the salience over a window; 0 where a channel does not move."""
        parts = [self._of_some(x[begin : begin + AT_A_TIME]) for begin in range(0, len(x), AT_A_TIME)]
        return np.concatenate(parts) if parts else np.zeros(x.shape[:2])

    def _of_some(self, x: np.ndarray) -> np.ndarray:
        course = torch.from_numpy(np.ascontiguousarray(x)).double()
        spectrum = torch.fft.fft(course, dim=2)
        amplitude = spectrum.abs()
        log_amplitude = torch.maximum(amplitude, FAINT * amplitude.mean(2, keepdim=True) + SMALLEST).log()
        width = min(self.settings.smoothed, course.shape[2])
        around = torch.cat(
            [log_amplitude[..., -(width // 2) :], log_amplitude, log_amplitude[..., : (width - 1) // 2]], 2
        )
        residual = log_amplitude - around.unfold(2, width, 1).mean(3)
        salience = torch.fft.ifft(torch.polar(residual.exp(), spectrum.angle()), dim=2).abs()
        mean = salience.mean(2)
        found = (salience.amax(2) - mean) / mean.clamp_min(SMALLEST)
        return np.asarray(torch.where(course.std(2) > SMALLEST, found, 0.0))
