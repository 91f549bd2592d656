"""Processes that outlive the one that started them: start, recognise, end.

A pid alone says little, since the system gives it out again: a process is known by pid AND start time.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ad_core.storage.host import PROC, _boot


def started(pid: int) -> str | None:
    """When a process of this computer started, as a text to compare; None if it is gone or only a zombie."""
    return _started_by_proc(pid) if (PROC / "self" / "stat").exists() else _started_by_ps(pid)


def alive(pid: int, pid_started: str) -> bool:
    """Whether this very process still runs, not another that got its number."""
    return started(pid) == pid_started


def spawn(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> int:
    """Start a process in its own session, so that it outlives us and its whole group can be ended.

    Args:
        command: program and arguments.
        env: its complete environment.
        cwd: its working directory.
        log: file that its output is appended to.

    Returns:
        Its pid, which is also the id of its process group.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, cwd=cwd, start_new_session=True
        )
    # Somebody must wait for a child, or it stays behind as a zombie for as long as we live.
    threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
    return process.pid


def end(pid: int, pid_started: str) -> None:
    """Kill a process started by `spawn` and all that it started; nothing happens to another that got its number."""
    if alive(pid, pid_started):
        _kill_group(pid)


def end_leftovers(pid: int) -> None:
    """Kill what a dead process of `spawn` left running in its group (data loaders, helpers of a distributed run).

    While a group exists, the system gives its number to no new process; if a process has the number, it's not ours.
    """
    if started(pid) is None:
        _kill_group(pid)


def end_self() -> None:
    """Kill this process and all that it started, at once. A process that shares its group dies alone."""
    if os.getpgid(0) == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _started_by_proc(pid: int) -> str | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in brackets may itself hold brackets; what follows the last one is fields 3, 4, ... of proc(5).
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    return None if state in "ZXx" else f"{_boot()}:{ticks}"


def _started_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    # The date must read the same whoever asks, whatever their language.
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    state, _, moment = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else moment.strip()
