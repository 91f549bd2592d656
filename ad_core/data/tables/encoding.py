"""Encoding of one column of a table: cells to entries of an item, and back."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import ColumnKind
from ad_core.data.limits import EntryLimits, far
from ad_core.data.tables.values import coded
from ad_core.types import PartKind

MISSING, OTHER = "(missing)", "(other)"
FIRST = 3
"""Number of cells that a sentence names."""


class ColumnEncoding(BaseModel, ABC):
    """Fitted encoding of one column, which gives `entries` numbers per row."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: ColumnKind
    unit: str | None
    has_missing: bool
    """Cells were missing among the training rows."""
    part_kind: ClassVar[PartKind] = PartKind.NUMBER

    @property
    @abstractmethod
    def entries(self) -> int:
        """Number of entries of an item that belong to this column."""

    @abstractmethod
    def encode(self, values: pd.Series) -> np.ndarray:
        """(rows, entries) float64, finite."""

    @abstractmethod
    def decode(self, entries: np.ndarray) -> list[str | float]:
        """(k, entries), as encoded or as predicted -> k values in the user's own unit."""

    def limits(self, clip: float) -> list[EntryLimits]:
        """The limits of each entry.

        Args:
            clip: distance from the mean beyond which a method sees no difference [standard deviations].
        """
        return [far(clip)] * self.entries

    def bad(self, values: pd.Series) -> np.ndarray:
        """(rows,) bool: cells that are not missing but can't be read as this kind."""
        return np.zeros(len(values), dtype=bool)

    def differences(self, values: pd.Series) -> list[str]:
        """Sentences about how new values differ from the training rows."""
        missing = int(self.without_value(values).sum())
        if self.has_missing or missing == 0:
            return []
        share = missing / len(values)
        amount = f"{share:.0%} of {self.name!r} is"
        if share < 0.01:
            amount = f"{missing} of {len(values)} cells of {self.name!r} {'is' if missing == 1 else 'are'}"
        return [f"{amount} missing; nothing was missing in the training rows."]

    def without_value(self, values: pd.Series) -> np.ndarray:
        """(rows,) bool: cells without a value."""
        return coded(values).missing()

    def unreadable(self, values: pd.Series) -> list[str]:
        """A sentence about cells that can't be read as this kind."""
        at = np.flatnonzero(self.bad(values))
        if not len(at):
            return []
        return [
            f"{len(at)} of {len(values)} cells of {self.name!r} can't be read as a {self.kind}, first in row "
            f"{at[0] + 1} ({str(values.iloc[at[0]])[:40]!r}); they count as missing, and a note at their rows says so."
        ]


def cells_of(values: pd.Series, rows: np.ndarray) -> str:
    """These cells in words: how many rows, and the first of them."""
    shown = ", ".join(f"row {row + 1} ({str(values.iloc[row])[:40]!r})" for row in rows[:FIRST])
    count = "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
    return f"{count}: {shown}{' and more' if len(rows) > FIRST else ''}"


def word(level: str) -> str:
    """Normal form of a boolean's value: 0, 0.0, False and false are the same."""
    text = level.strip().lower()
    return {"false": "0", "true": "1"}.get(text, text)
