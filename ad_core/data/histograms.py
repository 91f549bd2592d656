"""Histograms of the training rows' columns: all that is needed to tell later whether new rows are distributed alike.

They stay with a detector, so that new data can be compared where the training data are not at hand. They hold no row:
numbers and dates as counts in ten bins with the two ends of their range, categories as counts of their levels.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import Column, ColumnKind, Role, Schema
from ad_core.data.tables.date_encoding import seconds_of
from ad_core.data.tables.known_levels import KnownLevels
from ad_core.data.tables.values import coded, date_format, numbers, parse_dates

BINS = 10
MOST_LEVELS = 20
"""Maximum number of levels with a bin of their own, the most frequent ones; the others share one."""
MOST_KEPT = 100_000
"""Maximum number of levels that are kept; of a column with more it is not known which levels are new."""
COMPARED = (ColumnKind.NUMBER, ColumnKind.DATE, ColumnKind.CATEGORY, ColumnKind.BOOLEAN)
BY_LEVEL = (ColumnKind.CATEGORY, ColumnKind.BOOLEAN)
FEW = 20
"""Maximum number of values of a number or a text that hardly changed in training, for them to be compared as levels."""


class ColumnHistogram(BaseModel):
    """The distribution of one column among the training rows."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: ColumnKind
    counts: tuple[int, ...]
    """Training rows in each bin; missing cells are the last one."""
    usual: tuple[int, ...] = ()
    """The same of the training rows that don't score high; empty where that is not known."""
    edges: tuple[float, ...] = ()
    """Numbers and dates [s since 1970]: the inner edges of bins of equal share."""
    low: float | None = None
    high: float | None = None
    """Numbers and dates [s since 1970]: the smallest and the largest value; None where all are missing."""
    levels: tuple[str, ...] = ()
    """Categories and booleans: the levels, the most frequent first."""
    knows_all_levels: bool = True
    as_levels: bool = False
    """A number or a text that hardly changed in training: its values are compared as levels, so a new one is seen."""
    date_format: str | None = None
    """Of dates that are texts, see `values.date_format`."""

    @classmethod
    def of(cls, column: Column, values: pd.Series, usual: np.ndarray | None = None) -> Self:
        """The histogram of a column whose kind is one of COMPARED, or that hardly changed in training.

        Args:
            usual: (rows,) bool: rows that don't score high.
        """
        found = coded(values)
        hardly = len(found.levels) <= (FEW if column.role is Role.WATCHED else 1) and column.kind is not ColumnKind.DATE
        if column.kind in BY_LEVEL or hardly:
            order = np.argsort(-found.counts(), kind="stable")
            own = cls(
                name=column.name,
                kind=column.kind,
                counts=(),
                levels=tuple(found.levels[i] for i in order[:MOST_KEPT]),
                knows_all_levels=len(order) <= MOST_KEPT,
                as_levels=column.kind not in BY_LEVEL,
            )
        else:
            is_text = column.kind is ColumnKind.DATE and not pd.api.types.is_datetime64_any_dtype(values)
            form = date_format(coded(values).levels)[0] if is_text else None
            known = _numbers(column.kind, values, form)
            known = known[~np.isnan(known)]
            inner = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.empty(0)
            ends = (float(known.min()), float(known.max())) if len(known) else (None, None)
            own = cls(
                name=column.name,
                kind=column.kind,
                counts=(),
                edges=tuple(inner.tolist()),
                low=ends[0],
                high=ends[1],
                date_format=form,
            )
        of_usual = () if usual is None else tuple(own.count(values[usual]).tolist())
        return own.model_copy(update={"counts": tuple(own.count(values).tolist()), "usual": of_usual})

    def count(self, values: pd.Series) -> np.ndarray:
        """(bins,) int64: how many values lie in each bin; the last two are other levels and missing cells."""
        if self.by_level:
            found, at = coded(values), self._known.positions
            other = min(len(self.levels), MOST_LEVELS)
            place = at(found.levels)
            bins = np.append(np.where((place < 0) | (place >= other), other, place), other + 1)
            return np.bincount(bins[found.codes], minlength=other + 2)
        known = _numbers(self.kind, values, self.date_format)
        gone_at, edges = np.isnan(known), np.array(self.edges)
        bins = np.where(gone_at, len(edges) + 1, np.searchsorted(edges, np.where(gone_at, 0, known), side="left"))
        return np.bincount(bins, minlength=len(edges) + 2)

    def never_seen(self, values: pd.Series) -> np.ndarray:
        """(rows,) bool: cells whose level no training row has."""
        if not self.by_level or not self.knows_all_levels:
            return np.zeros(len(values), dtype=bool)
        found = coded(values)
        is_new = np.append(self._known.positions(found.levels) < 0, False)
        return np.asarray(is_new[found.codes])

    @property
    def by_level(self) -> bool:
        """Whether values are compared as levels; else as numbers."""
        return self.as_levels or self.kind in BY_LEVEL

    @cached_property
    def _known(self) -> KnownLevels:
        """Another spelling of a level is no other level."""
        return KnownLevels(self.levels, is_truth=self.kind is ColumnKind.BOOLEAN)

    def outside(self, values: pd.Series) -> tuple[int, int]:
        """How many of the known numbers or dates lie outside the range of the training rows, and how many there are."""
        if self.by_level or self.low is None or self.high is None:
            return 0, 0
        new = _numbers(self.kind, values, self.date_format)
        return int(((new < self.low) | (new > self.high)).sum()), int((~np.isnan(new)).sum())


def histograms_of(data: pd.DataFrame, schema: Schema, usual: np.ndarray | None = None) -> tuple[ColumnHistogram, ...]:
    """The histograms of all used columns that can be compared; free text and calendar columns can't.

    Args:
        data: the training rows.
        usual: (rows,) bool: those that don't score high; None = not known.
    """
    return tuple(
        ColumnHistogram.of(column, data[column.name], usual) for column in _compared(schema) if column.name in data
    )


def _compared(schema: Schema) -> Iterable[Column]:
    """The used columns, and those in which only a change counts; free text among these has few values."""
    for column in schema.columns:
        is_few = column.kind in COMPARED or (column.kind is ColumnKind.TEXT and column.distinct <= FEW)
        if (column.role is Role.FEATURE and column.kind in COMPARED) or (column.role is Role.WATCHED and is_few):
            yield column


def _numbers(kind: ColumnKind, values: pd.Series, form: str | None) -> np.ndarray:
    """(rows,) float64, NaN where missing; dates as seconds since 1970."""
    return seconds_of(parse_dates(values, form)) if kind is ColumnKind.DATE else numbers(values)[0]
