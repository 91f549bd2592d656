"""Channels of a recording: how their cells become numbers, and what is learnt about them."""

import re
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.tables.known_levels import KnownLevels, spelling_sentences
from ad_core.data.tables.values import level_text
from ad_core.types import JudgedBy

UNIT = re.compile(r"[\[(]\s*([^\[\]()]{1,20}?)\s*[\])]\s*$")
SWITCH = KnownLevels(("0", "1"), is_truth=True)
"""Words for off and on."""
HEAD = 1000
"""Number of rows that are looked at first for any value."""
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
    is_command: bool = False
    """Numbers or true and false: only 0 and 1 among the training rows; a text that is neither is 2. In bundles of older
    versions no channel is marked, and such a text counts as missing."""
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
        if self.level is not None or known.empty or np.isfinite(self.numbers(known)).mean() >= 0.5:
            return ""
        return f"{self.name!r} holds no numbers (first value {str(known.iloc[0])[:30]!r})"

    def numbers(self, values: pd.Series) -> np.ndarray:
        """(rows,) float64 in the channel's unit, NaN where missing."""
        if self.level is not None:
            return _coded(values, self.known)
        return _with_words(values, 2.0 if self.is_command else np.nan)

    def has_value(self, values: pd.Series) -> bool:
        """Whether any cell is known."""
        head = self.numbers(values.iloc[:HEAD])
        return bool(np.isfinite(head).any() or np.isfinite(self.numbers(values.iloc[HEAD:])).any())

    @cached_property
    def known(self) -> KnownLevels:
        """Of two-valued text: its values."""
        return KnownLevels(tuple(level for level in (self.level, self.other) if level is not None), is_truth=True)

    def number(self, value: object) -> float:
        """One cell as `numbers` would read it."""
        if self.level is not None:
            return float(_coded(pd.Series([value], dtype=object), self.known)[0])
        if isinstance(value, str):
            return float(self.numbers(pd.Series([value], dtype=object))[0])
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
        levels = KnownLevels(tuple(known[:2]), is_truth=True)
        numbers = _coded(values, levels) if known else np.full(len(values), np.nan)
    else:
        numbers = as_numbers(values)
    known_numbers = numbers[np.isfinite(numbers)]
    if not len(known_numbers):
        return None
    low, high = float(known_numbers.min()), float(known_numbers.max())
    is_command = not as_text and bool(np.isin(known_numbers, (0.0, 1.0)).all())
    largest = max(abs(low), abs(high))
    # division first, as squares of values near the largest float would overflow
    spread = float((known_numbers / largest).std()) * largest if largest else 0.0
    if spread > UNCHANGED * largest:
        return Channel(
            name=name,
            unit=unit,
            level=level,
            other=other,
            is_command=is_command,
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
        is_command=is_command,
        mean=value,
        scale=min(1.0, abs(value)) or 1.0,
        low=value,
        high=value,
    )


def z_scores(numbers: np.ndarray, mean: float | np.ndarray, scale: float | np.ndarray, clip: float) -> np.ndarray:
    """z-scores, (numbers - mean) / scale, within +-clip; 0, the mean, where nothing is known."""
    with np.errstate(over="ignore"):  # an overflow gives infinity, which is clipped
        z = np.clip((numbers - mean) / scale, -clip, clip)
    return np.where(np.isnan(z), 0.0, z)


def unlike(
    channels: Sequence[Channel], data: pd.DataFrame, shared: Collection[str] = (), told: Collection[str] = ()
) -> list[str]:
    """Sentences about channels that are empty in a new recording, out of range, or have new or other spelt values.

    Args:
        shared: names of constant channels that share one of an item.
        told: names of channels of whose new values another sentence tells.
    """
    sentences = []
    for channel in channels:
        numbers = channel.numbers(data[channel.name])
        numbers = numbers[np.isfinite(numbers)]
        outside = float(((numbers < channel.low) | (numbers > channel.high)).mean()) if len(numbers) else 0.0
        if not len(numbers):
            how = "counts as unchanged" if channel.name in shared else "is filled in from similar training windows"
            sentences.append(f"{channel.name!r} is empty here; it {how}, and only the other channels are scored.")
        elif channel.name in told:
            continue
        elif channel.level is not None or channel.is_command:
            sentences += _told_values(channel, data[channel.name])
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


def _coded(values: pd.Series, known: KnownLevels) -> np.ndarray:
    """(rows,) float64: 0 or 1 for the known texts, the next number for any other, NaN where missing."""
    codes, uniques = pd.factorize(values)
    at = known.positions(map(str, uniques))
    return np.asarray(np.append(np.where(at < 0, len(known.levels), at), np.nan)[codes], dtype=np.float64)


def _with_words(values: pd.Series, unknown: float) -> np.ndarray:
    """As `as_numbers`, with the words for true and false as 1 and 0, and `unknown` for any other text."""
    numbers = as_numbers(values)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return numbers
    at_text = np.flatnonzero(np.isnan(numbers) & values.notna().to_numpy())
    codes, texts = pd.factorize(values.iloc[at_text].astype(str))
    known = SWITCH.positions(texts)
    is_infinite = np.array(
        [text.strip().lower().lstrip("+-") in ("inf", "infinity", "nan") for text in texts], dtype=bool
    )
    of_text = np.where(known < 0, np.where(is_infinite, np.nan, unknown), known)
    numbers[at_text] = of_text[codes]
    return numbers


def _told_values(channel: Channel, values: pd.Series) -> list[str]:
    """Sentences about the values of a channel with two: unknown ones, and other spellings of known ones."""
    known = channel.known if channel.level is not None else SWITCH
    numbers = channel.numbers(values)
    new = np.isfinite(numbers) & ((numbers > channel.high) | (numbers < channel.low))
    told = []
    if new.any():
        texts = [repr(level_text(value)) for value in pd.unique(values[new])]
        have = " and ".join(map(repr, known.levels)) if channel.level is not None else _range_of(channel)
        told.append(
            f"{channel.name!r} has values that are not in the training rows, which have {have}: {some(texts, 3)} "
            f"({int(new.sum())} rows)."
        )
    is_text = not pd.api.types.is_numeric_dtype(values)
    return told + (spelling_sentences(channel.name, values, known) if is_text else [])


def _range_of(channel: Channel) -> str:
    return f"{channel.low:g}" if channel.low == channel.high else f"{channel.low:g} and {channel.high:g}"
