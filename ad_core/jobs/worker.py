"""The process that does one job: `python -m ad_core.jobs.worker RUN_ID`.

It claims the run, sends heartbeats, writes progress, sets the run's final status whatever error occurs, and starts the
next queued run.
"""

import errno
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ad_core.errors import AdError, Cancelled, StoreError
from ad_core.jobs import processes
from ad_core.jobs import queue as jobs
from ad_core.progress import Report
from ad_core.storage.run_files import LOG, LiveReport, cancel_asked
from ad_core.storage.store import Store

Job = Callable[[Store, str, Report], dict[str, Any]]
"""Does the work of a run; returns its summary."""

POLL_S = 0.25
"""Time between two looks for the flag that asks the run to stop [s]."""

RESERVE = "reserve"
RESERVE_BYTES = 1_000_000
"""Size of a file that is deleted when the disk is full, so that the final status can still be written."""

FULL = (
    "The disk is full: the run could not write its results. Free some space (the Runs page shows what each run takes) "
    "and run it again. Other runs are untouched."
)
MEMORY = "Memory ran out. Use fewer rows, a smaller batch size or a smaller model, and run it again."
BUG = (
    "A bug in Anomaly Lens stopped this run ({kind}: {text}). The log at the end of the run tells the developers more."
)


def main(arguments: list[str]) -> int:
    """Do the named run; returns 0 if it is done."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m ad_core.jobs.worker RUN_ID\n")
        return 2
    return 0 if work(Store.open(), arguments[0], _pipeline_job) == "done" else 1


def work(store: Store, run_id: str, job: Job, grace_s: float = jobs.GRACE_S) -> str | None:
    """Claim a run, do it, set its final status, start the next one.

    Args:
        store: the store that holds the run.
        run_id: the run.
        job: does the work.
        grace_s: time that the job may go on after it was asked to stop [s].

    Returns:
        Its final status; None if another process has the run.
    """
    if not _claim(store, run_id):
        return None
    folder = store.folder(run_id)
    report = LiveReport(folder, store.run(run_id).kind)
    over = threading.Event()
    pulse = threading.Thread(target=_pulse, args=(store, run_id, report, over, grace_s), name="pulse", daemon=True)
    with _reserve(folder):
        pulse.start()
        status, error, summary = _outcome(store, run_id, job, report)
        over.set()
        pulse.join()
    _finish(store, run_id, status, error, summary)
    with suppress(StoreError):  # this run has its final status; the next look at the queue starts the others
        jobs.start_next(store)
    return status


def _pipeline_job(store: Store, run_id: str, report: Report) -> dict[str, Any]:
    """The real work. It imports torch, which takes seconds, so only after the run was claimed."""
    from ad_core.jobs.kinds import run_job

    return run_job(store, run_id, report)


def _claim(store: Store, run_id: str) -> bool:
    """Claim the run, unless the process that started this one has claimed it for this one already."""
    pid, born = os.getpid(), processes.started(os.getpid())
    if born is None:
        raise RuntimeError("this process can't see itself in the list of processes")
    run = store.run(run_id)
    if store.claim(run_id, pid, born, jobs.slot(run.device)):
        return True
    run = store.run(run_id)
    return run.status == "running" and (run.pid, run.pid_started) == (pid, born)


def _outcome(store: Store, run_id: str, job: Job, report: LiveReport) -> tuple[str, str | None, dict[str, Any] | None]:
    """Do the job; every error becomes a status and a sentence."""
    try:
        return "done", None, job(store, run_id, report)
    except (Cancelled, KeyboardInterrupt):
        return "stopped", None, None
    except Exception as error:
        if _disk_full(error):
            (report.folder / RESERVE).unlink(missing_ok=True)
            sentence = FULL
        elif isinstance(error, AdError):
            sentence = str(error)
        elif isinstance(error, MemoryError):
            sentence = MEMORY
        else:
            sentence = BUG.format(kind=type(error).__name__, text=str(error).strip().split("\n")[0])
        with suppress(OSError), (report.folder / LOG).open("a", encoding="utf-8") as log:
            log.write("".join(traceback.format_exception(error)))
        return "failed", sentence, None


def _disk_full(error: BaseException | None) -> bool:
    """Libraries wrap the system's error or quote it, so its number and its text are looked for at any depth."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(os.strerror(code).lower() in str(error).lower() for code in (errno.ENOSPC, errno.EDQUOT)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _finish(store: Store, run_id: str, status: str, error: str | None, summary: dict[str, Any] | None) -> None:
    """Set the final status; retried for 30 s, since a database may be busy or without disk space for a moment."""
    until = time.monotonic() + 30.0
    while True:
        try:
            # Another computer may have marked the run as lost although this process was alive.
            store.finish(run_id, status, error, summary, was=("running", "lost"))
            return
        except StoreError:
            if time.monotonic() > until:
                raise
            time.sleep(1.0)


def _pulse(store: Store, run_id: str, report: LiveReport, over: threading.Event, grace_s: float) -> None:
    """In a thread beside the job: send heartbeats, and kill the job if it does not stop in time."""
    next_beat, stop_by = 0.0, float("inf")
    while not over.wait(POLL_S):
        if stop_by == float("inf") and cancel_asked(report.folder) is not None:
            stop_by = time.monotonic() + grace_s
        if time.monotonic() >= stop_by:
            _give_up(store, run_id)
        if time.monotonic() >= next_beat:
            with suppress(StoreError):  # busy or full: the next beat tries again
                store.heartbeat(run_id, report.progress.stage)
            next_beat = time.monotonic() + jobs.HEARTBEAT_S


def _give_up(store: Store, run_id: str) -> None:
    sentence = "It did not stop when asked and was ended by force."
    with suppress(StoreError):  # `queue.find_lost` sees the flag and sets "stopped" too
        if not store.finish(run_id, "stopped", error=sentence, was=("running", "lost")):
            return  # it has just ended by itself
        jobs.start_next(store)
    processes.end_self()


@contextmanager
def _reserve(folder: Path) -> Iterator[None]:
    file = folder / RESERVE
    with suppress(OSError):  # the disk is already full: the job itself will fail with that error
        file.write_bytes(os.urandom(RESERVE_BYTES))  # random, since some file systems store zeros without using space
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
