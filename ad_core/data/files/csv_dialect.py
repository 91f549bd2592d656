"""How a text table is written: encoding, delimiter, decimal mark, header; all inferred from its bytes."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ad_core.data.files.cell_forms import MISSING, Form, form_of
from ad_core.data.files.cutting import Cutting, find_cutting
from ad_core.data.files.file_kinds import foreign_kind
from ad_core.data.files.header import Layout, find_layout
from ad_core.data.files.reading import PLAIN, Reading
from ad_core.errors import DataError

__all__ = ["MISSING", "Dialect", "find_dialect", "ragged_line"]

SAMPLE_BYTES = 262_144
MAX_LINE_BYTES = 16_000_000
SAMPLE_LINES = 200
MOST_ODD = 0.01
"""Maximum share of bytes that no text has, in a file that is damaged text rather than no text."""
SERIES = 50
"""Minimum number of numbers in a file of one line that is taken for a series."""

_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+")
_ODD_BYTES = bytes(b for b in range(32) if b not in (9, 10, 11, 12, 13, 26, 27))


@dataclass(frozen=True)
class Dialect:
    """How one text table is written."""

    encoding: str
    cutting: Cutting
    decimal: str
    layout: Layout
    """Names, units and the first row; names as in the header, `column 1` ... where the file has none."""
    skip: int
    """Lines before the first row."""
    quoted: bool
    """Some cell is in quotes, so a line break may sit inside a cell."""
    line_bytes: int
    """Upper bound of the length of the longest line at the beginning [byte]."""
    spaced: bool
    """Cells begin with a blank that is not part of the value."""
    texts: frozenset[int]
    """Positions of columns that look like numbers but stay text: leading zeros, more digits than a number keeps."""
    is_one_line: bool
    """The whole file is one line of numbers: a series, one row for each number."""
    notices: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The column names."""
        return self.layout.names


def find_dialect(path: Path, reading: Reading = PLAIN) -> Dialect:
    """Infer the dialect from the beginning of a text table, and its encoding from all bytes.

    Raises:
        DataError: it is empty, has a header only, is not text, or mixes encodings.
    """
    encoding, quoted = _encoding(path)
    lines, whole = _first_lines(path, encoding)
    delimiter, skip = _announced_delimiter(lines)
    lines = lines[skip:]
    if not any(line.strip() for line in lines):
        raise DataError(f"{path.name} is empty. Choose a file with a header line and rows.")
    lines = lines if whole else lines[:-1] or lines
    if reading.header:
        reading = replace(reading, header=max(1, reading.header - skip))
    cutting = find_cutting(lines, delimiter)
    records = cutting.records(lines, path.name)
    cells = [[cell.strip() for cell in row] for _, row in records]
    rows = [row for row in cells if row]
    if is_one_line := _is_series(rows, whole=whole):
        cutting, cells, records = replace(cutting, width=1), [[cell] for cell in rows[0]], []
        reading = Reading(header=0)
    layout = find_layout(cells, cutting.width, path.name, reading)
    body = [row for row in cells[layout.body_at :] if row]
    if layout.has_header and not body and whole:
        raise DataError(f"{path.name} has a header ({len(layout.names)} columns) but no rows. Choose a file with rows.")
    notices = [] if encoding.startswith("utf") else [f"{path.name} is not UTF-8; it was read as {encoding}."]
    return Dialect(
        encoding=encoding,
        cutting=cutting,
        decimal=_decimal(body),
        layout=layout,
        skip=skip + (records[layout.body_at - 1][0] if layout.body_at and records else 0),
        quoted=quoted,
        line_bytes=4 * max(map(len, lines)),
        spaced=not cutting.is_aligned and _mostly_spaced([row for _, row in records]),
        texts=_texts(body),
        is_one_line=is_one_line,
        notices=(*notices, *_cut_in_words(path.name, cutting, is_one_line=is_one_line), *layout.notices),
    )


def ragged_line(path: Path, dialect: Dialect) -> tuple[int, int] | None:
    """Line number and cell count of the first row that has another number of cells than the header; None if all fit."""
    cutting, width = dialect.cutting, len(dialect.names)
    with path.open(encoding=dialect.encoding, newline="", errors="replace") as file:
        for _ in range(dialect.skip):
            next(file)
        if cutting.is_aligned:
            widths = ((number, len(cutting.cells(line))) for number, line in enumerate(file, 1) if line.strip())
            return next(((dialect.skip + number, n) for number, n in widths if n != width), None)
        reader = csv.reader(file, delimiter=cutting.delimiter, quotechar=cutting.quote)
        rows = ((dialect.skip + reader.line_num, len(row)) for row in reader if row and len(row) != width)
        try:
            return next(rows, None)
        except csv.Error:  # a cell of more than MAX_LINE letters, such as all that follows a quotation mark
            return None


def _is_series(rows: Sequence[Sequence[str]], *, whole: bool) -> bool:
    """Whether the whole file is one line of many numbers."""
    return whole and len(rows) == 1 and len(rows[0]) >= SERIES and all(form_of(c) is Form.NUMBER for c in rows[0] if c)


def _cut_in_words(file: str, cutting: Cutting, *, is_one_line: bool) -> list[str]:
    if is_one_line:
        return [f"{file} is one line of numbers: it was read as one column."]
    if cutting.is_aligned and cutting.width > 1:
        how = "have fixed positions" if cutting.spans else "are aligned by blanks"
        return [f"The columns of {file} {how}: {cutting.width} columns were read."]
    return [f"The cells of {file} are in single quotes; they were taken off."] if cutting.quote == "'" else []


def _encoding(path: Path) -> tuple[str, bool]:
    """The encoding, and whether a double quote occurs."""
    with path.open("rb") as file:
        head = file.read(65_536)
    if not head:
        raise DataError(f"{path.name} is empty (0 bytes). Choose a file with a header line and rows.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _checked_utf16(path, "utf-16"), True
    if b"\x00" in head:
        share = [head[i::2].count(0) / max(len(head[i::2]), 1) for i in (0, 1)]
        if max(share) < 0.3 or min(share) > 0.3 or head[:2] == b"\x00\x00":
            is_text = not foreign_kind(head) and _odd_bytes(head) <= MOST_ODD
            raise _zero_bytes(path, head) if is_text else _not_text(path, head)
        return _checked_utf16(path, "utf-16-le" if share[1] > share[0] else "utf-16-be"), True
    if _odd_bytes(head) > MOST_ODD or foreign_kind(head):
        raise _not_text(path, head)
    return _checked_8_bit(path)


def _odd_bytes(head: bytes) -> float:
    """Share of bytes that no text has."""
    return (len(head) - len(head.translate(None, _ODD_BYTES))) / len(head)


def _checked_8_bit(path: Path) -> tuple[str, bool]:
    quoted, is_utf8, undefined, rest = False, True, False, b""
    with path.open("rb") as file:
        while chunk := file.read(4_194_304):
            if b"\x00" in chunk:
                raise DataError(f"{path.name} holds zero bytes, so a part of it is not text. Export the table again.")
            quoted = quoted or b'"' in chunk
            undefined = undefined or len(chunk) != len(chunk.translate(None, b"\x81\x8d\x8f\x90\x9d"))
            if is_utf8:
                is_utf8, rest = _is_utf8(rest + chunk)
    if is_utf8 and not rest:
        with path.open("rb") as file:
            return ("utf-8-sig" if file.read(3) == b"\xef\xbb\xbf" else "utf-8"), quoted
    _refuse_mixed(path)
    return ("latin-1" if undefined else "cp1252"), quoted


def _is_utf8(data: bytes) -> tuple[bool, bytes]:
    """Whether it is UTF-8, and the cut-off character at its end."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data" and error.end == len(data)
        return cut, data[error.start :] if cut else b""
    return True, b""


def _refuse_mixed(path: Path) -> None:
    first: dict[bool, int] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.isascii():
                continue
            first.setdefault(_is_utf8(line) == (True, b""), number)
            if len(first) == 2:
                raise DataError(
                    f"{path.name} mixes two encodings: line {first[True]} is UTF-8 and line {first[False]} is not. "
                    f"Save the whole file as UTF-8 and open it again."
                )


def _checked_utf16(path: Path, encoding: str) -> str:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(1_048_576):
                pass
    except UnicodeError:
        raise DataError(f"{path.name} is {encoding.upper()} text with bytes that are not. Save it as UTF-8.") from None
    return encoding


def _not_text(path: Path, head: bytes) -> DataError:
    what = foreign_kind(head)
    but = f" but {what}" if what else ""
    return DataError(f"{path.name} is not a text table{but}. Choose a CSV, Parquet or Excel file.")


def _zero_bytes(path: Path, head: bytes) -> DataError:
    at = head.find(b"\x00")
    line = head.count(b"\n", 0, at) + 1
    return DataError(
        f"{path.name} holds zero bytes, first in line {line}, so a part of it is not text. Export the table again."
    )


def _first_lines(path: Path, encoding: str) -> tuple[list[str], bool]:
    """The first lines, and whether they are the whole file."""
    with path.open(encoding=encoding, newline="") as file:
        text = file.read(SAMPLE_BYTES)
        while len(_lines(text)) < 3 and len(text) < MAX_LINE_BYTES and (more := file.read(SAMPLE_BYTES)):
            text += more
        whole = not file.read(1)
    lines = _lines(text)
    return (lines, True) if whole and len(lines) <= SAMPLE_LINES else (lines[: SAMPLE_LINES + 1], False)


def _lines(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))  # str.splitlines would also cut at form feeds and the like


def _announced_delimiter(lines: Sequence[str]) -> tuple[str, int]:
    """Excel may write `sep=;` as the first line."""
    match = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", lines[0]) if lines else None
    return (match.group(1), 1) if match else ("", 0)


def _mostly_spaced(rows: Sequence[Sequence[str]]) -> bool:
    later = [cell for row in rows for cell in row[1:]]
    return bool(later) and sum(cell.startswith(" ") for cell in later) > 0.5 * len(later)


def _decimal(rows: Sequence[Sequence[str]]) -> str:
    """A comma only where some number can't be read otherwise, and none has a decimal point."""
    commas = points = 0
    for row in rows:
        for cell in row:
            if not _GROUPED.fullmatch(cell):
                commas += bool(_COMMA.fullmatch(cell))
                points += bool(_POINT.fullmatch(cell))
    return "," if commas and not points else "."


def _texts(rows: Sequence[Sequence[str]]) -> frozenset[int]:
    keep = re.compile(r"0\d+|[+-]?\d{19,}")
    return frozenset(i for row in rows for i, cell in enumerate(row) if keep.fullmatch(cell))
