"""Public names of the package, from its own `__all__`; autodoc fills in their docstrings during the build."""

import importlib
import inspect
from types import ModuleType

from _generators.markdown import code, page, table

PLUGINS = "ad_core.plugins"
OF_A_CLASS = "   :members:\n   :exclude-members: model_config\n   :show-inheritance:"

INTRO = """\
Everything on this page can be imported from `ad_core` and keeps its name and arguments from one release to the next
(see [](../developing/deprecation.md)). Everything else is internal and may change without notice.

```python
from ad_core import open_dataset, train, load_detector
```"""

INTRO_PLUGINS = """\
A plug-in imports its contract, its registry and the value objects that it gets from `ad_core.plugins`, and nothing else
of this package. How to write one: [](../developing/plugins.md)."""


def public_names() -> str:
    """The page of `ad_core.__all__`."""
    return page("Python API", INTRO, *_blocks(importlib.import_module("ad_core")))


def plugin_names() -> str:
    """The page of `ad_core.plugins.__all__`."""
    blocks = _blocks(importlib.import_module(PLUGINS))
    return page("API for plug-ins", INTRO_PLUGINS, *blocks, _contracts())


def _contracts() -> str:
    from _generators.methods import REGISTRIES

    rows = [
        (registry.kind, code(registry._group), ", ".join(code(name) for name in registry.names()))
        for registry in REGISTRIES.values()
    ]
    return "## Entry-point groups\n\n" + table(["plug-in", "entry-point group", "installed"], rows)


def _blocks(module: ModuleType) -> list[str]:
    """Functions, classes, errors, and other values, each under its heading; the order is that of `__all__`."""
    kinds: dict[str, list[str]] = {"Functions": [], "Classes": [], "Errors": [], "Values": []}
    for name in module.__all__:
        value, full = getattr(module, name), f"{module.__name__}.{name}"
        if inspect.isclass(value) and issubclass(value, Exception):
            kinds["Errors"].append(f".. autoexception:: {full}\n   :show-inheritance:")
        elif inspect.isclass(value):
            kinds["Classes"].append(f".. autoclass:: {full}\n{OF_A_CLASS}")
        elif inspect.isroutine(value):
            kinds["Functions"].append(f".. autofunction:: {full}")
        else:
            about = f": {value.kind} registry" if hasattr(value, "kind") else f" = ``{value!r}``"
            kinds["Values"].append(f"- ``{full}``{about}")
    return [
        f"## {title}\n\n```{{eval-rst}}\n" + "\n\n".join(entries) + "\n```"
        for title, entries in kinds.items()
        if entries
    ]
