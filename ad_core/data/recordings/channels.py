"""Channels of a recording: how their cells become numbers, and what is learnt about them."""

import re
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.types import JudgedBy

UNIT = re.compile(r"[\[(]\s*([^\[\]()]{1,20}?)\s*[\])]\s*$")
UNCHANGED = 1e-6
"""A channel whose standard deviation is below this share of its largest value counts as constant."""
OFTEN_OUTSIDE = 0.2
"""Minimum share of values outside the range of the training rows for a notice."""


class Channel(BaseModel):
    """What was learnt about one channel."""

    model_config = ConfigDict(frozen=True)

    name: str
    unit: str | None
    level: str | None = None
    """For two-valued text: the value that is 0; the other is 1."""
    other: str | None = None
    """The value that is 1; a new value is 2."""
    mean: float
    scale: float
    low: float
    high: float
    """Smallest and largest value among the training rows."""
    judged_by: JudgedBy | None = None
    """The user's choice of level or shape, None if unset."""

    @property
    def is_constant(self) -> bool:
        """Whether it is constant in the training rows."""
        return self.low == self.high

    def problem(self, data: pd.DataFrame) -> str:
        """Why a new recording does not have this channel, "" if it has."""
        if self.name not in data.columns:
            return f"{self.name!r} is missing"
        known = data[self.name].dropna()
        if self.level is not None or known.empty or np.isfinite(as_numbers(known)).mean() >= 0.5:
            return ""
        return f"{self.name!r} holds no numbers (first value {str(known.iloc[0])[:30]!r})"

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(rows,) float64 in the channel's unit, NaN where missing."""
        if self.level is None:
            return as_numbers(values)
        return _coded(values, self.level, self.other)

    def number(self, value: object) -> float:
        """One cell as `numbers` would read it."""
        if self.level is not None:
            return float(_coded(pd.Series([value], dtype=object), self.level, self.other)[0])
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return float("nan")
        return number if np.isfinite(number) else float("nan")

    def scaled(self, numbers: np.ndarray, clip: float) -> np.ndarray:
        """z-scores within +-clip; 0, the mean, where nothing is known."""
        return z_scores(numbers, self.mean, self.scale, clip)

    def in_units(self, z: np.ndarray) -> np.ndarray:
        """The inverse of `scaled`, within its clipping."""
        return self.mean + self.scale * np.asarray(z, dtype=np.float64)


def learn(name: str, unit: str | None, values: pd.Series, *, as_text: bool) -> Channel | None:
    """Level and scale of a channel; None where there is no value at all.

    A constant channel has its value as the level and its absolute value, at most 1, as the scale: it is zero until it
    changes, and then the change is visible.
    """
    level, other = None, None
    if as_text:
        known = sorted(values.dropna().astype(str).unique())
        level, other = [*known, None, None][:2]
        numbers = _coded(values, level, other) if level is not None else np.full(len(values), np.nan)
    else:
        numbers = as_numbers(values)
    known_numbers = numbers[np.isfinite(numbers)]
    if not len(known_numbers):
        return None
    low, high = float(known_numbers.min()), float(known_numbers.max())
    largest = max(abs(low), abs(high))
    # division first, as squares of values near the largest float would overflow
    spread = float((known_numbers / largest).std()) * largest if largest else 0.0
    if spread > UNCHANGED * largest:
        return Channel(
            name=name,
            unit=unit,
            level=level,
            other=other,
            mean=float((known_numbers / largest).mean()) * largest,
            scale=spread,
            low=low,
            high=high,
        )
    value = float(np.median(known_numbers))
    return Channel(
        name=name,
        unit=unit,
        level=level,
        other=other,
        mean=value,
        scale=min(1.0, abs(value)) or 1.0,
        low=value,
        high=value,
    )


def z_scores(numbers: np.ndarray, mean: float | np.ndarray, scale: float | np.ndarray, clip: float) -> np.ndarray:
    """z-scores, (numbers - mean) / scale, within +-clip; 0, the mean, where nothing is known."""
    z = np.clip((numbers - mean) / scale, -clip, clip)
    return np.where(np.isnan(z), 0.0, z)


def unlike(channels: Sequence[Channel], data: pd.DataFrame, told: Collection[str] = ()) -> list[str]:
    """Sentences about channels that are empty in a new recording, out of range, or have new values.

    Args:
        told: names of channels of whose new values another sentence tells.
    """
    sentences = []
    for channel in channels:
        numbers = channel.numbers(data[channel.name])
        numbers = numbers[np.isfinite(numbers)]
        outside = float(((numbers < channel.low) | (numbers > channel.high)).mean()) if len(numbers) else 0.0
        if not len(numbers):
            sentences.append(f"{channel.name!r} is empty here; it is treated as normal.")
        elif channel.name in told:
            continue
        elif channel.level is not None and outside > 0:
            known = " and ".join(repr(level) for level in (channel.level, channel.other) if level is not None)
            sentences.append(f"{channel.name!r} has values that are not in the training rows, which have {known}.")
        elif outside > OFTEN_OUTSIDE:
            sentences.append(
                f"{channel.name!r}: {outside:.0%} of the values lie outside {channel.low:.6g} to {channel.high:.6g}, "
                f"the range of the training rows."
            )
    return sentences


def as_numbers(values: pd.Series) -> np.ndarray:
    """(rows,) float64, always a copy; texts and infinities become NaN."""
    if (
        isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf"
    ):  # ten times faster, which matters with many columns
        numbers = values.to_numpy().astype(np.float64)
    else:
        parsed = pd.to_numeric(values.astype(object), errors="coerce")
        numbers = parsed.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    numbers[np.isinf(numbers)] = np.nan
    return np.asarray(numbers)


def unit_of(name: str) -> str | None:
    """The unit in a header such as `speed [m/s]` or `p (bar)`."""
    match = UNIT.search(name)
    return match.group(1) if match and match.start() > 0 else None


def some(names: Sequence[str], most: int = 10) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _coded(values: pd.Series, level: str, other: str | None) -> np.ndarray:
    texts = values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
    codes = np.select(
        [texts.isna(), texts == level, texts == other], [np.nan, 0.0, 1.0], 2.0 if other is not None else 1.0
    )
    return codes.astype(np.float64)
