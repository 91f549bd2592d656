"""A hint at a repeating pattern in a recording, by autocorrelation."""

import numpy as np

SHORTEST, LONGEST = 8, 4096
"""Range of lags that are searched [samples]."""

HUGE = 1e100
"""Above this, squares of the values overflow."""
CLEAR = 0.3
"""Minimum autocorrelation of a period that is reported."""


def seasonal_period(values: np.ndarray) -> tuple[int, float] | None:
    """The lag of largest autocorrelation of a channel.

    Only true periods count: before the peak, the autocorrelation must have fallen below half of it.

    Args:
        values: (samples,) without NaN, evenly spaced.

    Returns:
        Lag [samples] and autocorrelation (0..1) there; None where nothing repeats.
    """
    longest = min(LONGEST, len(values) // 3)
    if (largest := np.abs(values).max(initial=0.0)) > HUGE:
        values = values / largest
    centred = values - values.mean()
    power = float(centred @ centred)
    if longest <= SHORTEST + 1 or power <= 0:
        return None
    size = 1 << int(2 * len(values) - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), size)[: longest + 2] / power
    inner = correlation[1:-1]
    peaks = np.flatnonzero((inner > correlation[:-2]) & (inner >= correlation[2:])) + 1
    peaks = peaks[(peaks >= SHORTEST) & (correlation[peaks] >= CLEAR)]
    lowest = np.minimum.accumulate(correlation)
    peaks = peaks[lowest[peaks] < correlation[peaks] / 2]
    if not len(peaks):
        return None
    best = int(peaks[np.argmax(correlation[peaks])])
    return best, float(correlation[best])
