"""The images in the user's files, folders and zip files, and the relative path that identifies each."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ad_core.data.files.archives import SEPARATOR, SafeZip
from ad_core.data.files.each_once import short_names
from ad_core.data.files.image_files import SUFFIXES
from ad_core.errors import DataError


def find_images(sources: Sequence[Path], *, tell_apart: bool = True) -> tuple[list[tuple[str, str]], list[str]]:
    """List images in the order of the sources, sorted within each folder and zip.

    One folder or zip gives paths relative to itself; of several, each path starts with the name of its folder or zip.
    Single files are identified by their path from the folder that holds them all.

    Args:
        tell_apart: whether folders and zips of one name are told apart by the folders that they are in.

    Returns:
        (path, file) of every image, path with `/`, file as in `archives`; and the paths whose ending is not
        that of an image.

    Raises:
        DataError: a source does not exist or is a harmful zip, or there is no image at all.
    """
    images: list[tuple[str, str]] = []
    other: list[str] = []
    base = _common_folder(sources)
    names = _names([source.absolute() for source in sources], tell_apart=tell_apart)
    for source in map(Path.absolute, sources):
        prefix = f"{names[source]}/" if len(sources) > 1 else ""
        if source.is_dir():
            members = [(prefix + name, str(source / name)) for name in _in_folder(source)]
        elif source.suffix.lower() == ".zip":
            members = [(prefix + name, f"{source}{SEPARATOR}{name}") for name in _in_zip(source)]
        elif source.is_file():
            members = [(source.relative_to(base).as_posix() if base else source.name, str(source))]
        else:
            raise DataError(f"{source} does not exist. Check the spelling, or give the full path.")
        images += [(path, file) for path, file in members if _is_image(path)]
        other += [path for path, _ in members if not _is_image(path)]
    if not images:
        raise DataError(_nothing_found(sources, other))
    return images, other


def _names(sources: Sequence[Path], *, tell_apart: bool) -> dict[Path, str]:
    """The name of each source, which begins the paths of what is in it."""
    names = {source: source.stem if source.is_file() else source.name for source in sources}
    holders = [source for source in sources if source.is_dir() or source.suffix.lower() == ".zip"]
    if tell_apart and len({names[source] for source in holders}) < len(holders):
        names |= dict(zip(holders, short_names(holders), strict=True))
    return names


def _is_image(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def _in_folder(folder: Path) -> list[str]:
    """Relative paths of all files, sorted; without hidden files and folders."""
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return _sorted([name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)])


def _in_zip(path: Path) -> list[str]:
    with SafeZip(path) as archive:
        return _sorted(archive.names)


def _sorted(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: name.split("/"))


def _common_folder(sources: Sequence[Path]) -> Path | None:
    """The deepest folder that holds all sources that are single images."""
    folders = {str(s.absolute().parent) for s in sources if s.is_file() and s.suffix.lower() != ".zip"}
    if not folders:
        return None
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # on several drives
        return None


def _nothing_found(sources: Sequence[Path], other: list[str]) -> str:
    where = sources[0].name if len(sources) == 1 else f"the {len(sources)} sources"
    endings = Counter(PurePosixPath(path).suffix.lower() or "no ending" for path in other)
    what = ", ".join(f"{count:,} x {ending}" for ending, count in endings.most_common(5)) or "no file"
    return f"There are no images in {where} (found: {what}). Images are PNG, JPEG, BMP, TIFF, WebP or GIF files."
