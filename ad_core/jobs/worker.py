"""The process that does one job: `python -m ad_core.jobs.worker RUN_ID`.

It takes the run, gives signs of life, writes progress, ends the run in every case that a process can still handle,
and starts the next one that waits.
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
"""Does the work of a run and returns its summary."""

POLL_S = 0.25
"""How often the flag that asks to stop is looked for."""

RESERVE = "reserve"
RESERVE_BYTES = 1_000_000
"""Room held back on the disk, given free when it is full, so that the end of the run can still be written."""

FULL = (
    "The disk is full: the run could not write its results. Free some space (the Runs page shows what each run takes) "
    "and run it again. Other runs are untouched."
)
MEMORY = "Memory ran out. Use fewer rows, a smaller batch size or a smaller model, and run it again."
BUG = (
    "A bug in Anomaly Lens stopped this run ({kind}: {text}). The log at the end of the run tells the developers more."
)


def main(arguments: list[str]) -> int:
    """Do the run that is named; 0 if it is done."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m ad_core.jobs.worker RUN_ID\n")
        return 2
    return 0 if work(Store.open(), arguments[0], _pipeline_job) == "done" else 1


def work(store: Store, run_id: str, job: Job, grace_s: float = jobs.GRACE_S) -> str | None:
    """Take a run, do it, end it, start the next one.

    Args:
        store: where the run is.
        run_id: the run.
        job: does the work.
        grace_s: how long the job may go on after it was asked to stop [s].

    Returns:
        How it ended; None if the run was not ours to do.
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
    with suppress(StoreError):  # the run itself is over and known; who looks next starts the queue
        jobs.start_next(store)
    return status


def _pipeline_job(store: Store, run_id: str, report: Report) -> dict[str, Any]:
    """The real work; it imports torch, so only once the run is ours."""
    from ad_core.jobs.kinds import run_job

    return run_job(store, run_id, report)


def _claim(store: Store, run_id: str) -> bool:
    """Take the run, unless whoever started us has taken it for us already."""
    pid, born = os.getpid(), processes.started(os.getpid())
    if born is None:
        raise RuntimeError("this process can't see itself in the list of processes")
    run = store.run(run_id)
    if store.claim(run_id, pid, born, jobs.slot(run.device)):
        return True
    run = store.run(run_id)
    return run.status == "running" and (run.pid, run.pid_started) == (pid, born)


def _outcome(store: Store, run_id: str, job: Job, report: LiveReport) -> tuple[str, str | None, dict[str, Any] | None]:
    """Do the job; whatever happens becomes a status and a sentence."""
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
    """Libraries wrap the system's error or only quote it, so its number and its text count, at any depth."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(os.strerror(code).lower() in str(error).lower() for code in (errno.ENOSPC, errno.EDQUOT)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _finish(store: Store, run_id: str, status: str, error: str | None, summary: dict[str, Any] | None) -> None:
    """End the run; tried for a while, since a database that is busy or has no room may have it a moment later."""
    until = time.monotonic() + 30.0
    while True:
        try:
            # One that was taken for lost, from a computer that could not see us, is not lost after all.
            store.finish(run_id, status, error, summary, was=("running", "lost"))
            return
        except StoreError:
            if time.monotonic() > until:
                raise
            time.sleep(1.0)


def _pulse(store: Store, run_id: str, report: LiveReport, over: threading.Event, grace_s: float) -> None:
    """Beside the job: give signs of life, and end all of it when it does not stop in time."""
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
    sentence = "It did not stop by itself when asked and was ended by force."
    with suppress(StoreError):  # who finds this process gone sees the flag and says "stopped" too
        if not store.finish(run_id, "stopped", error=sentence, was=("running", "lost")):
            return  # it has just ended by itself
        jobs.start_next(store)
    processes.end_self()


@contextmanager
def _reserve(folder: Path) -> Iterator[None]:
    file = folder / RESERVE
    with suppress(OSError):  # no room even for this: the job itself will say so
        file.write_bytes(os.urandom(RESERVE_BYTES))  # random, since some disks store zeros in no space at all
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
