"""Run folders and upload folders on the disk."""

import json
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ad_core.storage.run_files import replace_text


def unused_name(folder: Path) -> str:
    """Eight random hex digits that name nothing in a folder yet."""
    while (folder / (name := secrets.token_hex(4))).exists():
        pass
    return name


def make_run_folder(folder: Path, config: dict[str, Any]) -> None:
    """Make the folder of a run, with its config in `config.json`."""
    folder.mkdir(parents=True)
    replace_text(folder / "config.json", json.dumps(config, indent=1))


def remove(folders: Iterable[Path]) -> None:
    """Delete folders with all that is in them; one that is gone already is skipped."""
    for folder in folders:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def unused_uploads(uploads: Path, sources: Iterable[str], still_used: Iterable[str]) -> list[Path]:
    """The upload folders of some sources in which no other data set has a source.

    Args:
        uploads: the folder that holds the upload folders.
        sources: of the data set that was deleted.
        still_used: the sources of all other data sets.
    """
    inside = [Path(source) for source in sources if Path(source).is_relative_to(uploads)]
    folders = {uploads / path.relative_to(uploads).parts[0] for path in inside if path != uploads}
    used = [Path(source) for source in still_used]
    return [folder for folder in folders if not any(path.is_relative_to(folder) for path in used)]


def size(folder: Path) -> int:
    """Bytes in a folder and the folders below it; 0 if it does not exist."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # a worker may replace a file while its size is read
            total += file.lstat().st_size if not file.is_dir() else 0
    return total
