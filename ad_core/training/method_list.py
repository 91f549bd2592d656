"""The methods in a few words each, read from the source text of the plug-ins instead of importing them.

Importing all plug-ins takes seconds, nearly all of it for PyTorch and scikit-learn, which a table doesn't need. Nothing
is cached, so the table can't be out of date. Where another package adds plug-ins, whose files are elsewhere, or where
an attribute is computed, everything is imported after all.
"""

import ast
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

from ad_core.types import Modality, PlugInKind

ROOT = Path(__file__).parents[1]

SOURCES: dict[PlugInKind, tuple[str, str]] = {
    "recipe": ("methods/recipe.py", "recipes"),
    "pretext": ("methods/pretext.py", "methods/pretexts"),
    "scorer": ("methods/scorer.py", "methods/scorers"),
    "reference": ("methods/reference.py", "methods/references"),
}
"""Kind -> the file of its contract, which has the defaults, and the folder of its plug-ins; in the table's order."""

GROUPS = tuple(f"anomaly_lens.{kind}s" for kind in ("recipe", "pretext", "scorer", "reference", "encoder", "reader"))
"""The entry-point groups through which another package adds plug-ins."""


class Method(NamedTuple):
    """A line of the table."""

    name: str
    kind: PlugInKind
    modalities: tuple[Modality, ...]
    title: str
    source: str
    problem: str = ""
    """Why the plug-in could not be loaded; "" = it was."""


def method_list() -> list[Method]:
    """Recipes, pretext tasks, scorers and classical detectors, then what could not be loaded."""
    if any(entry_points(group=group) for group in GROUPS):
        return imported()
    try:
        return read()
    except (LookupError, ValueError):
        return imported()


def imported() -> list[Method]:
    """The list by importing every plug-in."""
    from ad_core.training.catalogue import methods, not_loaded

    cards = (*methods(), *not_loaded())
    return [Method(c.name, c.kind, c.modalities, c.title, c.source, c.problem) for c in cards]


def read() -> list[Method]:
    """The list by reading the files of this package.

    Raises:
        LookupError, ValueError: a class can't be understood without importing it.
    """
    methods = []
    for kind, (contract, folder) in SOURCES.items():
        base = kind.capitalize()
        defaults = _attributes(_classes(ROOT / contract)[base])
        for path in sorted((ROOT / folder).glob("[!_]*.py")):
            (plug_in,) = [cls for cls in _classes(path).values() if _is_registered(cls)]
            inherits_more = [ast.unparse(parent).partition("[")[0] for parent in plug_in.bases] != [base]
            values = ({} if inherits_more else defaults) | _attributes(plug_in)
            name = path.stem if kind != "recipe" else path.stem.rpartition("_")[0]  # see `catalogue.recipe_name`
            methods.append(Method(name, kind, values["modalities"], values["title"], values["source"]))
    return methods


def _classes(path: Path) -> dict[str, ast.ClassDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _is_registered(cls: ast.ClassDef) -> bool:
    return any(isinstance(mark, ast.Attribute) and mark.attr == "register" for mark in cls.decorator_list)


def _attributes(cls: ast.ClassDef) -> dict[str, Any]:
    """The class attributes that the table shows.

    Raises:
        ValueError: one is computed, not written out.
    """
    values: dict[str, Any] = {}
    for node in cls.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        if name == "modalities":
            values[name] = _modalities(node.value)
        elif name in ("title", "source"):
            values[name] = ast.literal_eval(node.value)
    return values


def _modalities(node: ast.expr) -> tuple[Modality, ...]:
    """The value of `frozenset(Modality)` or `frozenset({Modality.TABLE, ...})`."""
    text = ast.unparse(node)
    if text == "frozenset(Modality)":
        return tuple(sorted(Modality))
    if not (match := re.fullmatch(r"frozenset\(\{((?:Modality\.[A-Z]+(?:, )?)+)\}\)", text)):
        raise ValueError(f"{text} is not written out")
    return tuple(sorted(Modality[name.removeprefix("Modality.")] for name in match[1].split(", ")))
