"""Categories as entries of an item: few levels with one entry each, many by their frequency."""

from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from ad_core.data.limits import EntryLimits, never_changed
from ad_core.data.tables.encoding import MISSING, OTHER, ColumnEncoding
from ad_core.data.tables.known_levels import KnownLevels, sentences
from ad_core.data.tables.values import coded
from ad_core.types import PartKind


class OneHotEncoding(ColumnEncoding):
    """One entry per level, then `(missing)` where that occurred, then `(other)` for new levels: one of them is 1.

    The entries are one block, so argmax over the block gives the level.
    """

    form: Literal["levels"] = "levels"
    levels: tuple[str, ...]
    padded: bool = False
    """Texts had blanks around them among the training rows."""
    part_kind: ClassVar[PartKind] = PartKind.CATEGORY

    @property
    def entries(self) -> int:
        return len(self.block)

    @property
    def block(self) -> tuple[str, ...]:
        """The level that each entry stands for."""
        return (*self.levels, *([MISSING] if self.has_missing else []), OTHER)

    def encode(self, values: pd.Series) -> np.ndarray:
        column = coded(values)
        other, at = self.entries - 1, self.known.positions(column.levels)
        table = np.append(np.where(at < 0, other, at), other - 1 if self.has_missing else other)
        one_hot: np.ndarray = table[column.codes][:, None] == np.arange(self.entries)
        return one_hot.astype(np.float64)

    def limits(self, clip: float) -> list[EntryLimits]:
        found = super().limits(clip)
        if len(self.levels) == 1:  # otherwise only whether a cell is missing varied
            found[-1] = never_changed(clip, -np.inf, 0.5)
        return found

    def decode(self, entries: np.ndarray) -> list[str | float]:
        return [self.block[i] for i in np.asarray(entries).argmax(axis=1)]

    def differences(self, values: pd.Series) -> list[str]:
        return super().differences(values) + sentences(self.name, values, self.known, padded=self.padded)

    @cached_property
    def known(self) -> KnownLevels:
        """The levels of the training rows."""
        return KnownLevels(self.levels)


class FrequencyEncoding(ColumnEncoding):
    """Many levels: the logarithm of how often a row's level occurred among the training rows, as a z-score."""

    form: Literal["frequency"] = "frequency"
    counts: dict[str, int]
    missing: int
    rows: int
    mean: float
    scale: float
    padded: bool = False
    """Texts had blanks around them among the training rows."""

    @property
    def entries(self) -> int:
        return 1

    def encode(self, values: pd.Series) -> np.ndarray:
        column = coded(values)
        of_level = np.array([*self.counts.values(), 0])  # position -1, unknown, takes the last
        counts = np.append(of_level[self.known.positions(column.levels)], self.missing)
        z: np.ndarray = (np.log1p(counts[column.codes]) - self.mean) / self.scale
        return z[:, None]

    def decode(self, entries: np.ndarray) -> list[str | float]:
        count = np.expm1(np.asarray(entries, dtype=np.float64)[:, 0] * self.scale + self.mean)
        share = np.round(count.clip(0, self.rows)) / self.rows
        return [f"a value found in {s:.2g} of the rows" if s > 0 else "a value never seen" for s in share]

    def differences(self, values: pd.Series) -> list[str]:
        return super().differences(values) + sentences(self.name, values, self.known, padded=self.padded)

    @cached_property
    def known(self) -> KnownLevels:
        """The levels of the training rows."""
        return KnownLevels(tuple(self.counts))
