"""What the training recordings showed in each channel: their ranges, and their largest steps between two samples.

A model that learnt several recordings together can expect of one what only another shows, or a course that jumps where
two of its predictions meet. An expected course is therefore kept within what a single recording showed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.data.recordings.channels import Channel
from ad_core.data.recordings.timeline import Timeline

ONLY = ""
"""Stands for the recording where there is only one."""


@dataclass(frozen=True)
class Shown:
    """Ranges and steps of the training recordings, in the channels' units."""

    of: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Recording -> (3, channel): smallest and largest value, and largest step between neighbouring samples; NaN where
    none is known. Empty in bundles of older versions.
    """

    @classmethod
    def learn(cls, dataset: Dataset, line: Timeline, chosen: np.ndarray, channels: tuple[Channel, ...]) -> Self:
        """Of the training samples.

        Args:
            chosen: (samples,) bool.
        """
        rows, segment = line.first[chosen], line.segment[chosen]
        codes, names = line.entity[chosen], [ONLY]
        if "entity" in dataset.rows:
            codes, own = pd.factorize(dataset.rows["entity"].to_numpy()[rows])
            names = [str(name) for name in own]
        follows = (np.diff(segment) == 0) & (np.diff(np.flatnonzero(chosen)) == 1)
        found = np.full((len(names), 3, len(channels)), np.nan)
        for c, channel in enumerate(channels):
            numbers = channel.numbers(dataset.data[channel.name].iloc[rows])
            steps = pd.Series(np.where(follows, np.abs(np.diff(numbers)), np.nan))
            by_recording = pd.Series(numbers).groupby(codes)
            found[:, 0, c], found[:, 1, c] = by_recording.min(), by_recording.max()
            found[:, 2, c] = steps.groupby(codes[1:]).max().reindex(range(len(names)))
        return cls(dict(zip(names, found, strict=True)))

    def within(self, channel: int, values: np.ndarray, entity: str | None, *, steps: float, ranged: bool) -> np.ndarray:
        """(time,) a course as near to these values as one recording's range and steps allow.

        Of a recording that is not among the training recordings, that one is taken that changes the values least.

        Args:
            channel: its position.
            steps: how many training samples lie between two of these values.
            ranged: whether the range counts; not where a model follows the level of each window.
        """
        own = self.of.get(ONLY if entity is None else entity)
        found = [own] if own is not None else list(self.of.values())
        courses = [_course(values, recording[:, channel], steps, ranged) for recording in found]
        return min(courses, key=lambda course: float(np.abs(course - values).sum()), default=values)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All of it as JSON-able facts and arrays."""
        return {"shown": list(self.of)}, {"shown": np.stack(list(self.of.values()))} if self.of else {}

    @classmethod
    def restored(cls, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `state`; bundles of older versions know nothing."""
        return cls(dict(zip(facts.get("shown", []), arrays.get("shown", ()), strict=True)))


def _course(values: np.ndarray, shown: np.ndarray, steps: float, ranged: bool) -> np.ndarray:
    """Values within the range, if it is known and counts, and with no larger step, if one is known."""
    low, high, step = shown
    kept = np.clip(values, low, high) if ranged and np.isfinite(low) else values
    return _without_jumps(kept, step * steps) if np.isfinite(step) else kept


def _without_jumps(values: np.ndarray, step: float) -> np.ndarray:
    """The mean of the lowest course above the values and the highest below them whose steps are at most `step`.

    Both keep that limit, and so does their mean, which stays within the range of the values.
    """
    slope = step * np.arange(len(values))
    highest, lowest = np.maximum.accumulate, np.minimum.accumulate
    above = np.maximum(highest(values + slope) - slope, highest((values - slope)[::-1])[::-1] + slope)
    below = np.minimum(lowest(values - slope) + slope, lowest((values + slope)[::-1])[::-1] - slope)
    return np.asarray((above + below) / 2)
