"""Which of the known levels of a column a value is: the same text, or another spelling of it.

A file that writes `North` for `north` holds no new value. So a text that is no known level counts as the known level
that differs from it only in case, in blanks, in how its accents are composed, or by a `.0`; of true or false, also by
the word: yes, true, on and 1 are the same. Where two known levels differ only in that, both keep their own spelling and
any other is unknown. What was taken as the same is said: see `sentences`.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ad_core.data.tables.values import coded, is_marker, level_text

TRUE = ("1", "true", "yes", "y", "t", "on")
FALSE = ("0", "false", "no", "n", "f", "off")
SHOWN = 3
"""Maximum number of values that a sentence lists."""
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


def folded(level: str) -> str:
    """Normal form of a level: all its spellings have the same."""
    text = unicodedata.normalize("NFC", " ".join(level.split()).casefold())
    whole = _WHOLE.fullmatch(text)
    return whole.group(1) if whole else text


@dataclass(frozen=True)
class KnownLevels:
    """The levels of the training rows, and which of them a text is."""

    levels: tuple[str, ...]
    is_truth: bool = False
    """Whether the levels are the two words of true or false."""

    def positions(self, levels: Iterable[str]) -> np.ndarray:
        """(k,) int64: the position of each among the known levels, -1 where it is unknown."""
        return np.array([self.position(level) for level in levels], dtype=np.int64)

    def position(self, level: str) -> int:
        """The position of one among the known levels, -1 where it is unknown."""
        for text in (level, level.strip()):
            if (at := self._exact.get(text)) is not None:
                return at
        return self._alike.get(folded(level), -1)

    @cached_property
    def _exact(self) -> dict[str, int]:
        return {level: at for at, level in enumerate(self.levels)}

    @cached_property
    def _alike(self) -> dict[str, int]:
        """Normal form -> position, -1 where several levels have it."""
        alike: dict[str, int] = {}
        for level, at in self._exact.items():
            form = folded(level)
            alike[form] = -1 if form in alike else at
        return alike | self._words(alike) if self.is_truth else alike

    def _words(self, alike: dict[str, int]) -> dict[str, int]:
        """The other words for the known level that says true, and for the one that says false."""
        others: dict[str, int] = {}
        for words in (TRUE, FALSE):
            known = [alike[word] for word in words if alike.get(word, -1) >= 0]
            others |= dict.fromkeys(words, known[0]) if len(known) == 1 else {}
        return others


def unknown_sentence(name: str, counts: dict[str, int]) -> list[str]:
    """A sentence about values that are not in the training rows, with the number of rows of each."""
    if not counts:
        return []
    most = sorted(counts, key=lambda level: -counts[level])
    return [
        f"{name!r} has values that were not in the training rows: {_some([repr(level) for level in most])} "
        f"({sum(counts.values())} rows)."
    ]


def sentences(name: str, values: pd.Series, known: KnownLevels, *, padded: bool = False) -> list[str]:
    """Sentences about values that are unknown, and about other spellings of known ones that are taken as the same.

    Args:
        padded: blanks around a value are usual, as the training rows had them too.
    """
    column = coded(values)
    unknown = {
        level: int(count)
        for level, count, at in zip(column.levels, column.counts(), known.positions(column.levels), strict=True)
        if at < 0
    }
    return unknown_sentence(name, unknown) + spelling_sentences(name, values, known, padded=padded)


def spellings(values: pd.Series, known: KnownLevels, *, padded: bool = False) -> dict[str, int]:
    """Texts that are other spellings of known levels, with the number of rows of each."""
    codes, uniques = pd.factorize(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(uniques))
    found: dict[str, int] = {}
    for value, count in zip(uniques, counts, strict=True):
        level = level_text(value)
        text = value if isinstance(value, str) and not padded else level
        at = -1 if is_marker(level) else known.position(text)
        if at >= 0 and text != known.levels[at]:
            found[text] = found.get(text, 0) + int(count)
    return found


def has_blanks(values: pd.Series) -> bool:
    """Whether any text has blanks around it."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return False
    return any(isinstance(value, str) and value != value.strip() for value in pd.unique(values))


def spelling_sentences(name: str, values: pd.Series, known: KnownLevels, *, padded: bool = False) -> list[str]:
    """A sentence about other spellings of known values that are taken as the same; see `sentences`."""
    counts = spellings(values, known, padded=padded)
    if not counts:
        return []
    most = sorted(counts, key=lambda text: -counts[text])
    pairs = [f"{text!r} as {known.levels[known.position(text)]!r}" for text in most]
    return [
        f"{name!r} has other spellings of known values, which are taken as the same: {_some(pairs)} "
        f"({sum(counts.values())} rows)."
    ]


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:SHOWN]) + (f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else "")
