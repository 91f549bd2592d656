"""Lines among and below the rows of a table that are no rows: repeated headers, remarks, totals and footers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ad_core.data.files.cell_forms import Form, filled, fitting, form_of, is_comment
from ad_core.data.files.header import Layout

TOTAL = "a total or summary"
TAIL = 12
"""Number of the last lines in which totals and footers are looked for."""
MOST = 0.2
"""A larger share of lines that are no rows is taken for damage."""
_TOTAL = re.compile(
    r"(?i)((grand|sub|running|page)[ -]?)?(totals?|sum|summe|zwischensumme|gesamt(summe)?|insgesamt)\b.*"
)
_SUMMARY = re.compile(
    r"(?i)(mean|average|avg|mittelwert|durchschnitt|median|min(imum)?|max(imum)?|std( ?dev)?|stdev|standard deviation|"
    r"count|anzahl|rows?|records?|end of .*|eof|end)\b.*"
)


@dataclass
class Stray:
    """Recognises the lines that are no rows, and keeps what it has left out."""

    layout: Layout
    found: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """What they are -> line and text of each."""
    levels: set[str] = field(default_factory=set)
    """Words for a total that are names of rows, as they came before."""

    def is_row(self, cells: Sequence[str], line: int, *, last: bool) -> bool:
        """Whether a record is a row; what is none is noted.

        Args:
            cells: without surrounding blanks.
            last: it is one of the last lines.
        """
        what = kind_of(cells, self.layout, last=last)
        first = next(filter(None, cells), "").lower()
        if what == TOTAL and first in self.levels:
            return True
        if not what and _TOTAL.fullmatch(first):
            self.levels.add(first)
        if what:
            self.found.setdefault(what, []).append((line, " ".join(filter(None, cells))[:40]))
        return not what

    @property
    def count(self) -> int:
        """Number of lines that were left out."""
        return sum(map(len, self.found.values()))

    def sentences(self, file: str) -> list[str]:
        """What was left out, for the user."""
        return [_sentence(what, lines, file) for what, lines in self.found.items()]


def _sentence(what: str, lines: Sequence[tuple[int, str]], file: str) -> str:
    shown = f"{lines[0][1]!r}"
    if len(lines) == 1:
        return f"Line {lines[0][0]} of {file} is no row and left out: {what}, {shown}."
    numbers = ", ".join(str(number) for number, _ in lines[:5]) + (" and more" if len(lines) > 5 else "")
    return f"{len(lines)} lines of {file} are no rows and left out (line {numbers}): {what}, {shown}."


def kind_of(cells: Sequence[str], layout: Layout, *, last: bool) -> str:
    """What a record is if it is no row, "" if it is one or is left to the reader to judge."""
    known = filled(cells)
    if not known:
        return ""
    if _repeats(cells, layout):
        return "the header again"
    width, forms = len(layout.names), layout.forms
    fit, misfit, date_fits = fitting(cells, forms) if len(cells) == width else (0, 1, False)
    if is_comment(cells) and misfit:
        return "a remark"
    if date_fits:
        return ""
    at = next(at for at, cell in enumerate(cells) if cell)
    own = forms[at] if at < len(forms) else Form.TEXT
    if own in (Form.NUMBER, Form.DATE) and form_of(cells[at]) is not Form.TEXT:
        return ""
    if _is_total(cells, at, own, layout, last=last):
        return TOTAL
    if len(cells) != width and (known == 1 or (last and known < width)) and _is_prose(cells[at], last=last):
        return "a footer" if last else "a title"
    if last and len(cells) == width and known < width and fit == 0 and misfit and " " in cells[at]:
        return "a footer"
    return ""


def _repeats(cells: Sequence[str], layout: Layout) -> bool:
    """Whether a record is the header or another line above the first row once more."""
    if len(cells) < 2 and not {Form.NUMBER, Form.DATE} & set(layout.forms):
        return False
    own = [cell for cell in cells if cell]
    return any(own == [cell for cell in above if cell] for above in layout.above)


def _is_total(cells: Sequence[str], at: int, own: Form, layout: Layout, *, last: bool) -> bool:
    word, typed = cells[at].rstrip(":"), {Form.NUMBER, Form.DATE} & set(layout.forms)
    if not typed:
        return False
    if _TOTAL.fullmatch(word) or (last and _SUMMARY.fullmatch(word)):
        if own in (Form.NUMBER, Form.DATE):
            return True
        texts = [cell for cell, form in zip(cells, layout.forms, strict=False) if form is Form.TEXT]
        is_alone = len(list(filter(None, texts))) == 1 and (last or len(texts) > 1)
        return is_alone and len(word.split()) <= 2 and bool(_TOTAL.fullmatch(word))
    return False


def _is_prose(text: str, *, last: bool) -> bool:
    return form_of(text) is Form.TEXT and (last or " " in text.strip())
