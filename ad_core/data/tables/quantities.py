"""Columns of numbers that are written with signs, currencies, marks, units or bounds become numbers with one unit."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ad_core.data.files.quantity import Quantity, quantity
from ad_core.data.files.reading import Reading
from ad_core.data.files.units import MULTIPLES, conversion, unit
from ad_core.data.recordings.schema_inference import TIME_ENDINGS, TIME_NAMES
from ad_core.data.tables.values import Coded, coded

MOSTLY = 0.9
"""Minimum share of the cells that are numbers; the others stay as they are written, and are no numbers."""
TESTED = 1000
"""Number of cells that decide whether a whole column is looked at."""
_CLOCK = re.compile(r"\d{1,2}:\d{2}:\d{2}(\.\d+)?")
_CODE_NAME = re.compile(
    r"(?i)code|seat|room|gate|model|type|class|grade|sku|plate|lot|batch|house|version|(^|[ _])(id|no|nr)$"
)
_BLANK = "[ \u00a0\u202f]"
_NOTATIONS = {
    (".", ","): r"(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d*)?|\.\d+",
    (",", "."): r"(\d+|[1-9]\d{0,2}(\.\d{3})+)(,\d*)?|,\d+",
    (".", " "): rf"[1-9]\d{{0,2}}({_BLANK}\d{{3}})*(\.\d*)?|\d+(\.\d*)?",
    (",", " "): rf"[1-9]\d{{0,2}}({_BLANK}\d{{3}})*(,\d*)?|\d+(,\d*)?",
    (".", "'"): r"[1-9]\d{0,2}(['’]\d{3})*(\.\d*)?|\d+(\.\d*)?",
}
"""Decimal and thousands mark -> the digits of a number without sign and exponent."""
_THOUSANDS = {",": ",", ".": r"\.", " ": _BLANK, "'": "['’]"}


@dataclass(frozen=True)
class Numbers:
    """One column, read as numbers."""

    values: pd.Series
    """float64; or texts, where some cells are no numbers: those are as written."""
    unit: str = ""
    example: str = ""
    """How its cells are written; "" where the column was not changed."""
    sentences: list[str] = field(default_factory=list)


def with_numbers(frame: pd.DataFrame, reading: Reading, source: str) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """The frame with its columns of written quantities as numbers, the units of these, and what to say of it."""
    read: dict[str, Numbers] = {}
    has_dates = any(pd.api.types.is_datetime64_any_dtype(dtype) for dtype in frame.dtypes)
    for name, values in frame.items():
        is_text = isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype) or values.dtype == object
        if is_text and str(name) not in reading.texts:
            found = read_numbers(values, source, is_known=str(name) in reading.numbers, has_dates=has_dates)
            if found is not None:
                read[str(name)] = found
    changed = {name: one for name, one in read.items() if one.example}
    said = [sentence for one in read.values() for sentence in one.sentences]
    if changed:
        shown = [f"{name!r}" + (f" [{one.unit}]" if one.unit else "") for name, one in changed.items()]
        more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
        first = next(iter(changed.values())).example
        said.insert(
            0,
            f"Cells written with signs or units, such as {first!r} in {source}, were read as numbers: "
            f"{', '.join(shown[:10])}{more}.",
        )
        frame = frame.assign(**{name: one.values for name, one in changed.items()})
    return frame, {name: one.unit for name, one in changed.items() if one.unit}, said


def read_numbers(values: pd.Series, source: str, *, is_known: bool = False, has_dates: bool = False) -> Numbers | None:
    """A column of texts as numbers; None where most of its cells are no numbers, or all that are can be read as such.

    Args:
        is_known: it is known to hold numbers, so the share of its cells that can be read does not matter.
        has_dates: there are dates beside it, so clocks are times, not durations.
    """
    if not _may_be_numbers(values, is_known=is_known):
        return None
    column, name = coded(values), str(values.name)
    parsed = [quantity(level) for level in column.levels]
    counts = column.counts()
    written = [(level, cell) for level, cell in zip(column.levels, parsed, strict=True) if cell]
    if _too_few([cell is None for cell in parsed], counts, is_known=is_known):
        return None
    marked = next((level for level, _ in written if not _is_float(level)), "")
    cells = [cell for _, cell in written]
    if not marked or _is_time_of_day(column.levels, name, has_dates=has_dates) or _is_code(name, cells):
        return None
    notation = _notation(cells)
    if notation is None:
        either = f"{name!r} in {source} has cells such as {marked!r}"
        return Numbers(values, sentences=[f"{either}, whose decimal mark is not certain: they were kept as text."])
    chosen, votes = _unit(name, parsed, counts)
    numbers = np.array([_number(cell, notation, chosen) if cell else np.nan for cell in parsed])
    if _too_few(np.isnan(numbers), counts, is_known=is_known):
        return Numbers(values, sentences=[f"{name!r} in {source} mixes units ({', '.join(votes)}): kept as text."])
    found = _sentences(name, column, parsed, chosen, votes)
    return Numbers(_series(values, column, numbers), chosen, marked, found)


def _may_be_numbers(values: pd.Series, *, is_known: bool) -> bool:
    """A quick look at some of the cells."""
    known = values.dropna()
    some = known.iloc[np.unique(np.linspace(0, len(known) - 1, min(len(known), TESTED)).astype(int))]
    hits = sum(quantity(str(cell)) is not None for cell in some)
    return hits > 0 and (is_known or hits >= 0.5 * len(some))


def _too_few(odd: Sequence[bool] | np.ndarray, counts: np.ndarray, *, is_known: bool) -> bool:
    return not is_known and counts[np.asarray(odd, dtype=bool)].sum() > (1 - MOSTLY) * counts.sum()


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _is_time_of_day(levels: Sequence[str], name: str, *, has_dates: bool) -> bool:
    """Clocks beside dates, or in a column of that name, are times, not durations."""
    is_named = TIME_NAMES.match(name) or TIME_ENDINGS.search(name) or re.search(r"(?i)clock|uhrzeit|hour", name)
    return bool(is_named or has_dates) and any(_CLOCK.fullmatch(level) for level in levels[:20])


def _is_code(name: str, cells: Sequence[Quantity]) -> bool:
    """Whole numbers with one letter directly behind them, in a column whose name says that they are codes."""
    like_codes = all(cell.core.isdigit() and len(cell.suffix) == 1 and cell.suffix.isalpha() for cell in cells)
    return like_codes and not any(cell.gap for cell in cells) and bool(_CODE_NAME.search(name))


def _notation(cells: Sequence[Quantity]) -> tuple[str, str] | None:
    """Decimal and thousands mark that all cells allow; None where two readings give different numbers."""
    cores = sorted({cell.core for cell in cells})
    fitting = [marks for marks, form in _NOTATIONS.items() if all(re.fullmatch(form, core) for core in cores)]
    if len({tuple(_plain(core, marks) for core in cores) for marks in fitting}) == 1:
        return fitting[0]
    if fitting[:1] == [(".", ",")] and not any("," in core for core in cores):
        return fitting[0]  # a point alone is a decimal point, as in numbers without a unit
    if fitting and all(cell.currency for cell in cells if not cell.core.isdigit()):
        return fitting[0]  # prices have no three decimals
    return None


def _plain(core: str, notation: tuple[str, str], power: str = "") -> float:
    decimal, thousands = notation
    return float(re.sub(_THOUSANDS[thousands], "", core).replace(decimal, ".") + power.replace("d", "e"))


def _unit(name: str, parsed: Sequence[Quantity | None], counts: np.ndarray) -> tuple[str, list[str]]:
    """The unit of most cells, "" for none; and all units, the most frequent first."""
    votes: Counter[str] = Counter()
    suffixes = {cell.suffix for cell in parsed if cell and cell.suffix and not cell.currency}
    only_multiples = suffixes <= set(MULTIPLES) and not _is_kelvin(name, parsed, suffixes)
    for cell, n in zip(parsed, counts, strict=True):
        text = (cell.currency or ("" if only_multiples else cell.suffix)) if cell else ""
        known = unit(text) if text else None
        if known is not None:
            votes[known.symbol] += int(n)
    ranked = [symbol for symbol, _ in votes.most_common()]
    return (ranked[0] if ranked else ""), ranked


def _is_kelvin(name: str, parsed: Sequence[Quantity | None], suffixes: set[str]) -> bool:
    """K is the kelvin where it stands alone behind a blank, or the column is a temperature."""
    spaced = all(cell.gap for cell in parsed if cell and cell.suffix)
    return suffixes == {"K"} and (spaced or bool(re.search(r"(?i)temp|kelvin|\[k\]|\(k\)", name)))


def _number(cell: Quantity, notation: tuple[str, str], chosen: str) -> float:
    """A cell in the column's unit; NaN where it has another one that can't be converted."""
    number = _plain(cell.core, notation, cell.power)
    number = -number if cell.negative else number
    if cell.currency:
        known = unit(cell.currency)
        by = MULTIPLES.get(cell.suffix) if cell.suffix else 1.0
        return number * by if by and known and known.symbol == chosen else float("nan")
    if not cell.suffix:
        return number
    own = unit(cell.suffix)
    if own is not None and chosen and (change := conversion(own.symbol, chosen)):
        return number * change[0] + change[1]
    multiple = MULTIPLES.get(cell.suffix)
    return float("nan") if multiple is None or chosen else number * multiple


def _series(values: pd.Series, column: Coded, numbers: np.ndarray) -> pd.Series:
    """The numbers of a column's cells; texts, where some cells are none."""
    odd = np.isnan(numbers)
    if not odd[np.unique(column.codes[column.codes >= 0])].any():
        return pd.Series(np.append(numbers, np.nan)[column.codes], index=values.index, name=values.name)
    texts = [text if o else repr(float(n)) for text, n, o in zip(column.levels, numbers, odd, strict=True)]
    cells = np.array([*texts, None], dtype=object)[column.codes]
    return pd.Series(cells, index=values.index, name=values.name, dtype="str")


def _sentences(
    name: str, column: Coded, parsed: Sequence[Quantity | None], chosen: str, votes: Sequence[str]
) -> list[str]:
    """What to say about some of the cells."""
    said = []
    counts = column.counts()
    if len(votes) > 1:
        others = [symbol for symbol in votes[1:] if conversion(symbol, chosen)]
        if others:
            said.append(f"{name!r} is in {chosen}; cells in {', '.join(others)} were converted.")
    bare = [cell is not None and not (cell.suffix or cell.currency) for cell in parsed]
    if chosen and (n := int(counts[np.array(bare)].sum())):
        said.append(f"Cells of {name!r} without a unit ({n}) were taken as {chosen}.")
    for bound, what in (("<", "below detection"), (">", "above the range of the instrument")):
        which = np.array([cell is not None and cell.bound == bound for cell in parsed])
        if which.any():
            row = int(np.flatnonzero(np.append(which, False)[column.codes])[0])
            shown = column.levels[column.codes[row]]
            n = int(counts[which].sum())
            many = "A cell" if n == 1 else f"{n} cells"
            said.append(
                f"{many} of {name!r} {'is' if n == 1 else 'are'} {what}, first in row {row + 1} ({shown!r}): the limit "
                f"was taken as the value."
            )
    return said
