"""Files that are given, each once: a path given twice would count its rows twice."""

from collections.abc import Iterable, Sequence
from pathlib import Path

SHOWN = 5
"""Maximum number of files that are named in a sentence."""


def each_once(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """The files in their order, each where it comes first, and a sentence about those that were given again.

    Two paths are the same file if they lead to the same place, by whichever links.
    """
    given = list(paths)
    first = {path.expanduser().resolve(): path for path in reversed(given)}
    kept = [path for path in dict.fromkeys(given) if first[path.expanduser().resolve()] == path]
    seen, again = set(), []
    for path in given:
        place = path.expanduser().resolve()
        if place in seen and path.name not in again:
            again.append(path.name)
        seen.add(place)
    return kept, read_once(again)


def read_once(names: Sequence[str]) -> list[str]:
    """A sentence about files that were given more than once; none where there are none."""
    if not names:
        return []
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return [f"Given more than once, and read once: {', '.join(names[:SHOWN])}{more}."]


def short_names(paths: Sequence[Path]) -> list[str]:
    """The name of each path, with as many of its folders as it takes to tell all of them apart."""
    deepest = max((len(path.parts) for path in paths), default=1)
    for depth in range(1, deepest + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
