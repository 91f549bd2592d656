"""The queue of jobs. They run in other processes and go on when the browser or the app is closed.

A job is a run in the store and a detached worker process. One job per device runs at a time; the others wait in the
order of their submission. No server keeps the queue: each process that submits, finishes or looks for lost jobs starts
the next ones.
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

from ad_core.errors import DamagedError, StoreError
from ad_core.jobs import processes
from ad_core.storage import host, run_files
from ad_core.storage.store import RunRecord, Store

GRACE_S = 10.0
"""Maximum time that a job may go on after it was asked to stop [s]."""

HEARTBEAT_S = 2.0
"""Time between two heartbeats of a worker [s]."""

SILENT_S = 60.0
"""Time without a heartbeat after which a worker on another computer counts as lost [s]."""

ETA_FROM = 0.06
"""Share of a run that must be done before its end is forecast: the time to load the data predicts nothing."""

LOST = (
    "The process of this run ended unexpectedly: it was killed, memory ran out, or the computer was restarted. "
    "The results it had written are kept; run it again."
)


@dataclass(frozen=True, slots=True)
class JobState:
    """The present state of a job: `done` and `stage_done` are 0..1, `eta_s` is the forecast time left [s] or None.

    `facts` are the newest numbers, `curve` the points of the loss curve (`step`, `loss`, `held_out_loss`).
    """

    stage: str
    done: float
    stage_done: float
    eta_s: float | None
    facts: dict[str, float | None]
    curve: list[dict[str, Any]]
    log_tail: list[str]
    damage: tuple[str, ...] = ()
    """A sentence for each of its files that can't be read."""


def submit(
    store: Store, dataset_id: str, kind: str, config: dict[str, Any], name: str, parent: str | None = None
) -> RunRecord:
    """Queue a job, and start it if its device is free; see `Store.add_run`."""
    run = store.add_run(dataset_id, kind, config, name, parent)
    start_next(store)
    return store.run(run.id)


def rerun(store: Store, run_id: str) -> RunRecord:
    """Submit the same job again as a new run; the old run and its folder stay."""
    run = store.clone_run(run_id)
    start_next(store)
    return store.run(run.id)


def start_next(store: Store) -> list[RunRecord]:
    """Start the longest-waiting job of every free device; returns the started runs."""
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
    """Ask a job to stop. A queued job stops at once; a running one stops soon, or is killed after GRACE_S.

    A run that has ended does not change.

    Raises:
        StoreError: there is no such run.
    """
    if store.finish(run_id, "stopped", was=("queued",)):
        return
    if store.run(run_id).status == "running":
        try:
            run_files.ask_to_cancel(store.folder(run_id))
        except OSError as error:
            raise StoreError(
                f"Run {run_id} can't be asked to stop ({error}). Check the disk and the permissions of its folder."
            ) from error


def find_lost(store: Store, grace_s: float = GRACE_S) -> list[RunRecord]:
    """Mark running jobs whose process has ended as lost, then start the next jobs; cheap enough to be called often.

    Args:
        store: the store.
        grace_s: time after which a worker that was asked to stop ends itself. One that hangs is killed here after twice
            that time.

    Returns:
        The runs that this call marked as lost.
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
    """The state of a job, read from its folder; also of one that is queued or has ended.

    Raises:
        StoreError: there is no such run.
    """
    run, folder = store.run(run_id), store.folder(run_id)
    progress, curve, damage = run_files.JobProgress(), list[dict[str, Any]](), list[str]()
    try:
        progress = run_files.read_progress(folder)
    except DamagedError as error:
        damage.append(str(error))
    try:
        curve = run_files.read_curve(folder)
    except DamagedError as error:
        damage.append(str(error))
    return JobState(
        stage=progress.stage,
        done=1.0 if run.status == "done" else progress.done,
        stage_done=1.0 if run.status == "done" else progress.stage_done,
        eta_s=_eta_s(run, progress),
        facts=progress.facts,
        curve=curve,
        log_tail=run_files.read_log(folder),
        damage=tuple(damage),
    )


def slot(device: str) -> str:
    """The device that a job occupies: "auto" and "cuda" become the device that they most likely mean."""
    if device == "auto":
        return _default_device()
    return "cuda:0" if device == "cuda" else device


def _start(store: Store, run: RunRecord, occupied: str) -> bool:
    """Start a worker and give it the run; if another process was faster, the worker is ended."""
    folder = store.folder(run.id)
    # -P: files in the working directory must not be imported as modules.
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
        return False  # it has ended already; its messages are in the log, and the run is still queued
    if store.claim(run.id, pid, born, occupied):
        return True
    mine = store.run(run.id)  # the worker itself may have claimed the run first
    if (mine.pid, mine.pid_started) == (pid, born):
        return True
    processes.end(pid, born)
    return False


def _alive(run: RunRecord) -> bool:
    if run.host == host.here() and run.pid is not None and run.pid_started is not None:
        return processes.alive(run.pid, run.pid_started)
    # On another computer the pid can't be checked; only heartbeats tell.
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
    """The devices to choose from: "auto", "cpu" and every visible GPU, listed without importing torch."""
    first = _default_device()
    cuda = sorted(f"cuda:{node.name.removeprefix('nvidia')}" for node in Path("/dev").glob("nvidia[0-9]*"))
    return ["auto", "cpu", *(cuda if first.startswith("cuda") else [first] if first != "cpu" else [])]


@cache
def _default_device() -> str:
    """The device that "auto" most likely means here, without importing torch, which takes seconds."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1"):
        with suppress(OSError):
            if any(Path("/dev").glob("nvidia[0-9]*")):
                return "cuda:0"
    return "mps" if sys.platform == "darwin" and os.uname().machine == "arm64" else "cpu"
