"""The progress files in a run's folder: the worker writes them, the app and the command line read them.

`progress.json` is replaced as a whole, lines are appended to `curve.jsonl` and `log.txt`, and the file `cancel` is a
flag. A reader never sees an incomplete file; it skips a last line without a line end.
"""

import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ad_core.errors import Cancelled, DamagedError

PROGRESS, CURVE, LOG, CANCEL = "progress.json", "curve.jsonl", "log.txt", "cancel"

WEIGHTS: dict[str, dict[str, float]] = {
    "train": {
        "load": 0.02,
        "profile": 0.02,
        "split": 0.01,
        "train": 0.6,
        "calibrate": 0.05,
        "score": 0.1,
        "map": 0.1,
        "explain": 0.1,
    },
    "score": {"load": 0.1, "score": 0.5, "map": 0.2, "explain": 0.2},
    "explain": {"load": 0.2, "explain": 0.8},
    "recommend": {"load": 0.03, "profile": 0.02, "split": 0.02, "train": 0.93},
    "sensitivity": {"load": 0.03, "train": 0.97},
    "masks": {"load": 0.1, "score": 0.9},
    "whatif": {"load": 0.7, "score": 0.3},
    "counterfactual": {"load": 0.3, "search": 0.7},
}
"""Kind of run -> stage -> its typical share of the run time; a stage that is not listed counts as 0."""

WRITE_EVERY_S = 0.25
"""Minimum time between two writes: a training step of a small table takes only a millisecond."""

CURVE_POINTS = 2000
"""Beyond this many points only every 2nd, 3rd, ... is kept, so that the curve of a long training can be drawn."""

TAIL_BYTES = 64_000
"""Maximum number of bytes read from the end of a log."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Progress of a run: `stage_done` of the current stage, `done` of the run, both 0..1; `facts`: the newest numbers.

    `began` is the start of the first stage [s since 1970]; starting the process before it takes some seconds.
    """

    stage: str = ""
    stage_done: float = 0.0
    done: float = 0.0
    facts: dict[str, float | None] = field(default_factory=dict)
    began: float | None = None


class LiveReport:
    """A `progress.Report` that writes into a run's folder."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.weights = WEIGHTS[kind]
        self.progress = JobProgress()
        self._points = 0
        self._pending: list[str] = []
        self._due = 0.0

    def stage(self, name: str) -> None:
        before = 0.0
        if name in self.weights:
            stages = list(self.weights)
            before = sum(self.weights[earlier] for earlier in stages[: stages.index(name)])
        # A stage that is repeated, or comes out of order, must not move the progress bar backwards.
        began = self.progress.began or time.time()
        self.progress = JobProgress(name, 0.0, max(self.progress.done, before), {}, began)
        self.say(f"Stage: {name}")
        self._write()

    def step(self, done: float, **facts: float) -> None:
        stage_done = min(max(float(done), 0.0), 1.0)
        share = self.weights.get(self.progress.stage, 0.0)
        gained = max(stage_done - self.progress.stage_done, 0.0) * share
        numbers = {name: _finite(value) for name, value in facts.items()}
        self.progress = replace(
            self.progress,
            stage_done=max(stage_done, self.progress.stage_done),
            done=min(self.progress.done + gained, 1.0),
            facts={**self.progress.facts, **numbers},
        )
        if "loss" in numbers or "held_out_loss" in numbers:
            self._draw(numbers)
        if stage_done >= 1.0 or time.monotonic() >= self._due:
            self._write()

    def say(self, message: str) -> None:
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {message}\n")

    def check(self) -> None:
        if cancel_asked(self.folder) is not None:
            raise Cancelled("The run was stopped.")

    def _draw(self, numbers: Mapping[str, float | None]) -> None:
        self._points += 1
        stride = 1 + self._points // CURVE_POINTS
        # The held-out loss comes once per epoch and is the important one: it is always kept.
        if "held_out_loss" in numbers or self._points % stride == 0:
            self._pending.append(json.dumps({"step": self._points, **numbers}) + "\n")

    def _write(self) -> None:
        self._due = time.monotonic() + WRITE_EVERY_S
        replace_text(self.folder / PROGRESS, json.dumps(asdict(self.progress)))
        if self._pending:
            with (self.folder / CURVE).open("a", encoding="utf-8") as curve:
                curve.write("".join(self._pending))
            self._pending = []


def replace_text(file: Path, text: str) -> None:
    """Write a file atomically: readers see the old one or the new one."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def read_progress(folder: Path) -> JobProgress:
    """The last progress written; that of a run that has not begun if there is none.

    Raises:
        DamagedError: the file was edited.
    """
    try:
        return JobProgress(**json.loads((folder / PROGRESS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return JobProgress()
    except (ValueError, TypeError):
        raise DamagedError(f"{PROGRESS} of run {folder.name} can't be read. Its results are not affected.") from None


def read_curve(folder: Path) -> list[dict[str, Any]]:
    """The loss curve so far: `step`, `loss` and, at times, `held_out_loss`.

    Raises:
        DamagedError: the file was edited.
    """
    try:
        text = (folder / CURVE).read_text(encoding="utf-8")
        points = [json.loads(line) for line in text.split("\n")[:-1] if line]
        if all(isinstance(point, dict) and "step" in point for point in points):
            return points
    except FileNotFoundError:
        return []
    except ValueError:
        pass
    raise DamagedError(f"The loss curve of run {folder.name} ({CURVE}) can't be read. Its results are not affected.")


def read_log(folder: Path, lines: int = 200) -> list[str]:
    """The last lines of the log; of a line with carriage returns (a progress bar), the text after the last one."""
    try:
        with (folder / LOG).open("rb") as log:
            start = max(log.seek(0, os.SEEK_END) - TAIL_BYTES, 0)
            log.seek(start)
            text = log.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    shown = shown[1:] if start else shown  # the first one may lack its beginning
    return [line for line in shown if line][-lines:]


def ask_to_cancel(folder: Path) -> None:
    """Set the flag that `LiveReport.check` looks for; setting it again does not extend the grace period."""
    if cancel_asked(folder) is None:
        (folder / CANCEL).touch()


def cancel_asked(folder: Path) -> float | None:
    """The time at which the run was asked to stop [s since 1970], or None."""
    try:
        return (folder / CANCEL).stat().st_mtime
    except FileNotFoundError:
        return None


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
