"""A plug-in is one class in one file. Built-in ones are found in their folder, others by an entry point.

A built-in plug-in's name is the stem of its file. Another package adds a plug-in through an entry point of the group
`anomaly_lens.<kind>`, whose name is the plug-in's name:

    [project.entry-points."anomaly_lens.pretexts"]
    odd_one_out = "my_package.tasks:OddOneOut"

A package that can't be imported, or whose plug-in has a name that is taken, breaks nothing else: the plug-in is listed
as not loaded with the reason, and only asking for its name is an error.
"""

import difflib
import importlib
import pkgutil
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar

from ad_core.errors import MethodError
from ad_core.types import Modality

C = TypeVar("C")
T = TypeVar("T")

NEEDED = ("title", "modalities", "Settings")
"""Class attributes that a plug-in must have to be listed."""


class Registry(Generic[C]):
    """The installed implementations of one contract, by name.

    Args:
        kind: singular noun for messages ("pretext task"); its plural folder is `package`.
        package: dotted name of the folder that holds one file per built-in implementation.
        group: entry-point group for other packages' implementations.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind, self._package, self._group = kind, package, group
        self._classes: dict[str, type[C]] = {}
        self._set_aside: dict[EntryPoint, type[C]] = {}
        """Classes that an entry point names; `_load` decides whether they get that name."""
        self._not_loaded: dict[str, str] = {}
        self._loaded = False

    def register(self, cls: type[T]) -> type[T]:
        """Class decorator: gives a class its name, also readable as `cls.name`.

        The name is that of the entry point that names the class or its module, else the stem of the file.

        Raises:
            ValueError: two classes in one file, or two files of one name.
        """
        if point := self._entry_point_of(cls):
            cls.name = point.name  # type: ignore[attr-defined]
            self._set_aside[point] = cls  # type: ignore[assignment]
            return cls
        name = cls.__module__.rpartition(".")[2]
        if name in self._classes:
            raise ValueError(f"{self.kind} {name!r} is registered twice: {self._classes[name]!r} and {cls!r}")
        cls.name = name  # type: ignore[attr-defined]
        self._classes[name] = cls  # type: ignore[assignment]
        return cls

    def names(self, modality: Modality | None = None) -> list[str]:
        """Names of those that could be loaded, in alphabetical order; of one modality if given."""
        self._load()
        return [
            name
            for name, cls in sorted(self._classes.items())
            if name not in self._not_loaded and (modality is None or modality in cls.modalities)  # type: ignore[attr-defined]
        ]

    def not_loaded(self) -> dict[str, str]:
        """Name -> why the plug-in of that name could not be loaded."""
        self._load()
        return dict(sorted(self._not_loaded.items()))

    def get(self, name: str) -> type[C]:
        """The class of that name.

        Raises:
            MethodError: there is none; the text names the closest. Or it could not be loaded; the text says why.
        """
        self._load()
        if name in self._not_loaded:
            raise MethodError(f"The {self.kind} {name!r} could not be loaded: {self._not_loaded[name]}")
        if name not in self._classes:
            close = difflib.get_close_matches(name, self._classes, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" There is: {', '.join(self.names())}."
            raise MethodError(f"There is no {self.kind} {name!r}.{hint}")
        return self._classes[name]

    def __contains__(self, name: str) -> bool:
        """Whether the name is known, also of a plug-in that could not be loaded: `get` then says why."""
        self._load()
        return name in self._classes or name in self._not_loaded

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        for name in sorted({point.name for point in self._points}):
            first, *others = [point for point in self._points if point.name == name]
            claims = [_in_words(point) for point in (first, *others)]
            if name in self._classes:
                own = self._classes[name]
                claims.insert(0, f"{own.__module__}:{own.__qualname__}")
            if len(claims) > 1:
                self._not_loaded[name] = (
                    f"{len(claims)} plug-ins have this name: {', '.join(claims)}. Uninstall all of these packages but "
                    f"one, or have one renamed."
                )
                continue
            try:
                self._classes[name] = self._loaded_class(first)
            except Exception as error:  # another package's code runs here, and may raise anything
                self._not_loaded[name] = f"{_in_words(first)} raised {type(error).__name__}: {error}"

    @cached_property
    def _points(self) -> tuple[EntryPoint, ...]:
        return tuple(entry_points(group=self._group))

    def _entry_point_of(self, cls: type) -> EntryPoint | None:
        """The entry point that names a class of another package, its module, or the package that re-exports it."""
        if cls.__module__.startswith(f"{self._package}."):
            return None
        for point in self._points:
            is_inside = f"{cls.__module__}.".startswith(f"{point.module}.")
            if (is_inside and point.attr == cls.__qualname__) or (point.module == cls.__module__ and not point.attr):
                return point
        return None

    def _loaded_class(self, point: EntryPoint) -> type[C]:
        plugin: Any = point.load()
        if isinstance(plugin, ModuleType):
            if point not in self._set_aside:
                raise TypeError(f"{plugin.__name__} registers no {self.kind}; the entry point should name a class")
            plugin = self._set_aside[point]
        if not isinstance(plugin, type):
            raise TypeError(f"{plugin!r} is not a class")
        if missing := [attribute for attribute in NEEDED if not hasattr(plugin, attribute)]:
            raise TypeError(f"{plugin.__name__} has no {' and no '.join(missing)}")
        plugin.name = point.name  # type: ignore[attr-defined]
        return plugin


def _in_words(point: EntryPoint) -> str:
    """Where a plug-in comes from: its class, and the package that brings it."""
    package = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    return f"{point.value}{package}"
