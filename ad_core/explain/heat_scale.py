"""One colour scale for the anomaly maps of all images of a run, fixed by its calibration images.

With a scale of its own every map would have a glowing spot, a map of a flawless image too. On a common scale normal
parts stay clear: colour means "more unusual than nearly every part of the calibration images".
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

NEARLY_ALL = 0.999
"""So large a share of the values of calibration images lies under `high`."""

FULL = 3.0
"""Colour is full where a value lies so many times as far above `low` as `high` does."""


class HeatScale(BaseModel):
    """Which values of anomaly maps get which colour."""

    model_config = ConfigDict(frozen=True)

    low: float
    """The median: what is usual."""
    high: float
    """What nearly all parts of calibration images stay under; colour begins here."""
    images: int
    """How many calibration images it was made of."""

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
        """As a run keeps it; None for runs that have none."""
        return cls.model_validate(facts["heat_scale"]) if facts.get("heat_scale") else None

    @property
    def full(self) -> float:
        """From this value on colour is full."""
        return self.high + (FULL - 1) * (self.high - self.low)
