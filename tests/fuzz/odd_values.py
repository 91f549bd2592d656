"""Frames made odd: cells, columns and rows as people, programs and broken sensors leave them."""

from collections.abc import Callable

import numpy as np
import pandas as pd

LONG = "x" * 140_000
"""More letters than Python's csv module takes in one cell by default."""
CELLS: tuple[object, ...] = (
    *(float("inf"), -float("inf"), 1e308, -1e308, 5e-324, 1e39, 2**53 + 1, 2**63, -(2**63), 10**30, 0, -1, 1),
    *(
        "inf",
        "-inf",
        "nan",
        "NaN",
        "1e400",
        "-1e400",
        "1e5000",
        "1" * 400,
        "0007",
        "0x1F",
        "1_000",
        "1.1.1",
        "1e",
        "e5",
    ),
    *("NULL", "N/A", "?", "-", "--", "+", "", " ", "#DIV/0!", "#REF!", "TRUE", "no", "=1+1", "=HYPERLINK(A1)", "@x"),
    *("1,5", "1.234,5", "1'000", "$1,234.50", "12 %", "20 °C", "<0.1", ">5", "1D+03", "½", "ⅷ", "٣٤", "１２"),
    *("日本", "שלום", "🙂", "a\u0301", "\u200b", "\ufeff", "é" * 300, "\x1a", "\x7f", "\x85", "\u2028", "\x00", LONG),
    *("a\nb", 'say "x"', "it's", "a;b", "a,b", "a\tb", "a|b", None, None, None, True, False, "True"),
    *("2026-02-30", "0000-00-00", "9999-12-31", "24:00", "2026-01-01T00:00:00+25:00", "12:61", "00:00:60"),
)
NAMES = (
    *("", " ", "shop", "amount [EUR]", "time", "label", "id", "class", "score", "note", "row_id", "entity", "index"),
    *("1", "nan", "None", "a" * 3000, "日本", "🙂", "a\nb", 'a"b', "a,b", "<b>x</b>", "$x$", "{x}", "%s", "[m]", "x ["),
    *("x ()", "_x", "__class__", "\u200b", "\ufeffx", "#x", "Time", "SHOP", "shop ", "flow [l/s]", "flow [l/min]"),
    *("column 1", "#2"),
)
Change = Callable[[np.random.Generator, pd.DataFrame], pd.DataFrame]


def made_odd(rng: np.random.Generator, frame: pd.DataFrame, changes: int) -> tuple[pd.DataFrame, list[str]]:
    """A frame after some changes, and their names."""
    names = []
    for name in rng.choice(list(CHANGES), changes):
        if len(frame) and len(frame.columns):
            frame = CHANGES[str(name)](rng, frame)
            names.append(str(name))
    return frame, names


def _any_column(rng: np.random.Generator, frame: pd.DataFrame) -> int:
    return int(rng.integers(len(frame.columns)))


def _with(frame: pd.DataFrame, at: int, column: pd.Series) -> pd.DataFrame:
    """The frame with another column at a position; names may occur twice."""
    parts = [frame.iloc[:, i] if i != at else column.rename(frame.columns[at]) for i in range(len(frame.columns))]
    return pd.concat([part.reset_index(drop=True) for part in parts], axis=1)


def _cells(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    for _ in range(int(rng.integers(1, 6))):
        at = _any_column(rng, frame)
        column = frame.iloc[:, at].astype(object).reset_index(drop=True)
        column[int(rng.integers(len(column)))] = CELLS[rng.integers(len(CELLS))]
        frame = _with(frame, at, column)
    return frame


def _column_of_one(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    cell = CELLS[rng.integers(len(CELLS))]
    if cell is LONG:
        cell = None
    return _with(frame, _any_column(rng, frame), pd.Series([cell] * len(frame), dtype=object))


def _mostly_empty(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    at = _any_column(rng, frame)
    column = frame.iloc[:, at].astype(object).reset_index(drop=True)
    return _with(frame, at, column.where(rng.random(len(frame)) < rng.choice([0.0, 0.1, 0.5, 0.9]), None))


def _extreme(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    at = _any_column(rng, frame)
    column = frame.iloc[:, at].reset_index(drop=True)
    if not pd.api.types.is_numeric_dtype(column):
        return frame
    factor = rng.choice([1e-300, 1e-30, -1.0, 1e6, 1e15, 1e30, 1e300])
    with np.errstate(over="ignore"):
        return _with(frame, at, pd.to_numeric(column).astype(float) * factor)


def _column_dropped(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=frame.columns[_any_column(rng, frame)])


def _column_doubled(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[:, [_any_column(rng, frame)]]], axis=1)


def _columns_reordered(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:, rng.permutation(len(frame.columns))]


def _renamed(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    names = list(frame.columns)
    names[_any_column(rng, frame)] = NAMES[rng.integers(len(NAMES))]
    return frame.set_axis(names, axis=1)


def _column_swapped(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """The values of one column under the name of another one, as after a shift by one cell."""
    at, other = _any_column(rng, frame), _any_column(rng, frame)
    first, second = frame.iloc[:, at], frame.iloc[:, other]
    return _with(_with(frame, at, second), other, first)


def _type_changed(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    at = _any_column(rng, frame)
    column = frame.iloc[:, at].reset_index(drop=True)
    texts = column.map(str)
    units = str(rng.choice([" EUR", " %", " kg", "°C", " ms", "k", ""]))
    match rng.integers(6):
        case 0:
            return _with(frame, at, texts + units)
        case 1:
            return _with(frame, at, pd.Series(pd.factorize(texts)[0]))
        case 2:
            return _with(frame, at, texts.str.upper())
        case 3:
            return _with(frame, at, pd.Series(rng.choice(["yes", "no", "maybe"], len(frame))))
        case 4:
            return _with(frame, at, pd.Series(rng.integers(2, size=len(frame)).astype(bool)))
        case _:
            return _with(frame, at, texts.str.replace(".", ",", regex=False))


def _rows_doubled(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[rng.integers(len(frame), size=len(frame))].reset_index(drop=True)


def _rows_reordered(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)


def _few_rows(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.head(int(rng.choice([0, 1, 2, 5])))


def _empty_row(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.astype(object)
    frame.iloc[int(rng.integers(len(frame)))] = None
    return frame


CHANGES: dict[str, Change] = {
    "odd cells": _cells,
    "more odd cells": _cells,
    "a column of one value": _column_of_one,
    "a column mostly empty": _mostly_empty,
    "extreme numbers": _extreme,
    "a column dropped": _column_dropped,
    "a column doubled": _column_doubled,
    "columns reordered": _columns_reordered,
    "a column renamed": _renamed,
    "two columns swapped": _column_swapped,
    "type changed": _type_changed,
    "rows doubled": _rows_doubled,
    "rows reordered": _rows_reordered,
    "few rows": _few_rows,
    "an empty row": _empty_row,
}
