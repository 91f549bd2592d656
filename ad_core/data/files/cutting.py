"""How the lines of a text table are cut into cells: at a delimiter, at blanks, or at fixed positions."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ad_core.data.files.cell_forms import Form, form_of
from ad_core.errors import DataError

CANDIDATES = (";", "\t", "|", ",", " ")
AGREED = 0.9
"""The share of lines with equally many cells must be above this for a delimiter to be certain."""
TYPED = 0.9
"""A comma is a decimal mark, not the delimiter, where cutting at blanks leaves a larger share of numbers than this."""
MAX_LINE = 16_000_000
csv.field_size_limit(MAX_LINE)  # of the whole process; the default refuses cells of more than 131,072 letters
_MARK = re.compile(r"^\s*(#|%|!|;|//)\s*")
_WORDS = re.compile(r'"[^"]*"|\S+')
_STAMPED = re.compile(r'"[^"]*"|\d{4}-\d{2}-\d{2} \d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|\S+')
_WIDE = re.compile(r"(?:\S| (?! ))+")


@dataclass(frozen=True)
class Cutting:
    """How one line becomes cells."""

    delimiter: str
    """One character; where `pattern` or `spans` is set, lines are rewritten with it."""
    quote: str = '"'
    pattern: re.Pattern[str] | None = None
    """What one cell looks like, for columns that are aligned by blanks."""
    spans: tuple[tuple[int, int], ...] = ()
    """Positions of the columns of fixed width."""
    width: int = 1
    """Number of cells of most lines."""

    @property
    def is_aligned(self) -> bool:
        """Whether columns are aligned by blanks, not by a delimiter."""
        return self.pattern is not None or bool(self.spans)

    def cells(self, line: str) -> list[str]:
        """The cells of one line, for aligned columns."""
        if self.spans:
            return [line[begin:end].strip() for begin, end in self.spans]
        found = [] if self.pattern is None else self.pattern.findall(_MARK.sub(r"\1", line))
        return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell.strip() for cell in found]

    def records(self, lines: Sequence[str], name: str) -> list[tuple[int, list[str]]]:
        """Each record as the number of its last line and its cells; an empty line has no cells.

        Raises:
            DataError: a quotation mark is never closed.
        """
        if self.is_aligned:
            return [(number, self.cells(line) if line.strip() else []) for number, line in enumerate(lines, 1)]
        reader = csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)
        try:
            return [(reader.line_num, row) for row in reader]
        except csv.Error as error:
            raise DataError(
                f"{name} can't be cut into cells: {error}. Check it for a quotation mark that is never closed."
            ) from None


def find_cutting(lines: Sequence[str], announced: str = "") -> Cutting:
    """The cutting that gives the most lines equally many cells; for a tie, the earlier candidate."""
    quote = "'" if _single_quoted(lines) else '"'
    if announced:
        return Cutting(announced, quote, width=_agreement(lines, announced, quote)[0] or 1)
    best, width, best_rank = "", 1, (0.0, 0.0)
    for candidate in CANDIDATES[:-1]:
        columns, agree = _agreement(lines, candidate, quote)
        rank = (agree > AGREED, agree if agree <= AGREED else 1.0)
        if columns > 1 and rank > best_rank:
            best, width, best_rank = candidate, columns, rank
    aligned = _aligned(lines)
    if aligned is not None and (not best_rank[0] or _typed(lines, aligned) > max(TYPED, _typed(lines, Cutting(best)))):
        return aligned
    if best:
        return Cutting(best, quote, width=width)
    return Cutting(",", quote)


def _agreement(lines: Sequence[str], delimiter: str, quote: str) -> tuple[int, float]:
    """The most frequent number of cells, and the share of the lines that have it."""
    try:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row)
    except csv.Error:
        return 0, 0.0
    return _most(widths)


def _most(widths: Counter[int]) -> tuple[int, float]:
    if not widths:
        return 0, 0.0
    width = max(widths, key=lambda w: (widths[w], w))
    return width, widths[width] / widths.total()


def _single_quoted(lines: Sequence[str]) -> bool:
    """Whether cells are in single quotes."""
    ends = [line.strip() for line in lines if line.strip()]
    both = sum(len(line) > 1 and line[0] == line[-1] == "'" for line in ends)
    return both > AGREED * len(ends) if ends else False


def _aligned(lines: Sequence[str]) -> Cutting | None:
    """Columns that are aligned by blanks, where the lines show them."""
    filled = [line.rstrip("\r\n") for line in lines if line.strip() and not _MARK.match(line)]
    if not filled:
        return None
    for pattern in (_stamps_or_words(filled), _WIDE):
        width, agree = _most(Counter(len(pattern.findall(line)) for line in filled))
        if agree > AGREED and _is_table(filled, pattern, width):
            return Cutting("\t", pattern=pattern, width=width)
    spans = _gutters(filled)
    return Cutting("\t", spans=spans, width=len(spans)) if len(spans) > 1 else None


def _stamps_or_words(lines: Sequence[str]) -> re.Pattern[str]:
    """Date and clock of a time stamp are one cell, unless the header has a name for each."""
    words, stamped = (_most(Counter(len(p.findall(line)) for line in lines))[0] for p in (_WORDS, _STAMPED))
    header = _WORDS.findall(lines[0])
    has_two_names = len(header) == words and form_of(header[0]) is Form.TEXT
    return _WORDS if words == stamped or has_two_names else _STAMPED


def _is_table(lines: Sequence[str], pattern: re.Pattern[str], width: int) -> bool:
    """Whether equally many words make columns: with a header of as many names, or without any.

    A single column is aligned where its lines begin or end with blanks.
    """
    if width == 1:
        return any(line[:1] == " " or line[-1:] == " " for line in lines)
    if pattern is _WIDE and not any("  " in line.strip() for line in lines):
        return False
    names = max(2, width - 1)  # a column of row names has none
    first = next((cells for line in lines if len(cells := pattern.findall(line)) >= names), [])
    return len(pattern.findall(lines[0])) >= names or all(form_of(cell) is Form.TEXT for cell in first)


def _gutters(lines: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Columns of fixed width: what lies between the positions that are blank in every line."""
    body = [line for line in lines[1:] if len(line) > 0.3 * max(map(len, lines))]
    if len(body) < 5 or len(body) < AGREED * len(lines[1:]) or any("\t" in line for line in body):
        return ()
    length = max(map(len, body))
    used = [any(at < len(line) and line[at] != " " for line in body) for at in range(length)]
    starts = [at for at in range(length) if used[at] and (at == 0 or not used[at - 1])]
    ends = [next((at for at in range(start, length) if not used[at]), length) for start in starts]
    cuts = [_cut(lines[0], end, start) for end, start in zip(ends, starts[1:], strict=False)]
    spans = tuple(zip([0, *cuts], [*cuts, MAX_LINE], strict=True))
    if not all(lines[0][begin:end].strip() for begin, end in spans):
        return ()  # neither names nor a row
    columns = list(zip(*([line[begin:end].strip() for begin, end in spans] for line in body), strict=True))
    typed = (Form.NUMBER, Form.DATE, Form.EMPTY)
    return spans if any(all(form_of(cell) in typed for cell in column) for column in columns) else ()


def _cut(header: str, end: int, start: int) -> int:
    """Where a header is cut between two columns: before a word, as names reach beyond narrow values."""
    return next((at for at in range(start, end - 1, -1) if header[at - 1 : at] in ("", " ")), start)


def _typed(lines: Iterable[str], cutting: Cutting) -> float:
    """Share of the cells that are numbers or dates."""
    forms = [form_of(cell.strip()) for _, record in cutting.records(list(lines)[-50:], "") for cell in record]
    return sum(form in (Form.NUMBER, Form.DATE) for form in forms) / max(len(forms), 1)
