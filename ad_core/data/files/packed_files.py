"""Tables in compressed files and zip archives, unpacked into a folder that is removed after reading."""

import lzma
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from ad_core.data.files.archives import Limits, SafeZip
from ad_core.errors import DataError, ResourceError

_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ": "xz"}
PACKED = frozenset({".gz", ".bz2", ".zst", ".xz", ".zip"})
"""Endings of the names of packed files."""
BLOCK = 4_194_304


@dataclass(frozen=True)
class Unpacked:
    """Files that can be read as they are."""

    paths: list[Path]
    notices: list[str]
    """What was found in archives."""


@contextmanager
def unpacked(paths: Sequence[Path], suffixes: frozenset[str]) -> Iterator[Unpacked]:
    """The files themselves, packed ones unpacked; of a zip archive, the files with one of these endings.

    Raises:
        DataError: an archive holds none, or is damaged.
        ResourceError: the disk has no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="anomaly-lens-") as folder:
        plain: list[Path] = []
        notices: list[str] = []
        for number, path in enumerate(paths):
            target = Path(folder) / str(number)
            method = _method(path)
            if method:
                plain.append(_decompressed(path, method, target))
            elif _is_zip(path):
                members, said = _members(path, suffixes, target)
                plain += members
                notices += said
            else:
                plain.append(path)
        yield Unpacked(plain, notices)


def tables_in_zip(path: Path, suffixes: frozenset[str]) -> list[str]:
    """The members of a zip archive with one of these endings.

    Raises:
        DataError: it is damaged.
    """
    with SafeZip(path) as archive:
        return [name for name in archive.names if _ending(name) in suffixes - {".zip"}]


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _method(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        head = file.read(8)
    return next((method for magic, method in _COMPRESSED.items() if head.startswith(magic)), "")


def _is_zip(path: Path) -> bool:
    if path.suffix.lower() != ".zip" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _decompressed(path: Path, method: str, folder: Path) -> Path:
    """The unpacked file, named as the packed one without its last ending."""
    folder.mkdir()
    target = folder / (path.stem if path.suffix.lower() in PACKED else path.name)
    limit, written = Limits().total_bytes, 0
    free = shutil.disk_usage(folder).free
    try:
        with _stream(path, method) as source, target.open("wb") as out:
            while block := source.read(BLOCK):
                written += len(block)
                if written > min(limit, free):
                    raise ResourceError(f"{path.name} unpacks to more than {min(limit, free) / 1e9:.0f} GB. Make room.")
                out.write(block)
    except (OSError, EOFError, lzma.LZMAError, pa.ArrowException) as error:
        why = str(error).splitlines()[0][:100] if str(error) else "cut off"
        raise DataError(f"{path.name} can't be unpacked ({why}). Pack or copy it again.") from None
    return target


def _stream(path: Path, method: str) -> Any:
    return lzma.open(path) if method == "xz" else pa.input_stream(str(path), compression=method)


def _members(path: Path, suffixes: frozenset[str], folder: Path) -> tuple[list[Path], list[str]]:
    names = tables_in_zip(path, suffixes)
    with SafeZip(path) as archive:
        if not names:
            found = ", ".join(archive.names[:5]) or "nothing"
            raise DataError(f"{path.name} holds no table (found: {found}). Pack CSV, Parquet or Excel files.")
        plain = []
        for name in names:
            target = folder.joinpath(*PurePosixPath(name).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
            plain.append(target)
        left = [name for name in archive.names if name not in names]
    many = f"{len(names)} tables" if len(names) > 1 else "one table"
    said = [f"{path.name} holds {many}: {', '.join(names[:10])}{' and more' if len(names) > 10 else ''}."]
    if left:
        said.append(f"Left out of {path.name}, as they are no tables: {', '.join(left[:5])}.")
    return plain, said
