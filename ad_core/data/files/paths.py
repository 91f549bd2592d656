"""Paths that people name: they lead to a file or a folder, or the reason is said in one sentence."""

from collections.abc import Sequence
from pathlib import Path

from ad_core.errors import DataError

SHOWN = 80
"""Maximum number of characters of a path in a sentence: its last ones."""


def existing(sources: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files and folders that are named, as absolute paths; `~` is the home folder.

    Raises:
        DataError: nothing is named, or one does not exist, can't be opened, or is neither a file nor a folder.
    """
    paths = [Path(sources)] if isinstance(sources, str | Path) else [Path(path) for path in sources]
    if not paths:
        raise DataError("No file was given. Name a file, several files, or a folder.")
    return [_existing(path) for path in paths]


def _existing(path: Path) -> Path:
    shown = str(path) if len(str(path)) <= SHOWN else f"…{str(path)[1 - SHOWN :]}"  # the end names the file
    try:
        full = path.expanduser().resolve()
        if not full.exists():
            raise DataError(f"{shown} does not exist. Check the spelling, or give the full path.")
        if not (full.is_file() or full.is_dir()):
            raise DataError(
                f"{shown} is a pipe or a device, not a file or a folder. Save what comes from it to a file first."
            )
    except RuntimeError:
        raise DataError(f"{shown} names the home folder of a user that does not exist. Give the full path.") from None
    except OSError as error:
        raise DataError(f"{shown} can't be opened: {error.strerror}. Give the path of a file or a folder.") from None
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown!r} is no path: {error}. Give the path of a file or a folder.") from None
    return full
