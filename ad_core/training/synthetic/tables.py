"""Synthetic anomalies of table rows. Whole cells move: all entries of a column together, never the label."""

import numpy as np

from ad_core.training.synthetic.anomaly import SyntheticAnomaly, TrainingItems
from ad_core.types import PartKind

FOREIGN = (0.1, 0.5)
"""Share of the columns that come from other rows."""

TAIL = (1.5, 4.0)
"""How far a number is moved outwards [standard deviations]."""

BETWEEN = (0.3, 0.7)
"""Position on the line from one row to another."""

PLAIN = 2
"""Maximum number of entries of a plain number (with its missing flag); others (text, dates) are not interpolated."""


def _foreign_cells(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
    columns = len(stock.shape.parts.names)
    if columns < 2:
        return None
    count = max(1, round(random.uniform(*FOREIGN) * columns))
    for part in random.choice(columns, min(count, columns - 1), replace=False):
        _paste(x, stock, int(part), random)
    return x


def _tail_shift(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
    numbers = [entries[0] for entries in _numbers(stock) if len(entries) == 1 or x[entries[1]] < 0.5]
    if not numbers:
        return None
    count = max(1, len(numbers) // 10)
    for entry in random.choice(numbers, count, replace=False):
        outwards = 1 if x[entry] >= stock.middle[entry] else -1
        x[entry] += outwards * random.uniform(*TAIL) * stock.spread[entry]
    return x


def _between(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
    """Numbers between this row's and another's, categories from either; the other row is the farthest of five."""
    if not _numbers(stock):
        return None
    others = stock.items[random.integers(len(stock.items), size=5)]
    other = others[np.square(others - x).sum(1).argmax()]
    share = random.uniform(*BETWEEN)
    moved = {tuple(entries) for entries in _numbers(stock)}
    for part in range(len(stock.shape.parts.names)):
        entries = stock.shape.parts.entries(part)
        if tuple(entries) in moved:
            x[entries[0]] += share * (other[entries[0]] - x[entries[0]])
        elif random.random() < share:
            x[entries] = other[entries]
    return x


def _broken_dependency(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
    columns = len(stock.shape.parts.names)
    if columns < 2:
        return None
    for part in range(columns):
        _paste(x, stock, part, random)
    return x


def _anywhere(x: np.ndarray, stock: TrainingItems, random: np.random.Generator) -> np.ndarray | None:
    for part in range(len(stock.shape.parts.names)):
        _paste(x, stock, part, random)
    for entries in _numbers(stock):
        x[entries[0]] = random.uniform(*stock.range[:, entries[0]])
    return x if _numbers(stock) else None


SYNTHETIC_ANOMALIES = (
    SyntheticAnomaly(
        "foreign_cells",
        "Cells from other rows",
        "A tenth to a half of the columns hold the values of other rows: each value is normal, the row is not.",
        _foreign_cells,
    ),
    SyntheticAnomaly(
        "tail_shift",
        "A number far out",
        "One number in ten, at least one, is 1.5 to 4 standard deviations further out than it was.",
        _tail_shift,
    ),
    SyntheticAnomaly(
        "between",
        "Between two rows",
        "All numbers lie between those of two distant rows: a row in the empty space between groups.",
        _between,
    ),
    SyntheticAnomaly(
        "broken_dependency",
        "Broken dependencies",
        "Every column comes from another row: the dependencies between columns are lost.",
        _broken_dependency,
    ),
    SyntheticAnomaly(
        "anywhere",
        "Anywhere in the normal ranges",
        "Every number is uniformly distributed over its column's normal range, independently of the others.",
        _anywhere,
    ),
)
"""The kinds of synthetic anomalies of tables."""


def _paste(x: np.ndarray, stock: TrainingItems, part: int, random: np.random.Generator) -> None:
    """Copy another row's cell; a few rows are tried for a different value."""
    entries = stock.shape.parts.entries(part)
    for _ in range(3):
        cell = stock.items[random.integers(len(stock.items))][entries]
        if not np.array_equal(cell, x[entries]):
            x[entries] = cell
            return


def _numbers(stock: TrainingItems) -> list[list[int]]:
    """Entries of the columns with plain numbers that have more than two values."""
    parts = stock.shape.parts
    every = [parts.entries(part) for part, kind in enumerate(parts.kinds) if kind is PartKind.NUMBER]
    return [entries for entries in every if len(entries) <= PLAIN and stock.levels[entries[0]] > 2]
