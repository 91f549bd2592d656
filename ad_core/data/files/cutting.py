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
"""Minimum share of lines that a delimiter cuts into equally many cells."""
TYPED = 0.9
"""A comma is a decimal mark, not the delimiter, where cutting at blanks leaves a larger share of numbers than this."""
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
        return [] if self.pattern is None else [cell.strip() for cell in self.pattern.findall(line)]

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
    filled = [line.rstrip("\r\n") for line in lines if line.strip()]
    for pattern in (_WORDS, _STAMPED):
        widths = Counter(len(pattern.findall(line)) for line in filled)
        width, agree = _most(widths)
        # one word less in the header than in the rows: date and clock of a time stamp are one cell
        fits = agree > AGREED and (pattern is _STAMPED or not _splits_stamps(filled, width))
        if fits and (width > 1 or any(line[:1] == " " or line[-1:] == " " for line in filled)):
            return Cutting("\t", pattern=pattern, width=width)
    width, agree = _most(Counter(len(_WIDE.findall(line)) for line in filled))
    if width > 1 and agree > AGREED and any("  " in line.strip() for line in filled):
        return Cutting("\t", pattern=_WIDE, width=width)
    spans = _gutters(filled)
    return Cutting("\t", spans=spans, width=len(spans)) if len(spans) > 1 else None


def _splits_stamps(lines: Sequence[str], width: int) -> bool:
    header = next((line for line in lines if len(_WORDS.findall(line)) != width), "")
    return len(_WORDS.findall(header)) == width - 1 and len(_STAMPED.findall(lines[-1])) == width - 1


def _gutters(lines: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Columns of fixed width: what lies between the positions that are blank in every line."""
    body = [line for line in lines if len(line) > 0.5 * max(map(len, lines))]
    if len(body) < 5 or len(body) < AGREED * len(lines) or any("\t" in line for line in body):
        return ()
    length = max(map(len, body))
    used = [any(at < len(line) and line[at] != " " for line in body) for at in range(length)]
    starts = [at for at in range(length) if used[at] and (at == 0 or not used[at - 1])]
    ends = [next((at for at in range(start, length) if not used[at]), length) for start in starts]
    spans = tuple(zip(starts, [*starts[1:], length + 1000], strict=True)) if ends else ()
    cells = [[line[begin:end].strip() for begin, end in spans] for line in body[1:]]
    columns = list(zip(*cells, strict=True)) if cells and spans else []
    numbers = sum(all(form_of(c) in (Form.NUMBER, Form.DATE, Form.EMPTY) for c in column) for column in columns)
    return spans if numbers else ()


def _typed(lines: Iterable[str], cutting: Cutting) -> float:
    """Share of the cells that are numbers or dates."""
    forms = [form_of(cell.strip()) for _, record in cutting.records(list(lines)[-50:], "") for cell in record]
    return sum(form in (Form.NUMBER, Form.DATE) for form in forms) / max(len(forms), 1)
