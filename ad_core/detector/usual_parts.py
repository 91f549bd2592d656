"""What a channel's part of the score usually is, and how far any channel rises in normal windows by chance."""

from dataclasses import dataclass
from typing import Self

import numpy as np

QUANTILE = 0.99

NORMAL_QUARTILES, NORMAL_QUANTILE = 1.349, 2.326
"""Standard deviations of a normal distribution between its quartiles, and from its median to `QUANTILE`."""

CHANCE = 0.05
"""Maximum probability with which some channel rises as far in normal windows, for one that is said to lead."""


@dataclass(frozen=True)
class UsualParts:
    """Learnt from normal windows; a signal is a channel's part of the score over time.

    Most methods' parts are squared errors, of which a few standard deviations would be thousands; so deviations are
    those of the roots.
    """

    levels: np.ndarray
    """(channel,) 99 % quantile of each signal."""
    typical: np.ndarray | None = None
    """(channel,) the median of its root; None in bundles of older versions, which can't be tested against chance."""
    spread: np.ndarray | None = None
    """(channel,) the root's robust standard deviation: by the quartiles, or the 99 % quantile where that gives more."""
    highest: np.ndarray | None = None
    """(windows,) the largest deviation of any channel in each normal window."""

    @classmethod
    def of(cls, signals: np.ndarray, starts: np.ndarray, span: int) -> Self:
        """From (samples, channel) signals, NaN where not known, and the first samples of the windows in them."""
        levels = np.asarray(np.nanquantile(signals, QUANTILE, axis=0))
        low, typical, high, top = np.nanquantile(_root(signals), [0.25, 0.5, 0.75, QUANTILE], axis=0)
        spread = np.maximum((high - low) / NORMAL_QUARTILES, (top - typical) / NORMAL_QUANTILE)
        found = cls(levels, typical, np.maximum(spread, 1e-12), np.zeros(0))
        deviations = found.deviations(signals)
        highest = [np.nanmax(deviations[start : start + span]) for start in starts]
        return cls(levels, typical, found.spread, np.array(highest))

    def deviations(self, signals: np.ndarray) -> np.ndarray:
        """(samples, channel): by how many robust standard deviations each signal exceeds its median; NaN where that
        is not known.
        """
        if self.typical is None or self.spread is None:
            return np.full(signals.shape, np.nan)
        return np.asarray((_root(signals) - self.typical) / self.spread)

    def chance(self, deviation: float, windows: float) -> float:
        """Probability that some channel deviates as far in normal data as long as this number of windows; NaN where
        that is not known.

        As the largest of all channels is compared, it holds for all of them together (Westfall and Young 1993).
        """
        if self.highest is None:
            return float("nan")
        of_one = (1 + int((self.highest >= deviation).sum())) / (1 + len(self.highest))
        return float(1 - (1 - of_one) ** max(1.0, windows))

    def fits(self, channels: int) -> bool:
        """Whether there is one value for each channel, and a test where there is a spread."""
        known = [value for value in (self.levels, self.typical, self.spread) if value is not None]
        has_test = self.highest is not None and self.highest.ndim == 1 and len(self.highest) > 0
        return all(value.shape == (channels,) for value in known) and len(known) == (3 if has_test else 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """For a bundle."""
        own = {"levels": self.levels, "typical": self.typical, "spread": self.spread, "highest": self.highest}
        return {name: value for name, value in own.items() if value is not None}


def _root(signals: np.ndarray) -> np.ndarray:
    """The square root, with the sign of the value."""
    return np.asarray(np.sign(signals) * np.sqrt(np.abs(signals)))
