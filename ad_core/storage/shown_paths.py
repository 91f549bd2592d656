"""Paths as reports show them: nothing in them tells how the folders of this machine are called."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any


def short_sources(sources: Sequence[str]) -> list[str]:
    """The names of files or folders; of several, their paths from the folder that holds them all."""
    paths = [Path(source) for source in sources]
    if len(paths) < 2:
        return [path.name or str(path) for path in paths]
    try:
        base = Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:  # on several drives, or some relative
        return [path.name for path in paths]
    return [path.relative_to(base).as_posix() for path in paths]


def without_folders(value: Any) -> Any:
    """Settings with the last name in place of every absolute path, as of the folder of a checkpoint."""
    if isinstance(value, dict):
        return {name: without_folders(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(one) for one in value]
    if isinstance(value, str):
        for path in (PurePosixPath(value), PureWindowsPath(value)):
            if path.is_absolute() and path.name:
                return path.name
    return value


def command_in_home(*words: str, home: Path) -> str:
    """A command of this program; words below the home folder of the installation start with "$AD_HOME"."""
    written = []
    for word in words:
        inside = Path(word).is_absolute() and Path(word).is_relative_to(home)
        rest = shlex.quote(Path(word).relative_to(home).as_posix()) if inside else shlex.quote(word)
        written.append(f'"$AD_HOME"/{rest}' if inside else rest)
    return " ".join(["python", "-m", "ad_core", *written])
