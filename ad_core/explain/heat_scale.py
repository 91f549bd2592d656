"""One colour scale for the anomaly maps of all images of a run, fixed by its calibration images.

With its own scale every map would have a highlighted spot, even that of a normal image. On a common scale normal
regions stay transparent: colour means "more anomalous than nearly every region of the calibration images".
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

NEARLY_ALL = 0.999
"""Share of the values of calibration images below `high`."""

FULL = 3.0
"""Colour is full from `low + FULL (high - low)` on."""


class HeatScale(BaseModel):
    """Which values of anomaly maps get which colour."""

    model_config = ConfigDict(frozen=True)

    low: float
    """The median of calibration images."""
    high: float
    """Upper bound of nearly all values of calibration images; colour begins here."""
    images: int
    """Number of calibration images that it is based on."""

    @classmethod
    def of(cls, maps: Iterable[np.ndarray]) -> Self | None:
        """From the (y, x) maps of calibration images, on any grids; None where there are none."""
        values = [np.asarray(one, dtype=np.float64).ravel() for one in maps]
        known = np.concatenate(values) if values else np.zeros(0)
        known = known[np.isfinite(known)]
        if not len(known):
            return None
        low, high = np.quantile(known, [0.5, NEARLY_ALL])
        return cls(low=float(low), high=float(high), images=len(values))

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self | None:
        """From the facts of a run; None for runs without a scale."""
        return cls.model_validate(facts["heat_scale"]) if facts.get("heat_scale") else None

    @property
    def full(self) -> float:
        """From this value on colour is full."""
        return self.high + (FULL - 1) * (self.high - self.low)
