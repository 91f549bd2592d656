"""Text tables in many dialects, and the lines that programs add to them."""

import csv
import io

import numpy as np
import pandas as pd

DELIMITERS = (",", ",", ",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16")
ENDS = ("\n", "\n", "\r\n", "\r")


def text_table(rng: np.random.Generator, frame: pd.DataFrame) -> tuple[bytes, list[str], int]:
    """A frame as text.

    Returns:
        The bytes; what is unusual about them; the number of rows, -1 where that is a matter of opinion.
    """
    mark, end = str(rng.choice(DELIMITERS)), str(rng.choice(ENDS))
    decimal = "," if mark != "," and rng.random() < 0.3 else "."
    quoting = csv.QUOTE_ALL if rng.random() < 0.15 else csv.QUOTE_MINIMAL
    text = io.StringIO()
    has_header = rng.random() > 0.08
    frame.to_csv(text, index=False, sep=mark, decimal=decimal, quoting=quoting, header=has_header)
    lines, rows, said = text.getvalue().split("\n")[:-1], len(frame), [repr(mark)]
    is_certain = has_header and '"' not in text.getvalue() and len(frame.columns) > 1
    if not has_header:
        said.append("no header")
    if decimal == ",":
        said.append("decimal comma")
    if lines and rng.random() < 0.3:
        lines, what, more = _with_lines(rng, lines, mark)
        said.append(what)
        rows = rows + more if more is not None and rows >= 0 else -1
    encoding = str(rng.choice(ENCODINGS))
    said += [encoding] * (encoding != "utf-8") + [repr(end)] * (end != "\n")
    content = end.join(lines) + (end if rng.random() < 0.8 else "")
    return content.encode(encoding, "replace"), said, rows if is_certain else -1


def _with_lines(rng: np.random.Generator, lines: list[str], mark: str) -> tuple[list[str], str, int | None]:
    """Lines with some more or less; what was done; how many rows that adds, None where one can argue."""
    at, width = int(rng.integers(len(lines))), lines[0].count(mark) + 1
    below = max(at, 1)
    match rng.integers(14):
        case 0:
            return ["Report of the week", "", *lines], "title", 0
        case 1:
            return ["# made by a program", "# second remark", *lines], "remarks", 0
        case 2:
            return [lines[0], mark.join(["m", "s", "kg", "EUR"] * 9)[: 2 * width - 1], *lines[1:]], "units", None
        case 3:
            return [*lines[:below], lines[0], *lines[below:]], "header repeated", None
        case 4:
            return [*lines, mark.join(["Total", *["1"] * (width - 1)])], "total", None
        case 5:
            return [*lines, "", "3 rows selected"], "footer", None
        case 6:
            return [*lines[:below], "", "", *lines[below:]], "blank lines", 0
        case 7:
            return [*lines[:below], lines[at] + mark + "x", *lines[below:]], "a cell too many", None
        case 8:
            return [*lines[:below], mark.join(lines[at].split(mark)[:-2]), *lines[below:]], "cells too few", None
        case 9:
            return [line + mark for line in lines], "delimiter at the end", 0
        case 10:
            return [f"sep={mark}", *lines], "sep=", 0
        case 11:
            return [*lines[:below], '"' + lines[at], *lines[below:]], "quote never closed", 1
        case 12:
            return [line.replace(mark, mark + " ") for line in lines], "blanks after delimiters", 0
        case _:
            return [" ".join(line.split(mark)) for line in lines], "cut at blanks", None
