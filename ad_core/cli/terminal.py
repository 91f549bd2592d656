"""What the verbs share on their way out: progress on a terminal, and files that can be written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ad_core.errors import AdError

if TYPE_CHECKING:
    from ad_core.data.dataset import Dataset
    from ad_core.detector.detector import Detector


@contextmanager
def writable(out: Path) -> Iterator[None]:
    """Make the folder of a file that is written within.

    Raises:
        AdError: the folder or the file can't be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise AdError(
            f"{out} can't be written: {error.strerror or error}. Choose another place, or make room."
        ) from None


def write_parquet(table: Any, out: Path) -> None:
    """Write a data frame without its index.

    Raises:
        AdError: the file can't be written.
    """
    with writable(out):
        table.to_parquet(out, index=False)


def say_differences(detector: "Detector", dataset: "Dataset") -> None:
    """Print to stderr how the data were read, and how they differ from the training data.

    Raises:
        DataError: the data lack what the detector needs.
    """
    for sentence in (*dataset.notices, *detector.reader.match(dataset)):
        typer.echo(sentence, err=True)


class TerminalReport:
    """Follows the work with a progress bar on a terminal; elsewhere it only prints the notices, to stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task("load", total=1.0)

    def __enter__(self) -> "TerminalReport":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        self._bar.reset(self._task, description=name, total=1.0)

    def step(self, done: float, **facts: float) -> None:
        description = (
            "train" if not facts else "  ".join(f"{k} {v:.4g}" for k, v in facts.items() if isinstance(v, float))
        )
        self._bar.update(self._task, completed=done, description=description or None)

    def say(self, message: str) -> None:
        self._bar.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def check(self) -> None: ...
