"""A plug-in is one class in one file; the file's stem is its name.

The files of a folder are installed by being there. A package of a third party adds one through an entry point of the
group `anomaly_lens.<kind>`, whose name is the plug-in's name.
"""

import difflib
import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from ad_core.errors import MethodError
from ad_core.types import Modality

C = TypeVar("C")
T = TypeVar("T")


class Registry(Generic[C]):
    """The installed implementations of one contract, by name.

    Args:
        kind: singular noun for messages ("pretext task"); its plural folder is `package`.
        package: dotted name of the folder that holds one file per implementation.
        group: entry-point group for other packages' implementations.
    """

    def __init__(self, kind: str, package: str, group: str) -> None:
        self.kind, self._package, self._group = kind, package, group
        self._classes: dict[str, type[C]] = {}
        self._loaded = False

    def register(self, cls: type[T]) -> type[T]:
        """Class decorator: the file's stem becomes the name, also readable as `cls.name`.

        Raises:
            ValueError: two classes in one file, or two files of one name.
        """
        name = cls.__module__.rpartition(".")[2]
        if name in self._classes:
            raise ValueError(f"{self.kind} {name!r} is registered twice: {self._classes[name]!r} and {cls!r}")
        cls.name = name  # type: ignore[attr-defined]
        self._classes[name] = cls  # type: ignore[assignment]
        return cls

    def names(self, modality: Modality | None = None) -> list[str]:
        """Names in alphabetical order; of one modality if given."""
        self._load()
        return [n for n, c in sorted(self._classes.items()) if modality is None or modality in c.modalities]  # type: ignore[attr-defined]

    def get(self, name: str) -> type[C]:
        """The class of that name.

        Raises:
            MethodError: there is none; the text names the closest.
        """
        self._load()
        if name not in self._classes:
            close = difflib.get_close_matches(name, self._classes, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" There is: {', '.join(sorted(self._classes))}."
            raise MethodError(f"There is no {self.kind} {name!r}.{hint}")
        return self._classes[name]

    def __contains__(self, name: str) -> bool:
        self._load()
        return name in self._classes

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        for point in entry_points(group=self._group):
            point.load()
