"""The few pieces of Markdown that the generated pages are made of."""

import re
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; cells are text as it stands."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """Text in the type of the command line; a bar inside a table must not end the cell."""
    return f"`{text}`"


def literal(text: str) -> str:
    """User-facing text without characters that Markdown would obey; what stands in backticks is code and stays."""
    pieces = text.split("`")
    return "`".join(piece if at % 2 else re.sub(r"([\\*_<\[])", r"\\\1", piece) for at, piece in enumerate(pieces))


def page(title: str, *blocks: str) -> str:
    """A page of its blocks, with an empty line between them."""
    return "\n\n".join([f"# {title}", *(block for block in blocks if block)]) + "\n"


def _cell(cell: object) -> str:
    return " ".join(str(cell).split()).replace("|", "\\|")
