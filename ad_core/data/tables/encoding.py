"""What is learnt of one column of a table, so that its cells become entries of an item and back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import ColumnKind
from ad_core.data.tables.values import coded
from ad_core.types import PartKind

MISSING, OTHER = "(missing)", "(other)"


class ColumnEncoding(BaseModel, ABC):
    """What was learnt of one column. `entries` many numbers per row stand for it."""

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
        """How many entries of an item are this column's."""

    @abstractmethod
    def encode(self, values: pd.Series) -> np.ndarray:
        """(rows, entries) float64, finite."""

    @abstractmethod
    def decode(self, entries: np.ndarray) -> list[str | float]:
        """(k, entries), as encoded or as predicted -> k values in the user's own unit."""

    def bad(self, values: pd.Series) -> np.ndarray:
        """(rows,) bool: cells that are there but can't be read as this kind."""
        return np.zeros(len(values), dtype=bool)

    def differences(self, values: pd.Series) -> list[str]:
        """Sentences about how new values differ from those that taught."""
        missing = float(values.isna().mean())
        if self.has_missing or missing == 0:
            return []
        return [f"{missing:.0%} of {self.name!r} is missing; nothing was missing in the training rows."]


def word(level: str) -> str:
    """How a boolean's value is compared: 0, 0.0, False and false are one."""
    text = level.strip().lower()
    return {"false": "0", "true": "1"}.get(text, text)


def unseen(name: str, values: pd.Series, known: Iterable[str]) -> list[str]:
    """A sentence about levels that were not there."""
    column = coded(values)
    seen = {word(level) for level in known}
    counts = {level: int(n) for level, n in zip(column.levels, column.counts(), strict=True) if word(level) not in seen}
    if not counts:
        return []
    most = sorted(counts, key=lambda level: -counts[level])
    shown = ", ".join(repr(level) for level in most[:3]) + (f" and {len(most) - 3} more" if len(most) > 3 else "")
    return [f"{name!r} has values that were not in the training rows: {shown} ({sum(counts.values())} rows)."]
