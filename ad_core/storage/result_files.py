"""Result files: written atomically with a checksum beside them, and never read as results when they are damaged.

The checksum of `scores.parquet` lies in `.scores.parquet.sha256`. While a file is replaced its checksums are both the
old and the new one, so a reader always finds a file that matches. Files of older versions have none and are read
unchecked; what can't be read at all is damaged in any case.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ad_core.errors import DamagedError
from ad_core.storage.run_files import replace_text

T = TypeVar("T")

AGAIN_S = 0.05
"""A file that does not match its checksum is read once more after this time: it may just have been replaced."""


class Draft:
    """New content of a result file, complete on the disk; `publish` puts it in the file's place."""

    def __init__(self, file: Path, write: Callable[[Path], object]) -> None:
        self.file, self._draft = file, file.with_name(f".draft-{file.name}")
        write(self._draft)

    def publish(self) -> None:
        """Replace the file: readers see the old content or the new one."""
        with _locked(self.file.parent):
            new = _sha256(self._draft.read_bytes())
            now = [_sha256(self.file.read_bytes())] if self.file.exists() else []
            replace_text(_checksums(self.file), "\n".join([*now, new]))
            self._draft.replace(self.file)
            replace_text(_checksums(self.file), new)


def draft_table(file: Path, table: pd.DataFrame) -> Draft:
    """A table as Parquet."""
    return Draft(file, lambda to: table.to_parquet(to, index=False))


def draft_facts(file: Path, facts: dict[str, Any]) -> Draft:
    """JSON-able facts."""
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    return Draft(file, lambda to: to.write_text(text, encoding="utf-8"))


def draft_array(file: Path, values: np.ndarray) -> Draft:
    """An array in NumPy's format."""

    def write(to: Path) -> None:
        with to.open("wb") as stream:
            np.save(stream, values, allow_pickle=False)

    return Draft(file, write)


def remove(file: Path) -> None:
    """Delete a result file, if it is there, with its checksum."""
    with _locked(file.parent):
        _checksums(file).unlink(missing_ok=True)
        file.unlink(missing_ok=True)


def read_table(file: Path) -> pd.DataFrame | None:
    """The table, or None where there is none.

    Raises:
        DamagedError: it was cut off, edited or deleted.
    """
    return _read(file, lambda content: pd.read_parquet(BytesIO(content)))


def read_facts(file: Path) -> dict[str, Any] | None:
    """As `read_table`."""
    return _read(file, lambda content: dict(json.loads(content.decode("utf-8"))))


def read_array(file: Path) -> np.ndarray | None:
    """As `read_table`."""
    return _read(file, lambda content: np.lib.format.read_array(BytesIO(content), allow_pickle=False))


def _read(file: Path, parse: Callable[[bytes], T]) -> T | None:
    content = _checked(file)
    if content is None:
        return None
    from pyarrow import ArrowException

    try:
        return parse(content)
    except (ValueError, TypeError, EOFError, OSError, KeyError, ArrowException):
        raise _damaged(file, "can't be read") from None


def _checked(file: Path) -> bytes | None:
    """The content of a file that matches its checksum, where it has one."""
    for pause in (0.0, AGAIN_S):
        time.sleep(pause)
        try:
            valid = _checksums(file).read_text(encoding="ascii", errors="replace").split()
        except FileNotFoundError:
            valid = []
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            content = None
        if (not valid) if content is None else (not valid or _sha256(content) in valid):
            return content
    raise _damaged(file, "was deleted" if content is None else "was cut off or edited: its checksum differs")


def _damaged(file: Path, what: str) -> DamagedError:
    run = file.parent if file.parent.name not in ("maps", "counterfactuals") else file.parent.parent
    explains = run != file.parent or file.stem in ("explanations", "neighbours", "checks")
    again = "Explain the row again" if explains else "Repeat the run on the Runs page"
    return DamagedError(f"{file.relative_to(run).as_posix()} of run {run.name} {what}. {again} to make it anew.")


def _checksums(file: Path) -> Path:
    return file.with_name(f".{file.name}.sha256")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time publishes in a folder; readers need no lock."""
    from filelock import FileLock

    with FileLock(folder / ".results.lock"):
        yield
