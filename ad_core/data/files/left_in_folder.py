"""What may be data in a folder but is not read."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ad_core.data.files.packed_files import PACKED
from ad_core.data.files.tabular_files import SUFFIXES, is_one_table

NAMED = 5
"""Maximum number of names in the sentence."""


def left_in(folders: Iterable[Path], files: Sequence[Path]) -> list[str]:
    """A sentence for each folder with tables, archives or folders of them that are not among the files that are read.

    Args:
        folders: what the user named; files among them are passed over.
        files: those that are read.
    """
    read, said = set(files), []
    for folder in folders:
        if not folder.is_dir() or is_one_table(folder):
            continue
        left = [path for path in sorted(folder.iterdir()) if path not in read and _may_be_data(path)]
        if left:
            names = ", ".join(path.name + "/" * path.is_dir() for path in left[:NAMED])
            more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
            said.append(
                f"Left out of the folder {folder.name}: {names}{more}. If these files belong to the data, name each "
                f"file instead of the folder."
            )
    return said


def _may_be_data(path: Path) -> bool:
    if path.name.startswith((".", "~$")):
        return False
    if path.is_dir():
        return any(_may_be_data(inner) for inner in path.iterdir())
    return path.suffix.lower() in SUFFIXES | PACKED
