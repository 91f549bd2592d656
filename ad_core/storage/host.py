"""The name of this computer within which process ids are unique."""

import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

PROC = Path("/proc")


@cache
def here() -> str:
    """This computer and, on Linux, its pid namespace (a container has its own): pids are unique within it."""
    namespace = PROC / "self" / "ns" / "pid"
    return f"{socket.gethostname()}/{namespace.readlink()}" if namespace.is_symlink() else socket.gethostname()


@cache
def _boot() -> str:
    """An id of the last boot: process start times count from it, so those of two boots must not be compared."""
    with suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return ""
