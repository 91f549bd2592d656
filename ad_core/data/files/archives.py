"""Zip files from untrusted sources: the directory is checked before a byte is unpacked; members are read or extracted.

A member is addressed by one text, `archive.zip!/folder/name.png`, so that a data set can name its bytes without a copy
of them on disk.
"""

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from ad_core.errors import DataError, ResourceError

SEPARATOR = "!/"
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Limits:
    """What a zip file may unpack to. Sizes in bytes."""

    members: int = 500_000
    member_bytes: int = 1 << 30
    total_bytes: int = 64 << 30
    ratio: float = 150.0
    """Unpacked size over packed size of the whole file; deflate reaches 1032 at most, and photographs stay under 5."""
    ratio_from: int = 256 << 20
    """The ratio is checked only from this unpacked size on: a few blank BMP images are no zip bomb."""


class SafeZip:
    """A zip file whose directory passed the checks. Threads may read from one object at the same time.

    Sizes are those of the zip's directory; Python never unpacks more of a member than its directory entry says.

    Raises:
        DataError: it is no zip file or is cut off; a member has an absolute path or `..` in it, is a link or device,
            is encrypted, occurs twice, or is packed by an unknown method; or it would unpack to too much.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise DataError(
                f"{path.name} can't be opened as a zip file ({_why(error)}). Pack or copy it again."
            ) from None
        try:
            self._members = _checked(path, self._zip.infolist(), limits or Limits())
        except DataError:
            self._zip.close()
            raise

    @property
    def names(self) -> list[str]:
        """Files in archive order, folders with `/`; without folders themselves and metadata of macOS and Windows."""
        return list(self._members)

    def size(self, name: str) -> int:
        """Unpacked size of a member [byte]."""
        return self._member(name).file_size

    def read(self, name: str) -> bytes:
        """All bytes of a member.

        Raises:
            DataError: there is no such member, or its bytes are damaged.
        """
        member = self._member(name)
        try:
            return self._zip.read(member)
        except _BROKEN as error:
            raise DataError(f"{name} in {self.path.name} is damaged ({_why(error)}). Pack or copy it again.") from None

    def extract(self, folder: Path) -> list[Path]:
        """Unpack all members below a folder.

        Returns:
            The files, in archive order.

        Raises:
            DataError: a member is damaged, or is a file where another needs a folder.
            ResourceError: the disk has no room for it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        needed = sum(member.file_size for member in self._members.values())
        if needed > (free := shutil.disk_usage(folder).free):
            raise ResourceError(
                f"{self.path.name} unpacks to {_readable(needed)}, but only {_readable(free)} are free at {folder}. "
                f"Make room, or give another folder."
            )
        return [self._extract(name, folder) for name in self._members]

    def close(self) -> None:
        """Release the file."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _extract(self, name: str, folder: Path) -> Path:
        target = folder.joinpath(*PurePosixPath(name).parts)
        content = self.read(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise DataError(
                f"{self.path.name} holds {name} both as a file and as a folder. Pack it again without one of them."
            ) from None
        return target

    def _member(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._members[name]
        except KeyError:
            raise DataError(f"There is no {name} in {self.path.name}. Was the zip file replaced?") from None


def member_of(file: str) -> tuple[Path, str] | None:
    """Take `archive.zip!/folder/name.png` apart; None when the text names a plain file."""
    if SEPARATOR not in file or Path(file).exists():
        return None
    for at in (match.start() for match in re.finditer(re.escape(SEPARATOR), file)):
        if Path(file[:at]).is_file():
            return Path(file[:at]), file[at + len(SEPARATOR) :]
    return None


def _why(error: BaseException) -> str:
    """The beginning of a library's text; a damaged header is quoted in it, with all that follows."""
    return str(error)[:150]


def read_bytes(file: str) -> bytes:
    """The bytes of a plain file, or of a member written as `archive.zip!/folder/name.png`.

    Raises:
        DataError: it is gone, may not be read, or is damaged.
    """
    if (member := member_of(file)) is not None:
        archive, name = member
        with _gone_in_words(archive):
            state = archive.stat()
        return _opened(archive, state.st_mtime_ns, state.st_size).read(name)
    with _gone_in_words(Path(file)):
        return Path(file).read_bytes()


@contextmanager
def _gone_in_words(path: Path) -> Iterator[None]:
    """Only the name is said: the text becomes the note of a row, which goes into reports."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path.name} can't be read ({error.strerror}). Was it moved or deleted?") from None


@lru_cache(maxsize=4)
def _opened(path: Path, modified_ns: int, size: int) -> SafeZip:  # noqa: ARG001  a changed file is another key
    """Cached, as reading the directory of a zip of 100,000 images takes a second."""
    return SafeZip(path)


def _checked(path: Path, infos: list[zipfile.ZipInfo], limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """The files of a zip by their name with `/`, or a DataError."""
    if len(infos) > limits.members:
        raise DataError(
            f"{path.name} holds {len(infos):,} members, more than the {limits.members:,} that are read. "
            f"Split it into several zip files."
        )
    _refuse_bomb(path, infos, limits)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _safe_name(path, info)
        if info.is_dir() or _is_litter(name):
            continue
        _refuse_unreadable(path, name, info)
        if name in members:
            raise DataError(f"{path.name} holds {name} twice. Pack it again with every name once.")
        members[name] = info
    return members


def _refuse_bomb(path: Path, infos: list[zipfile.ZipInfo], limits: Limits) -> None:
    total = sum(info.file_size for info in infos)
    packed = max(1, path.stat().st_size)
    largest = max(infos, key=lambda info: info.file_size, default=None)
    advice = "This looks like a zip bomb; if it is not, unpack it yourself and open the folder."
    if total > limits.total_bytes:
        raise DataError(
            f"{path.name} would unpack to {_readable(total)}, more than {_readable(limits.total_bytes)}. {advice}"
        )
    if largest is not None and largest.file_size > limits.member_bytes:
        raise DataError(
            f"{largest.filename} in {path.name} would unpack to {_readable(largest.file_size)}, "
            f"more than {_readable(limits.member_bytes)} for one file. {advice}"
        )
    if total > limits.ratio_from and total / packed > limits.ratio:
        raise DataError(
            f"{path.name} would unpack to {_readable(total)}, {total / packed:,.0f} times its own size "
            f"(up to {limits.ratio:,.0f} times is typical). {advice}"
        )


def _safe_name(path: Path, info: zipfile.ZipInfo) -> str:
    """The member's name with `/`; some packers for Windows write backslashes."""
    name = info.filename.replace("\\", "/")
    parts = name.split("/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts or not name.strip("/. "):
        raise DataError(
            f"{path.name} holds a member that would land outside its folder ({info.filename!r}). "
            f"Pack it again with relative paths and without '..'."
        )
    return "/".join(part for part in parts if part not in ("", "."))


def _refuse_unreadable(path: Path, name: str, info: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a symbolic link" if kind == stat.S_IFLNK else "neither a file nor a folder"
        raise DataError(f"{name} in {path.name} is {what}. Pack the files themselves.")
    if info.flag_bits & 0x1:
        raise DataError(f"{name} in {path.name} is encrypted. Unpack it with its password and open the folder.")
    if info.compress_type not in _METHODS:
        raise DataError(
            f"{name} in {path.name} is packed by a method that can't be read (number {info.compress_type}). "
            f"Pack it again by the default method (deflate)."
        )


def _is_litter(name: str) -> bool:
    """Shadow copies and folder settings that macOS and Windows leave in zip files."""
    parts = name.split("/")
    hidden = parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)
    return hidden or parts[-1].lower() in ("thumbs.db", "desktop.ini")


def _readable(size: int) -> str:
    """A size in bytes for a sentence."""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:,.0f} {units[0]}" if value >= 10 or units[0] == "B" else f"{value:,.1f} {units[0]}"
