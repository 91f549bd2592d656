"""Cells of a workbook that hold an error such as #DIV/0!: the library that reads workbooks gives them as empty.

An .xlsx file marks them in the XML of its sheets. In other workbooks they can't be told from empty cells.
"""

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

BLOCK = 4_194_304
LONGEST = 4096
"""More characters than a cell with an error has in the XML of a sheet."""
MOST_XML = 16_000_000
_ERROR = re.compile(rb'<c\b(?=[^>]*\bt="e")[^>]*>(?:<f\b[^>]*?(?:/>|>[^<]*</f>))?(?:<v>([^<]*)</v>)?')
_AT = re.compile(rb'\br="([A-Z]+\d+)"')
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def error_cells(path: Path, sheet: str) -> list[str]:
    """A sentence about the cells of a sheet that hold an error; they count as missing."""
    try:
        with zipfile.ZipFile(path) as book:
            part = _part(book, sheet)
            if part is None:
                return _cannot_tell(path)
            count, first = _count(book, part)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, OSError, ValueError):
        return _cannot_tell(path)
    if not count:
        return []
    many = "A cell" if count == 1 else f"{count} cells"
    return [f"{many} of sheet {sheet!r} in {path.name} hold an error, first {first}; they count as missing."]


def _cannot_tell(path: Path) -> list[str]:
    return [
        f"{path.name} has empty cells, and errors such as #DIV/0! can't be told from them in a {path.suffix} file; "
        f"both count as missing. Save it as .xlsx to have errors counted."
    ]


def _part(book: zipfile.ZipFile, sheet: str) -> str | None:
    """The member that holds a sheet, None if this is no .xlsx file."""
    if "xl/workbook.xml" not in book.namelist():
        return None
    members = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    if any(book.getinfo(member).file_size > MOST_XML for member in members):
        raise ValueError("too large")
    tree, relations = (ElementTree.fromstring(book.read(member)) for member in members)
    target = {one.get("Id"): one.get("Target", "") for one in relations}
    for one in tree.iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            at = target[one.get(_REL)]
            return at.lstrip("/") if at.startswith("/") else f"xl/{at}"
    return None


def _count(book: zipfile.ZipFile, part: str) -> tuple[int, str]:
    """Number of cells with an error, and the first of them in words."""
    count, first, rest = 0, "", b""
    with book.open(part) as file:
        while chunk := file.read(BLOCK):
            text = rest + chunk
            end = 0
            for match in _ERROR.finditer(text):
                if match.end() > len(text) - LONGEST and len(chunk) == BLOCK:
                    break  # it may go on in the next block
                end = match.end()
                count += 1
                if not first:
                    at = _AT.search(match[0])
                    first = f"{at[1].decode() if at else '?'} ({(match[1] or b'an error').decode('utf-8', 'replace')})"
            rest = text[max(end, len(text) - LONGEST) :]
    return count, first
