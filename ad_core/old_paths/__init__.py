"""Old module paths, which work with a warning until release 0.3.0.

The six contracts were modules at the root, such as `ad_core.pretext`, and plug-ins of other packages import them from
there. `ad_core/__init__.py` adds this folder to the places where Python looks for the package's modules, so that
`ad_core/old_paths/pretext.py` is found as `ad_core.pretext`. That is one line and a plain file per module: no hook into
the import system, and no file at the root that is there only to be deleted. Modules whose old name is a package now,
such as `ad_core.detector`, give their old names by the same function.

For 0.3.0 delete this folder, the line in `ad_core/__init__.py`, and every use of `moved`.
"""

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

REMOVED_IN = "0.3.0"


def moved(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module whose names have moved: it warns, and gives the object at the new path.

    Args:
        module: the old path.
        names: old name -> `new.module:name`.
    """

    def old_name(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, new = names[name].partition(":")
        text = f"{module}.{name} has moved to {home}.{new}; the old path will be removed in {REMOVED_IN}."
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return getattr(import_module(home), new)

    return old_name


def unchanged(home: str, *names: str) -> dict[str, str]:
    """`names` for `moved`, of those that have kept their name."""
    return {name: f"{home}:{name}" for name in names}
