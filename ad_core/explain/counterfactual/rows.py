"""Candidate changes of a table row: columns, to values of the nearest normal rows and to known levels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ad_core.data.dataset import ColumnKind
from ad_core.data.readers.table import Table
from ad_core.data.tables.allowed_values import Allowed
from ad_core.data.tables.calendar_encoding import CalendarEncoding
from ad_core.data.tables.category_encoding import FrequencyEncoding
from ad_core.data.tables.date_encoding import seconds_of
from ad_core.data.tables.encoding import MISSING, OTHER
from ad_core.data.tables.text_encoding import TEXT
from ad_core.data.tables.values import numbers, parse_dates
from ad_core.data.tables.watched_encoding import WatchedEncoding
from ad_core.explain.counterfactual.search import Found, Judge, Move, apply
from ad_core.progress import Report

PER_COLUMN = 16
"""Maximum number of values that are tried per column."""

STEPS, ROUNDS = 16, 2
"""Number of steps between a number's old and new value, and number of rounds of this search."""

DIGITS = (2, 3, 4)
"""Significant digits that are tried for a number, the fewest first."""


@dataclass(frozen=True)
class Columns:
    """The columns of one row, and the encoding of their values as entries of an item."""

    reader: Table
    allowed: dict[str, Allowed]
    row: pd.Series
    """Its cells as in the data."""
    x: Tensor
    """(entries,) its item."""

    def moves(self, donors: Tensor, fixed: Sequence[str]) -> list[Move]:
        """Every value to try, column by column.

        Args:
            donors: (k, entries) normal rows, the nearest first.
            fixed: columns that must stay.
        """
        found: list[Move] = []
        for part, code in enumerate(self.reader.codes):
            if code.name in fixed:
                continue
            entries = self.reader.shape.parts.entries(part)
            cells = self._cells(part, donors[:, entries].numpy())
            own = [self.move(part, cell) for cell in cells]
            found += [move for move in own if self._changes(move)][:PER_COLUMN]
        return found

    def move(self, part: int, cell: Any) -> Move:
        """A column with this value; numbers and dates cost their distance [standard deviations], others 1."""
        entries = self.reader.shape.parts.entries(part)
        values = torch.from_numpy(self.reader.encoded_cells(part, [cell])[0])
        code = self.reader.codes[part]
        is_far = code.kind in (ColumnKind.NUMBER, ColumnKind.DATE) and not pd.isna(self._cell(part))
        is_far &= not isinstance(code, WatchedEncoding)
        cost = float((values[0] - self.x[entries][0]).abs()) if is_far else 1.0
        return Move(code.name, (entries,), values, cost, cell)

    def shrunk(self, found: Found, judge: Judge, report: Report) -> Found:
        """Minimise the change of each number and date while the row stays normal."""
        moves = list(found.moves)
        for i in np.argsort([-move.cost for move in moves], kind="stable"):
            moves[i] = self._taken_back(moves, int(i), judge, report)
        moves = [move for move in moves if self._changes(move)]  # one may be back at its old value
        score = float(judge.scores([apply(self.x, moves)], report)[0])
        return replace(found, moves=tuple(moves), score=score)

    def _changes(self, move: Move) -> bool:
        return not torch.allclose(move.values, self.x[move.at], atol=1e-5)

    def _taken_back(self, moves: Sequence[Move], i: int, judge: Judge, report: Report) -> Move:
        part = self.reader.shape.parts.names.index(moves[i].part)
        origin, goal = self._as_number(part, self._cell(part)), self._as_number(part, moves[i].to)
        if origin is None or goal is None:
            return moves[i]

        def holds(values: Sequence[float]) -> tuple[list[Move], np.ndarray]:
            own = [self.move(part, self._from_number(part, value)) for value in values]
            items = [apply(self.x, [*moves[:i], one, *moves[i + 1 :]]) for one in own]
            return own, judge.normal(items, report)

        near, far, best = origin, goal, moves[i]
        for _ in range(ROUNDS):
            values = np.linspace(near, far, STEPS + 1)[1:-1].tolist()
            own, normal = holds(values)
            kept = len(values) - int(np.argmin(normal[::-1])) if not normal.all() else 0
            if kept < len(values):  # all from there to the goal are normal
                best, far = own[kept], values[kept]
            near = values[kept - 1] if kept else near
        own, normal = holds(self._short(far, goal, part))
        return next((one for one, is_normal in zip(own, normal, strict=True) if is_normal), best)

    def _short(self, value: float, goal: float, part: int) -> list[float]:
        """Numbers with few digits between the value and the goal; none for dates."""
        if self.reader.codes[part].kind is not ColumnKind.NUMBER or value == 0:
            return []
        towards = np.ceil if goal > value else np.floor
        steps = [10.0 ** (np.floor(np.log10(abs(value))) + 1 - digits) for digits in DIGITS]
        found = [float(towards(value / step) * step) for step in steps]
        return [one for one in found if min(value, goal) <= one <= max(value, goal)]

    def _cells(self, part: int, entries: np.ndarray) -> list[Any]:
        """Distinct values of the donors in the user's terms, then the other levels of a category; none missing, unless
        the cells of a watched column are."""
        code, allowed = self.reader.codes[part], self.allowed[self.reader.codes[part].name]
        if isinstance(code, WatchedEncoding):
            return [code.usual]
        if isinstance(code, FrequencyEncoding):
            return _as_frequent(code, entries)
        if isinstance(code, CalendarEncoding):
            moments = dict.fromkeys(code.moments(entries).tolist())
            return [allowed.rounded(one) if code.is_number else allowed.moment(one) for one in moments]
        cells = [cell for cell in code.decode(entries.astype(np.float64)) if cell not in (MISSING, OTHER, TEXT)]
        if code.kind is ColumnKind.NUMBER:
            inside = [allowed.rounded(float(cell)) for cell in cells]
            low, high = allowed.low, allowed.high
            cells = [float(np.clip(cell, low, high)) for cell in inside]
        if code.kind is ColumnKind.DATE:
            cells = [allowed.moment(pd.Timestamp(cell).timestamp()) for cell in cells]
        return list(dict.fromkeys([*cells, *allowed.levels]))

    def _cell(self, part: int) -> Any:
        return self.row.get(self.reader.codes[part].name)

    def _as_number(self, part: int, cell: Any) -> float | None:
        """A number or a date as a float, clipped to the range of the training rows; None for other kinds."""
        code = self.reader.codes[part]
        if isinstance(code, WatchedEncoding):
            return None
        column, allowed = pd.Series([cell], dtype="object").infer_objects(), self.allowed[code.name]
        if code.kind is ColumnKind.NUMBER:
            value = float(numbers(column)[0][0])
        elif code.kind is ColumnKind.DATE:
            value = float(seconds_of(parse_dates(column, allowed.date_format))[0])
        else:
            return None
        return None if np.isnan(value) else float(np.clip(value, allowed.low, allowed.high))

    def _from_number(self, part: int, value: float) -> Any:
        allowed = self.allowed[self.reader.codes[part].name]
        if self.reader.codes[part].kind is ColumnKind.NUMBER:
            return allowed.rounded(value)
        return allowed.moment(value)


def _as_frequent(code: FrequencyEncoding, entries: np.ndarray) -> list[Any]:
    """For each donor a level of the same frequency, as its entry holds the frequency only."""
    counts = np.expm1(entries[:, 0].astype(np.float64) * code.scale + code.mean)
    of_count: dict[int, str] = {}
    for level, count in code.counts.items():
        of_count.setdefault(count, level)
    return [of_count[count] for count in dict.fromkeys(np.round(counts).astype(int).tolist()) if count in of_count]
