"""Which of a table's first lines hold names, units or remarks, and which is the first row.

Rows are recognised by what they share with the lines further down: a row has numbers and dates where they have them.
The lines above the first row are names, units, descriptions and remarks; without such lines there is no header.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ad_core.data.files.cell_forms import Form, column_forms, filled, fitting, form_of, is_comment, is_missing
from ad_core.data.files.doubtful_header import counted, of_texts
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.data.files.units import is_unit, looks_like_unit
from ad_core.errors import DataError

MOST_LINES = 100
"""Maximum number of lines above the first row."""
MOST_STRANGE = 2
"""Maximum number of lines of full width between names and rows that hold neither units nor a row."""
UNIT_LENGTH = 12
"""Maximum length of a unit."""
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
        DataError: the header that was declared is not there, or the line above the rows does not fit them.
    """
    if not any(map(filled, records)):
        return Layout((), False, 0, (), {})
    rows = [record for record in records if len(record) == width and filled(record)]
    forms = column_forms(rows[len(rows) // 2 :] or [record for record in records if filled(record)][-1:], width)
    at = _declared(records, file, reading)
    if at is None:
        at = _expected(records, reading.names)
    doubt = ""
    if at is None:
        body_at = _first_row(records, forms, 0, reading)
        at, doubt = _names_at(records, forms, body_at)
        _refuse_misfit(records, at, width, body_at, file)
    if at is None or at < 0:
        whole = [at for at, record in enumerate(records) if len(record) == width and not is_comment(record)]
        first = whole[0] if whole and reading.header == 0 else _first_row(records, forms, 0, reading)
        return _headless(records, forms, file, first)
    body_at = _first_row(records, forms, at + 1, reading)
    names, has_groups = _names(records, at, forms, reading)
    block = tuple(tuple(record) for record in records[:body_at])
    units, said = _between(records, at, body_at, names, file)
    notices = [*_skipped(records, at - has_groups, file), *said]
    if doubt:
        notices.append(doubt.format(file))
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


def _first_row(records: Records, forms: Sequence[Form], since: int, reading: Reading) -> int:
    """The first record from `since` on that looks like a row."""
    if reading.every_line and since:
        return since
    strange: list[int] = []
    for at in range(since, min(len(records), since + MOST_LINES)):
        if _is_row(records[at], forms, has_names=since > 0):
            return strange[0] if since and len(strange) > MOST_STRANGE else at
        if len(records[at]) == len(forms) and not is_comment(records[at]) and not _is_units(records[at]):
            strange.append(at)
    return since


def _is_row(record: Sequence[str], forms: Sequence[Form], *, has_names: bool) -> bool:
    width = len(forms)
    if not filled(record) or len(record) not in (width, width + 1):
        return False
    if not {Form.NUMBER, Form.DATE} & set(forms):
        return len(record) == width and not is_comment(record)
    fit, misfit, date_fits = fitting(record, forms)
    if misfit and (is_comment(record) or (not has_names and _names_dates(record, forms))):
        return False
    if fit > misfit or date_fits:
        return True
    texts = {cell for cell in record if not is_missing(cell)}
    if not has_names or any(map(looks_like_unit, texts)):
        return False
    return fit == misfit or misfit == 1 or len(texts) == 1  # odd cells of a row, such as Bad in all of them


def _names_dates(record: Sequence[str], forms: Sequence[Form]) -> bool:
    """Whether a word stands above a column of dates."""
    return any(form is Form.DATE and form_of(c) is Form.TEXT for c, form in zip(record, forms, strict=False))


def _names_at(records: Records, forms: Sequence[Form], body_at: int) -> tuple[int | None, str]:
    """The record of the names, None if there is none; and what is doubtful about that."""
    if not {Form.NUMBER, Form.DATE} & set(forms):
        return of_texts(records, len(forms), body_at)
    for comments in (False, True):
        found = [at for at in range(body_at) if _may_name(records[at], len(forms), comments=comments)]
        since = max((at for at in range(body_at) if not filled(records[at]) and found and at < found[-1]), default=-1)
        found = [at for at in found if at > since]
        if found:
            named = [at for at in found if not _is_units(_uncommented(records[at]))]
            return min(named or found, key=lambda at: _rank(records[at], len(forms))), ""
    return counted(records, body_at, forms)


def _may_name(record: Sequence[str], width: int, *, comments: bool) -> bool:
    """Whether a line has about one text for each column."""
    if is_comment(record) is not comments:
        return False
    cells = _uncommented(record) if comments else record
    n = len(cells)
    fits = n == width or n == width - 1 > 1 or (n > width and not filled(cells[width:]))
    return fits and filled(cells) > 0 and filled(cells) >= 0.5 * n


def _rank(record: Sequence[str], width: int) -> tuple[int, int]:
    """Lines with more names come first; of two columns, lines such as `Serial,17` come last."""
    digits = sum(any(c.isdigit() for c in cell) for cell in record) if width <= 2 else 0
    return -filled(record), digits


def _refuse_misfit(records: Records, at: int | None, width: int, body_at: int, file: str) -> None:
    """Without names, a line directly above the rows is a header that does not fit them."""
    above = records[body_at - 1] if at is None and body_at else ()
    if filled(above) and not is_comment(above):
        raise DataError(
            f"Line {body_at + 1} of {file} has {width} cells, but the line above it, which should be the header, has "
            f"{len(above)}. Repair the header, or say in which line it is (`header`, 0 = there is none)."
        )


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


def _is_short(cells: Sequence[str]) -> bool:
    """Whether a line directly below the names holds short texts, as units that nobody knows do."""
    return all(len(cell) <= UNIT_LENGTH for cell in cells) and not all(map(looks_like_unit, cells))


def _names(records: Records, at: int, forms: Sequence[Form], reading: Reading) -> tuple[tuple[str, ...], bool]:
    """The names in a record; and whether they are joined with the line above, as they are not unique alone."""
    cells, width = list(records[at]), len(forms)
    if is_comment(cells) and not set(cells) & reading.names:
        cells = _uncommented(cells)
    above = records[at - 1] if at else ()
    has_groups = False
    if len(set(cells)) < len(cells) and len(above) == len(cells) and filled(above) > 1 and not is_comment(above):
        groups, last = [], ""
        for cell in above:
            last = cell or last
            groups.append(last)
        joined = [f"{group} {cell}".strip() for group, cell in zip(groups, cells, strict=True)]
        has_groups = len(set(joined)) == len(joined)
        cells = joined if has_groups else cells
    if len(cells) == width - 1 and forms[-1] is not Form.EMPTY:
        cells = ["", *cells]  # the column of row names has none, as R writes it
    return tuple([*cells, *[""] * (width - len(cells))][:width]), has_groups


def _between(
    records: Records, at: int, body_at: int, names: Sequence[str], file: str
) -> tuple[dict[str, str], list[str]]:
    """Units, and sentences, from the lines between the names and the first row."""
    units: dict[str, str] = {}
    said: list[str] = []
    other: list[str] = []
    for record in records[at + 1 : body_at]:
        cells = _uncommented(record) if is_comment(record) else record
        if not units and len(cells) == len(names) and (_is_units(cells) or _is_short(cells)):
            units = {n: c.strip("[]()<>") for n, c in zip(names, cells, strict=True) if n and is_unit(c)}
        elif filled(record):
            other.append(" ".join(filter(None, record))[:40])
    if empty := sum(len(record) == len(names) > 1 and not filled(record) for record in records[at + 1 : body_at]):
        lines, are = ("A line", "is") if empty == 1 else (f"{empty} lines", "are")
        said.append(f"{lines} of {file} directly below the header {are} empty and left out.")
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


def _headless(records: Records, forms: Sequence[Form], file: str, body_at: int) -> Layout:
    skipped = _skipped(records, body_at, file)
    names = tuple(f"column {i + 1}" for i in range(len(forms)))
    why = "its first line is all numbers" if set(forms) <= {Form.NUMBER, Form.EMPTY} else "its first line is a row"
    said = f"{file} has no header: {why}. The columns are called column 1, column 2, ..."
    block = tuple(tuple(record) for record in records[:body_at])
    return Layout(names, False, body_at, tuple(forms), {}, block, (*skipped, said))
