"""What is known of a file before it is read: what the user declared, and what the training data looked like."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """How to read a file; what is not set is guessed from the file, and the guess is said."""

    sheet: str | None = None
    """Sheet of a workbook; None = the first filled one."""
    header: int | None = None
    """Line of the column names, 1 = the first; 0 = there is none; None = guessed."""
    every_line: bool = False
    """Every line below the header is a row: no units, repeated headers, totals or footers are looked for."""
    names: frozenset[str] = frozenset()
    """Columns that are expected; a line that holds them is the header."""
    texts: frozenset[str] = frozenset()
    """Columns that stay as they are written, although their cells look like numbers with a unit."""
    numbers: frozenset[str] = frozenset()
    """Columns that are known to hold numbers, however few of their cells can be read."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Units in which columns are wanted, "" for none; another one is converted, refused, or said."""
    like: str = "the training data"
    """Which data have these units."""


PLAIN = Reading()
"""Everything is guessed."""
