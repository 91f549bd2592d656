"""Columns that nothing can be learnt from, because they never or hardly ever changed in training: any change counts.

Such a column is constant, empty, or nearly empty. Its entry is 0 where a cell holds what the training rows held, and
where it is empty; else by how much it differs. A column is only watched if normal rows are unlikely to bring a new
value: the chance is estimated by the share of training rows whose value occurs once (Good 1953, Biometrika 40, eq. 9).
A date that is later than all those of the training rows is no change, as time moves on.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd

from ad_core.data.dataset import Column, ColumnKind
from ad_core.data.limits import NEW_AT_MOST, EntryLimits, never_changed
from ad_core.data.tables.date_encoding import seconds_of
from ad_core.data.tables.encoding import MISSING, ColumnEncoding, cells_of
from ad_core.data.tables.known_levels import KnownLevels
from ad_core.data.tables.values import coded, known_of, numbers, parse_dates

MOST_LEVELS = 1000
"""Maximum number of distinct values that are kept; a column with more is watched by its range, or not at all."""

SAME = 1e-6
"""Numbers that differ by no more than this share are the same; whole numbers must be equal."""

DAY = 86_400.0


class WatchedEncoding(ColumnEncoding):
    """0 where nothing has changed; else the size of the change: of numbers relative to those of the training rows, of
    dates in ranges of the training rows, 1 for other values.
    """

    form: Literal["watched"] = "watched"
    levels: tuple[str, ...]
    """The values of the training rows, the most frequent first, as text; of numbers and dates only if they are few."""
    low: float | None = None
    high: float | None = None
    """Range of numbers, or of dates [seconds since 1970]; None where all cells were empty or hold neither."""
    empty: float
    """Share of the training rows whose cell is empty."""
    date_format: str | None = None

    @property
    def entries(self) -> int:
        return 1

    @property
    def usual(self) -> str | float | None:
        """The value that most training rows have; None = empty."""
        if self.empty >= 0.5 or not self.levels:
            return None
        return float(self.levels[0]) if self.kind is ColumnKind.NUMBER else self.levels[0]

    def limits(self, clip: float) -> list[EntryLimits]:
        return [never_changed(clip)]

    def encode(self, values: pd.Series) -> np.ndarray:
        column = coded(values)
        if self.kind is ColumnKind.DATE and self.low is not None:
            size = self._earlier(values)
        elif self.low is not None or not self.levels:
            size = self.farther(numbers(values)[0])
        else:
            known = KnownLevels(self.levels, is_truth=self.kind is ColumnKind.BOOLEAN)
            size = np.append(known.positions(column.levels) < 0, False).astype(np.float64)[column.codes]
        size = np.where(np.isnan(size), 1.0, size)  # a cell that is neither a number nor a date
        return np.where(column.missing(), 0.0, size)[:, None]

    def decode(self, entries: np.ndarray) -> list[str | float]:
        return [MISSING if self.usual is None else self.usual] * len(entries)

    def differences(self, values: pd.Series) -> list[str]:
        changed = np.flatnonzero(self.encode(values)[:, 0])
        sentences = [] if self.empty else super().differences(values)
        if not len(changed):
            return sentences
        return [
            *sentences,
            f"{self.name!r} {self.held}. Another value, which raises the score, is in {cells_of(values, changed)}.",
        ]

    @property
    def held(self) -> str:
        """What the training rows held, as the end of a sentence."""
        if not self.levels and self.low is None:
            return "is empty in all training rows"
        if self.empty:
            return f"is empty in {self.empty:.1%} of the training rows"
        if len(self.levels) != 1:
            return f"holds {len(self.levels) or 'only certain'} values in the training rows"
        return (
            f"is {float(self.levels[0]):.10g} in all training rows"
            if self._is_number
            else (f"is {self.levels[0]!r} in all training rows")
        )

    @property
    def _is_number(self) -> bool:
        return self.kind is ColumnKind.NUMBER and self.low is not None

    def farther(self, parsed: np.ndarray) -> np.ndarray:
        """(rows,) numbers -> distance to the nearest value of the training rows, or to their range where their values
        are not few, as a share of the largest; NaN where nothing is known.
        """
        if self.low is None or self.high is None:
            return np.asarray(1 + np.abs(parsed))
        scale = max(abs(self.low), abs(self.high)) or 1.0
        held = np.array(sorted(float(level) for level in self.levels) or [self.low, self.high])
        after = np.clip(np.searchsorted(held, parsed), 1, max(1, len(held) - 1)) % len(held)
        nearest = np.where(parsed - held[after - 1] < held[after] - parsed, held[after - 1], held[after])
        with np.errstate(over="ignore"):
            size = (parsed - nearest) / scale
        same = np.where(nearest % 1 == 0, np.minimum(SAME * np.abs(nearest), 0.4), SAME * scale)
        inside = (parsed >= self.low) & (parsed <= self.high) & (not self.levels)
        return np.where(inside | (np.abs(parsed - nearest) <= np.maximum(same, 1e-12 * scale)), 0.0, size)

    def _earlier(self, values: pd.Series) -> np.ndarray:
        """(rows,) by how much a date is earlier than all those of the training rows [ranges]; NaN where it is none."""
        seconds = seconds_of(parse_dates(values, self.date_format))
        low, high = self.low or 0.0, self.high or 0.0
        return np.asarray(np.maximum(low - seconds, 0.0) / max(high - low, DAY))


def learn_watched(column: Column, values: pd.Series, form: str | None) -> WatchedEncoding | None:
    """Fit to the training rows; None where normal rows are likely to bring a new value, as in a column of remarks.

    Args:
        form: format of dates that are texts, see `values.date_format`.
    """
    rows, gone = max(len(values), 1), float(coded(values).missing().mean())
    facts = {"name": column.name, "unit": column.unit, "has_missing": gone > 0, "empty": gone}
    if column.kind is ColumnKind.DATE:
        known = seconds_of(parse_dates(values, form))
        known = known[~np.isnan(known)]
        if len(known):
            ends = {"low": float(known.min()), "high": float(known.max())}
            return WatchedEncoding(**facts, kind=column.kind, levels=coded(values).levels[:1], date_format=form, **ends)
    if column.kind is ColumnKind.NUMBER:
        known, counts = np.unique(known_of(numbers(values)[0]), return_counts=True)
        if len(known):
            levels = tuple(repr(float(known[i])) for i in _few(counts, rows))
            ends = {"low": float(known[0]), "high": float(known[-1])}
            return WatchedEncoding(**facts, kind=column.kind, levels=levels, **ends)
    held = coded(values)
    chosen = _few(held.counts(), rows)
    if len(held.levels) and not len(chosen):
        return None
    kind = ColumnKind.CATEGORY if column.kind in (ColumnKind.NUMBER, ColumnKind.DATE) else column.kind
    return WatchedEncoding(**facts, kind=kind, levels=tuple(held.levels[i] for i in chosen))


def novelty(columns: Iterable[pd.Series]) -> float:
    """Share of rows that are the only one to differ in a column: as often a new row will be the first to differ in a
    column that is constant so far (leave-one-out, Good 1953).

    Args:
        columns: of the training rows.
    """
    rows, single = 0, set[int]()
    for values in columns:
        rows, head = len(values), values.iloc[:3]
        same = [value for i, value in enumerate(head) if pd.isna(value) or value in head.tolist()[i + 1 :]]
        if same:
            differs = values.notna() if pd.isna(same[0]) else values != same[0]
            single |= set(np.flatnonzero(differs).tolist()) if differs.sum() == 1 else set()
    return len(single) / max(rows, 1)


def _few(counts: np.ndarray, rows: int) -> np.ndarray:
    """Positions of the values, the most frequent first; none where a new value would be no surprise."""
    if len(counts) > MOST_LEVELS or (counts == 1).sum() > max(1.0, NEW_AT_MOST * rows):
        return np.zeros(0, dtype=np.int64)
    return np.argsort(-counts, kind="stable")
