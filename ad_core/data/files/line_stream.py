"""A text table without the lines that are no rows, rewritten while it is read, as a stream of bytes."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ad_core.data.files.cell_forms import ERROR
from ad_core.data.files.csv_dialect import Dialect
from ad_core.data.files.stray_lines import TAIL, Stray, kind_of

BLOCK = 4_194_304
TAIL_BYTES = 65_536
LONGEST = 1000
"""Maximum number of lines in one cell; more are an unclosed quotation mark."""
_MARKS = ("#", "//", "%", "!", "--")
_WORDS = ("total", "sub", "grand", "sum", "zwischen", "gesamt", "insgesamt", "page ", "running ")


def has_strays(path: Path, dialect: Dialect) -> bool:
    """Whether some line may be no row, judged by how lines begin, and by the last lines."""
    if dialect.encoding.startswith("utf-16"):
        return True
    starts = [mark.encode() for mark in (*_MARKS, *_WORDS)]
    starts += [header.encode(dialect.encoding, "ignore") for header in _headers(dialect)]
    needle = re.compile(rb'[\r\n][" ]?(?:%s)' % b"|".join(map(re.escape, starts)), re.IGNORECASE)
    longest = 2 + max(map(len, starts))
    with path.open("rb") as file:
        for _ in range(dialect.skip):
            file.readline()
        rest = b""
        while chunk := file.read(BLOCK):
            if needle.search(rest + chunk):
                return True
            rest = chunk[-longest:]
    return _has_footer(path, dialect)


def _headers(dialect: Dialect) -> list[str]:
    """How the lines above the first row begin, in lower case."""
    above = [cells for cells in dialect.layout.above if any(cells)]
    if dialect.cutting.is_aligned or len(dialect.names) == 1:
        return [next(filter(None, cells)).lower() for cells in above]
    mark = dialect.cutting.delimiter
    starts = [cells[0] + end for cells in above for end in (mark, '"') if cells[0]]
    return [start.lower() for start in starts + [mark.join(cells)[:30] for cells in above if not cells[0]]]


def _has_footer(path: Path, dialect: Dialect) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        text = file.read().decode(dialect.encoding, "replace")
    lines = io.StringIO(text, newline="").readlines()
    body = lines[dialect.skip :] if size <= TAIL_BYTES else lines[1:]
    last = [line for line in body if line.strip()][-TAIL:]
    return any(kind_of(_cells(line, dialect), dialect.layout, last=True) for line in last)


def _cells(line: str, dialect: Dialect) -> list[str]:
    if dialect.cutting.is_aligned:
        return dialect.cutting.cells(line)
    try:
        row = next(csv.reader([line], delimiter=dialect.cutting.delimiter, quotechar=dialect.cutting.quote), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in row]


def rewritten(path: Path, dialect: Dialect, stray: Stray | None) -> "ByteStream":
    """The rows of a file as UTF-8, from the first row on, cells of aligned columns with a tab between them.

    Args:
        stray: leaves out and notes the lines that are no rows; None = every line is a row.
    """
    return ByteStream(text.encode("utf-8", "replace") for text in _texts(path, dialect, stray))


def _texts(path: Path, dialect: Dialect, stray: Stray | None) -> Iterator[str]:
    with path.open(encoding=dialect.encoding, newline="") as file:
        for _ in range(dialect.skip):
            next(file)
        if dialect.is_one_line:
            yield from (f"{cell}\n" for line in file for cell in _cells(line, dialect) if cell)
            return
        suspicious = (*_MARKS, *_WORDS, *_headers(dialect))
        for number, record, last in _with_last(_records(file, dialect), dialect.skip):
            if not record.strip() and (dialect.cutting.is_aligned or dialect.cutting.delimiter not in record):
                if len(dialect.names) == 1 and not dialect.cutting.is_aligned:
                    yield record
                continue
            is_looked_at = stray is not None and (last or _is_suspicious(record, dialect, suspicious))
            if stray is not None and is_looked_at and not stray.is_row(_cells(record, dialect), number, last=last):
                continue
            yield "\t".join(dialect.cutting.cells(record)) + "\n" if dialect.cutting.is_aligned else record


def _is_suspicious(record: str, dialect: Dialect, starts: tuple[str, ...]) -> bool:
    head = record[:60].lstrip(' "').lower()
    if head.startswith(starts) and not ERROR.match(head.upper()):
        return True
    cutting, width = dialect.cutting, len(dialect.names)
    if cutting.is_aligned:
        return len(cutting.cells(record)) != width
    return record.count(cutting.delimiter) != width - 1


def _records(file: Iterable[str], dialect: Dialect) -> Iterator[tuple[int, str]]:
    """Each record with the number of its first line; a cell in quotes may hold line breaks."""
    joins = dialect.quoted and not dialect.cutting.is_aligned and dialect.cutting.quote == '"'
    held: list[str] = []
    first = 0
    for number, line in enumerate(file, 1):
        if not joins:
            yield number, line
            continue
        first = first if held else number
        held.append(line)
        if sum(part.count('"') for part in held) % 2 == 0 or len(held) > LONGEST:
            yield first, "".join(held)
            held = []
    if held:
        yield first, "".join(held)


def _with_last(records: Iterable[tuple[int, str]], skipped: int) -> Iterator[tuple[int, str, bool]]:
    """Line, record, and whether it is one of the last records that are not empty."""
    waiting: deque[tuple[int, str]] = deque()
    filled = 0
    for number, record in records:
        waiting.append((skipped + number, record))
        filled += bool(record.strip())
        while filled > TAIL:
            line, first = waiting.popleft()
            filled -= bool(first.strip())
            yield line, first, False
    for line, record in waiting:
        yield line, record, True


class ByteStream(io.RawIOBase):
    """Pieces of bytes as a file that can be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        wanted = len(buffer)
        parts, have = [self._rest], len(self._rest)
        while have < wanted and (piece := next(self._pieces, b"")):
            parts.append(piece)
            have += len(piece)
        content = b"".join(parts)
        buffer[: min(wanted, have)] = content[:wanted]
        self._rest = content[wanted:]
        return min(wanted, have)
