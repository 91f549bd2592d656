"""Processes that outlive the one that started them: start, identify, end.

A process is identified by its pid and its start time, since the system reuses pids.
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
    """The start time of a process of this computer, as a text to compare; None if it has ended or is a zombie."""
    return _started_by_proc(pid) if (PROC / "self" / "stat").exists() else _started_by_ps(pid)


def alive(pid: int, pid_started: str) -> bool:
    """Whether this process still runs, and not another one with the same pid."""
    return started(pid) == pid_started


def spawn(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> int:
    """Start a process in its own session, so that it outlives this one and its whole group can be ended.

    Args:
        command: program and arguments.
        env: its complete environment.
        cwd: its working directory.
        log: the file to which its output is appended.

    Returns:
        Its pid, which is also the id of its process group.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, cwd=cwd, start_new_session=True
        )
    # A child that nobody waits for stays a zombie until this process ends.
    threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()
    return process.pid


def end(pid: int, pid_started: str) -> None:
    """Kill a process of `spawn` and all that it started; another process with the same pid is left alone."""
    if alive(pid, pid_started):
        _kill_group(pid)


def end_leftovers(pid: int) -> None:
    """Kill what an ended process of `spawn` left running in its group (data loaders, processes of a distributed run).

    While a group exists, the system gives its number to no new process. So a living process with that pid means that
    the group is gone and the number belongs to another program.
    """
    if started(pid) is None:
        _kill_group(pid)


def end_self() -> None:
    """Kill this process and, if it leads its process group, all that it started."""
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
    # The name in brackets may contain brackets; after the last one come fields 3, 4, ... of proc(5).
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    return None if state in "ZXx" else f"{_boot()}:{ticks}"


def _started_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    # LC_ALL: the date must have the same form in every user's language.
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    state, _, moment = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else moment.strip()
