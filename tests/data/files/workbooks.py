"""The least that a spreadsheet program accepts as a workbook: nothing in the project writes one."""

import datetime as dt
import zipfile
from collections.abc import Collection
from pathlib import Path
from string import ascii_uppercase

SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
STYLES = (
    f'<styleSheet xmlns="{SPACE}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    f'<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    f'<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="46" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
"""Style 1 is the number format 46, [h]:mm:ss."""


class Error(str):
    """A cell that holds an error."""

    __slots__ = ()


def workbook(path: Path, sheets: dict[str, list[list[object]]], hidden: Collection[str] = ()) -> Path:
    """Write sheets of None, numbers, texts, errors and durations."""
    named = list(enumerate(sheets, 1))
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="a/b"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r" Type="{REL}/officeDocument" '
            f'Target="xl/workbook.xml"/></Relationships>',
        )
        state = dict.fromkeys(hidden, ' state="hidden"')
        tags = "".join(f'<sheet name="{name}" sheetId="{i}"{state.get(name, "")} r:id="r{i}"/>' for i, name in named)
        book.writestr("xl/styles.xml", STYLES)
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{SPACE}" xmlns:r="{REL}"><sheets>{tags}</sheets></workbook>'
        )
        tags = "".join(
            f'<Relationship Id="r{i}" Type="{REL}/worksheet" Target="worksheets/{i}.xml"/>' for i, _ in named
        )
        tags += f'<Relationship Id="s" Type="{REL}/styles" Target="styles.xml"/>'
        book.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{tags}</Relationships>'
        )
        for i, name in named:
            rows = "".join(_row(n, row) for n, row in enumerate(sheets[name], 1))
            book.writestr(
                f"xl/worksheets/{i}.xml", f'<worksheet xmlns="{SPACE}"><sheetData>{rows}</sheetData></worksheet>'
            )
    return path


def _row(number: int, row: list[object]) -> str:
    cells = "".join(_cell(value, f"{ascii_uppercase[at]}{number}") for at, value in enumerate(row))
    return f'<row r="{number}">{cells}</row>'


def _cell(value: object, at: str) -> str:
    if value is None:
        return f'<c r="{at}"/>'
    if isinstance(value, Error):
        return f'<c r="{at}" t="e"><f>1/0</f><v>{value}</v></c>'
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>'
    if isinstance(value, dt.timedelta):
        return f'<c r="{at}" s="1"><v>{value / dt.timedelta(days=1)!r}</v></c>'
    return f'<c r="{at}"><v>{value}</v></c>'
