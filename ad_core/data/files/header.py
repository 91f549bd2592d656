"""Which of a table's first lines hold names, units or remarks, and which is the first row.

Rows are recognised by what they share with the lines further down: a row has numbers and dates where they have them.
The lines above the first row are names, units, descriptions and remarks; without such lines there is no header.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ad_core.data.files.cell_forms import Form, column_forms, filled, fitting, form_of, is_comment, is_missing
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.files.units import is_unit, looks_like_unit
from ad_core.errors import DataError

MOST_LINES = 100
"""Maximum number of lines above the first row."""
Records = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Layout:
    """What the first lines of a table are. Positions count records, 0 = the first."""

    names: tuple[str, ...]
    has_header: bool
    body_at: int
    """The first row."""
    forms: tuple[Form, ...]
    units: dict[str, str]
    above: tuple[tuple[str, ...], ...] = ()
    """The records above the first row."""
    notices: tuple[str, ...] = ()


def find_layout(records: Records, width: int, file: str, reading: Reading = PLAIN) -> Layout:
    """Find names, units and the first row.

    Args:
        records: the cells of the first lines, without surrounding blanks; an empty line has no cells.
        width: number of cells of a row.
        file: its name, for sentences.

    Raises:
        DataError: the header that was declared is not there.
    """
    if not any(map(filled, records)):
        return Layout((), False, 0, (), {})
    rows = [record for record in records if len(record) == width and filled(record)]
    forms = column_forms(rows[len(rows) // 2 :] or [record for record in records if filled(record)][-1:], width)
    at = _declared(records, file, reading)
    if at is None:
        at = _expected(records, reading.names)
    body_at = _first_row(records, forms, width, 0 if at is None else at + 1, reading)
    doubt = ""
    if at is None:
        at, doubt = _names_at(records, forms, width, body_at)
        _refuse_too_many(records, at, width, body_at, file)
        if at is not None and at >= body_at:
            body_at = _first_row(records, forms, width, at + 1, reading)
    if at is None or at < 0:
        return _headless(records, forms, width, file, body_at)
    names = _names(records, at, forms, reading)
    block = tuple(tuple(record) for record in records[:body_at])
    units, said = _between(records, at, body_at, names, file)
    notices = [*_skipped(records, at, file), *said]
    if doubt:
        notices.append(f"The first line of {file} was taken as the header, {doubt}.")
    return Layout(names, True, body_at, tuple(forms), units, block, tuple(notices))


def _declared(records: Records, file: str, reading: Reading) -> int | None:
    """The record of the declared header, -1 where there is none."""
    if reading.header is None:
        return None
    if reading.header > len(records) or (reading.header and not filled(records[reading.header - 1])):
        raise DataError(f"{file} has no header in line {reading.header}. Give the line that holds the column names.")
    return reading.header - 1


def _expected(records: Records, names: frozenset[str]) -> int | None:
    """The first record that holds most of the expected names; -1 where the expected names say that there is none."""
    if not names:
        return None
    if len(names) > 1 and names == {f"column {i + 1}" for i in range(len(names))}:
        return -1
    most = [sum(cell in names for cell in set(record)) for record in records[:MOST_LINES]]
    best = max(most, default=0)
    return most.index(best) if best > 0.5 * len(names) else None


def _first_row(records: Records, forms: Sequence[Form], width: int, since: int, reading: Reading) -> int:
    """The first record from `since` on that looks like a row."""
    if reading.every_line:
        return since
    for at in range(since, min(len(records), since + MOST_LINES)):
        if _is_row(records[at], forms, width, has_names=since > 0):
            return at
    return since


def _is_row(record: Sequence[str], forms: Sequence[Form], width: int, *, has_names: bool) -> bool:
    if not filled(record) or len(record) < min(width, 2):
        return False
    if not {Form.NUMBER, Form.DATE} & set(forms):
        return len(record) == width and not is_comment(record)
    fit, misfit, date_fits = fitting(record, forms)
    if misfit and (is_comment(record) or (not has_names and _names_dates(record, forms))):
        return False
    if len(record) != width and len(record) != width + 1:
        return False
    if fit > misfit or date_fits:
        return True
    if not has_names:
        return False
    return fit == misfit or (misfit == 1 and not all(looks_like_unit(c) for c in record if not is_missing(c)))


def _names_dates(record: Sequence[str], forms: Sequence[Form]) -> bool:
    """Whether a word stands above a column of dates."""
    return any(form is Form.DATE and form_of(c) is Form.TEXT for c, form in zip(record, forms, strict=False))


def _names_at(records: Records, forms: Sequence[Form], width: int, body_at: int) -> tuple[int | None, str]:
    """The record of the names, None if there is none; and what is doubtful about that."""
    if not {Form.NUMBER, Form.DATE} & set(forms):
        return _of_texts(records, width, body_at)
    best, most = None, 0
    for comments in (False, True):
        for at in range(body_at):
            cells = _uncommented(records[at]) if comments else records[at]
            known = filled(cells)
            if is_comment(records[at]) is not comments or not known or known < 0.5 * len(cells):
                continue
            n = len(cells)
            fits = n == width or n == width - 1 > 1 or (n > width and not filled(cells[width:]))
            if fits and known >= most and not _is_units(cells):
                best, most = at, known
        if best is not None:
            return best, ""
    return _counted(records, body_at, forms)


def _refuse_too_many(records: Records, at: int | None, width: int, body_at: int, file: str) -> None:
    """Without names, a line directly above the rows that is longer than they are is a header that does not fit."""
    above = records[body_at - 1] if at is None and body_at else ()
    if width > 1 and filled(above) > width and not is_comment(above):
        raise DataError(
            f"Line {body_at + 1} of {file} has {width} cells, but the header has {len(above)}. "
            f"Repair the header, or export the table again."
        )


def _counted(records: Records, body_at: int, forms: Sequence[Form]) -> tuple[int | None, str]:
    """A first row whose numbers only count or go in equal steps, as years, hours and wavelengths do, is a header."""
    first = records[body_at] if body_at < len(records) else ()
    others = [record for record in records[body_at + 1 :] if filled(record)]
    if not others or not _steps(first) or fitting(first, forms)[2] or all(_steps(other) for other in others[:5]):
        return None, ""
    texts = [at for at, form in enumerate(forms) if form is Form.TEXT and at < len(first)]
    if any(first[at] in {other[at] for other in others if at < len(other)} for at in texts):
        return None, ""
    return body_at, "as its numbers go in equal steps, like the names of years or hours"


def _steps(cells: Sequence[str]) -> bool:
    """Whether the numbers of a line count, or rise in equal steps and are enough to tell."""
    try:
        numbers = [float(cell) for cell in cells if form_of(cell) is Form.NUMBER]
    except ValueError:
        return False
    if len(numbers) < 2:
        return False
    if numbers[0] in (0, 1) and numbers == [numbers[0] + i for i in range(len(numbers))]:
        return True
    steps = [b - a for a, b in pairwise(numbers)]
    years = all(1900 <= n <= 2100 and n.is_integer() for n in numbers)
    return (years or len(numbers) > 3) and steps[0] > 0 and max(steps) - min(steps) <= 1e-6 * max(steps)


def _of_texts(records: Records, width: int, body_at: int) -> tuple[int | None, str]:
    """Among texts only, a first line whose cells come again further down in their columns is a row."""
    first = records[body_at] if body_at < len(records) else ()
    below = [record for record in records[body_at + 1 :] if len(record) == width]
    again = [any(cell == other[at] for other in below) for at, cell in enumerate(first) if cell]
    if len(below) >= 5 and sum(again) > 0.5 * len(again):
        return None, ""
    whole = [at for at in range(body_at) if len(records[at]) == width and filled(records[at]) == width]
    return (whole[0] if whole else body_at), "" if whole or len(below) < 2 else "although all columns hold texts"


def _uncommented(cells: Sequence[str]) -> list[str]:
    """A line without the sign of a comment; where all cells have the sign, it belongs to the names."""
    if len(cells) > 1 and all(cell.startswith("#") for cell in cells if cell):
        return list(cells)
    first = cells[0].lstrip("#/%!;-").strip()
    return [first, *cells[1:]] if first else list(cells[1:])


def _is_units(cells: Sequence[str]) -> bool:
    """Whether a line holds units rather than names."""
    known = [cell for cell in cells if not is_missing(cell)]
    return sum(map(looks_like_unit, known)) > 0.5 * len(known) if known else False


def _names(records: Records, at: int, forms: Sequence[Form], reading: Reading) -> tuple[str, ...]:
    """The names in a record; joined with the line above where they are not unique alone."""
    cells, width = list(records[at]), len(forms)
    if is_comment(cells) and not set(cells) & reading.names:
        cells = _uncommented(cells)
    above = records[at - 1] if at else ()
    if len(set(cells)) < len(cells) and len(above) == len(cells) and filled(above) > 1 and not is_comment(above):
        groups, last = [], ""
        for cell in above:
            last = cell or last
            groups.append(last)
        joined = [f"{group} {cell}".strip() for group, cell in zip(groups, cells, strict=True)]
        cells = joined if len(set(joined)) == len(joined) else cells
    if len(cells) == width - 1 and forms[-1] is not Form.EMPTY:
        cells = ["", *cells]  # the column of row names has none, as R writes it
    return tuple([*cells, *[""] * (width - len(cells))][:width])


def _between(
    records: Records, at: int, body_at: int, names: Sequence[str], file: str
) -> tuple[dict[str, str], list[str]]:
    """Units, and sentences, from the lines between the names and the first row."""
    units: dict[str, str] = {}
    said: list[str] = []
    other: list[str] = []
    for record in records[at + 1 : body_at]:
        cells = _uncommented(record) if is_comment(record) else record
        if not units and len(cells) == len(names) and _is_units(cells):
            units = {n: c.strip("[]()<>") for n, c in zip(names, cells, strict=True) if n and is_unit(c)}
        elif filled(record):
            other.append(" ".join(filter(None, record))[:40])
    if units:
        shown = ", ".join(f"{name} [{text}]" for name, text in list(units.items())[:6])
        said.append(f"A line of {file} below the header holds units, not a row: {shown}.")
    if len(other) == 1:
        said.append(f"A line of {file} below the header is no row and left out: {other[0]!r}.")
    elif other:
        said.append(f"{len(other)} lines of {file} below the header are no rows and left out; the first: {other[0]!r}.")
    return units, said


def _skipped(records: Records, at: int, file: str) -> list[str]:
    """A sentence about the lines above the header."""
    lines = [" ".join(record).strip() for record in records[:at] if filled(record)]
    if not lines:
        return []
    many, were = (f"{len(lines)} lines", "were") if len(lines) > 1 else ("A line", "was")
    return [f"{many} above the table in {file} {were} left out: {', '.join(repr(line[:40]) for line in lines[:3])}."]


def _headless(records: Records, forms: Sequence[Form], width: int, file: str, body_at: int) -> Layout:
    skipped = _skipped(records, body_at, file)
    names = tuple(f"column {i + 1}" for i in range(width))
    why = "its first line is all numbers" if set(forms) <= {Form.NUMBER, Form.EMPTY} else "its first line is a row"
    said = f"{file} has no header: {why}. The columns are called column 1, column 2, ..."
    block = tuple(tuple(record) for record in records[:body_at])
    return Layout(names, False, body_at, tuple(forms), {}, block, (*skipped, said))
