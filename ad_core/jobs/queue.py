"""Jobs: work in other processes, which goes on when the browser or the app is closed.

A job is a run in the store and a detached worker process. One job per device runs at a time, the others wait in order
of their submission. There is no server that keeps the queue: whoever submits, finishes or looks starts what can start.
"""

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ad_core.errors import StoreError
from ad_core.jobs import processes
from ad_core.storage import host, run_files
from ad_core.storage.store import RunRecord, Store

GRACE_S = 10.0
"""How long a job may go on after it was asked to stop."""

HEARTBEAT_S = 2.0
"""How often a worker gives a sign of life."""

SILENT_S = 60.0
"""After this long without a sign of life a worker on another computer counts as gone."""

ETA_FROM = 0.06
"""Before this share is done a forecast would be noise: how long the data took to load says nothing of the training."""

LOST = (
    "The process of this run ended without a word: it was killed, memory ran out, or the computer was restarted. "
    "What it had written is kept; run it again."
)


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as it looks now: `done` and `stage_done` are 0..1, `eta_s` is a forecast [s] or None.

    `facts` are the newest numbers, `curve` the points of the loss curve (`step`, `loss`, `held_out_loss`).
    """

    stage: str
    done: float
    stage_done: float
    eta_s: float | None
    facts: dict[str, float | None]
    curve: list[dict[str, Any]]
    log_tail: list[str]


def submit(
    store: Store, dataset_id: str, kind: str, config: dict[str, Any], name: str, parent: str | None = None
) -> RunRecord:
    """Queue a job, and start it if its device is free; see `Store.add_run`."""
    run = store.add_run(dataset_id, kind, config, name, parent)
    start_next(store)
    return store.run(run.id)


def rerun(store: Store, run_id: str) -> RunRecord:
    """Submit the same work again as a new run; the old one and its folder stay."""
    run = store.clone_run(run_id)
    start_next(store)
    return store.run(run.id)


def start_next(store: Store) -> list[RunRecord]:
    """Start the longest-waiting job of every device that is free; returns what was started."""
    running = [run for run in store.runs(status="running") if run.host == host.here()]
    busy = {run.slot for run in running}
    started = []
    for run in reversed(store.runs(status="queued")):
        occupied = slot(run.device)
        if occupied not in busy and _start(store, run, occupied):
            started.append(store.run(run.id))
        busy.add(occupied)
    return started


def cancel(store: Store, run_id: str) -> None:
    """Ask a job to stop. A waiting one stops at once, a running one soon, by force after GRACE_S.

    A run that has ended stays as it is.

    Raises:
        StoreError: there is no such run.
    """
    if store.finish(run_id, "stopped", was=("queued",)):
        return
    if store.run(run_id).status == "running":
        try:
            run_files.ask_to_cancel(store.folder(run_id))
        except OSError as error:
            raise StoreError(f"Run {run_id} can't be told to stop ({error}).") from error


def find_lost(store: Store, grace_s: float = GRACE_S) -> list[RunRecord]:
    """Find running jobs whose process is gone, then start what can start; call it often, it is cheap.

    Args:
        store: where to look.
        grace_s: a worker ends itself this long after it was asked to stop. One too stuck for that is ended here after
            twice the time.

    Returns:
        The runs that were found lost just now.
    """
    lost = []
    for run in store.runs(status="running"):
        asked = run_files.cancel_asked(store.folder(run.id))
        if asked is not None and time.time() - asked > 2 * grace_s:
            _end(run)
        if _alive(run):
            continue
        _end_leftovers(run)
        if asked is not None:
            store.finish(run.id, "stopped")
        elif store.finish(run.id, "lost", error=LOST):
            lost.append(store.run(run.id))
    start_next(store)
    return lost


def state(store: Store, run_id: str) -> JobState:
    """Where a job stands, read from its folder; also for one that waits or has ended.

    Raises:
        StoreError: there is no such run.
    """
    run, folder = store.run(run_id), store.folder(run_id)
    progress = run_files.read_progress(folder)
    return JobState(
        stage=progress.stage,
        done=1.0 if run.status == "done" else progress.done,
        stage_done=1.0 if run.status == "done" else progress.stage_done,
        eta_s=_eta_s(run, progress),
        facts=progress.facts,
        curve=run_files.read_curve(folder),
        log_tail=run_files.read_log(folder),
    )


def slot(device: str) -> str:
    """The one device that a job occupies: "auto" and "cuda" are led to what they most likely mean."""
    if device == "auto":
        return _default_device()
    return "cuda:0" if device == "cuda" else device


def _start(store: Store, run: RunRecord, occupied: str) -> bool:
    """Start a worker and give it the run; if somebody else was faster, the worker finds nothing to do and is ended."""
    folder = store.folder(run.id)
    # -P: whatever lies in the working directory must not be taken for a module.
    command = [sys.executable, "-P", "-m", "ad_core.jobs.worker", run.id]
    env = {**os.environ, "AD_HOME": str(store.home), "AD_DATABASE_URL": store.url, "PYTHONUNBUFFERED": "1"}
    try:
        pid = processes.spawn(command, env=env, cwd=folder, log=folder / run_files.LOG)
    except OSError as error:
        reason = (
            f"The worker process could not be started ({error.strerror}). Check memory and disk, then run it again."
        )
        store.finish(run.id, "failed", error=reason, was=("queued",))
        return False
    born = processes.started(pid)
    if born is None:
        return False  # it is over already; what it said is in the log, and the run still waits
    if store.claim(run.id, pid, born, occupied):
        return True
    mine = store.run(run.id)  # the worker itself may have been faster than we
    if (mine.pid, mine.pid_started) == (pid, born):
        return True
    processes.end(pid, born)
    return False


def _alive(run: RunRecord) -> bool:
    if run.host == host.here() and run.pid is not None and run.pid_started is not None:
        return processes.alive(run.pid, run.pid_started)
    # Its pid means nothing here; only its signs of life do.
    return run.heartbeat is not None and datetime.now(UTC) - run.heartbeat < timedelta(seconds=SILENT_S)


def _end(run: RunRecord) -> None:
    if run.host == host.here() and run.pid is not None and run.pid_started is not None:
        processes.end(run.pid, run.pid_started)
        until = time.monotonic() + 1.0
        while processes.alive(run.pid, run.pid_started) and time.monotonic() < until:
            time.sleep(0.01)  # a killed process is gone within milliseconds


def _end_leftovers(run: RunRecord) -> None:
    if run.host == host.here() and run.pid is not None:
        processes.end_leftovers(run.pid)


def _eta_s(run: RunRecord, progress: run_files.JobProgress) -> float | None:
    if run.status != "running" or progress.began is None or progress.done <= ETA_FROM:
        return None
    return max(time.time() - progress.began, 0.0) * (1.0 - progress.done) / progress.done


def devices() -> list[str]:
    """What there is to run on: "auto", "cpu" and every GPU that shows, found without importing torch."""
    first = _default_device()
    cuda = sorted(f"cuda:{node.name.removeprefix('nvidia')}" for node in Path("/dev").glob("nvidia[0-9]*"))
    return ["auto", "cpu", *(cuda if first.startswith("cuda") else [first] if first != "cpu" else [])]


@cache
def _default_device() -> str:
    """What "auto" most likely means here, found without importing torch, which takes seconds."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1"):
        with suppress(OSError):
            if any(Path("/dev").glob("nvidia[0-9]*")):
                return "cuda:0"
    return "mps" if sys.platform == "darwin" and os.uname().machine == "arm64" else "cpu"
