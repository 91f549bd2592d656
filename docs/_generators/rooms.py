"""A map of the code: every package with its own first line, in the order in which one may import another."""

import ast
from pathlib import Path

from _generators import markdown
from _generators.markdown import code, literal, table
from tests.test_structure import LAYERS, ONLY_IN

ROOT = Path(__file__).resolve().parents[2]

INTRO = """\
Files are grouped by subject, and subjects are ordered as data flow through them. A file imports only from its own layer
or from one above it in this table (a lower number). `tests/test_structure.py` checks this, and this page is made
from it.

A file with a singular name is a contract (`pretext.py`); the folder with the plural name holds its implementations
(`pretexts/`), one class per file."""


def page() -> str:
    """Layers with their packages, and the libraries that only some files may use."""
    rows = [(number, code(name), first_line(name)) for number, names in enumerate(LAYERS) for name in sorted(names)]
    libraries = [(code(library), ", ".join(code(name) for name in sorted(names))) for library, names in ONLY_IN.items()]
    return markdown.page(
        "Map of the code",
        INTRO,
        table(["layer", "module or package", "what it is for"], rows),
        "## Libraries that only some files use",
        "Replacing one of these libraries means changing the files beside it and no others.",
        table(["library", "used in"], libraries),
    )


def first_line(name: str) -> str:
    """The first sentence of a module's docstring, read without importing it."""
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.exists():
        return PAGES.get(name, "")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return literal(" ".join(text.split("\n\n")[0].split()))


PAGES = {
    "pages._ui.shell": "What every page of the app has: title, help, forms, words, progress.",
    "pages._ui.verdicts": "Buttons, history and files of verdicts.",
    "pages._ui.data": "Pieces of the Data page.",
    "pages._ui.train": "Pieces of the Train and Runs pages.",
    "pages._ui.alerts": "Pieces of the Alerts page.",
    "pages._ui.map": "Pieces of the Map page.",
    "pages._ui.evaluate": "Pieces of the Evaluate page.",
    "pages._ui.explain": "Pieces of the Explain page.",
    "pages._ui.review": "Pieces of the Review page.",
    "pages.prepare": "Pages Home and Data.",
    "pages.model": "Pages Train and Runs.",
    "pages.investigate": "Pages Alerts, Map, Explain, Reasons, Review and Calibration.",
    "pages.operate": "Pages Score file and Evaluate.",
}
"""Folders of the app that have no module docstring of their own."""
