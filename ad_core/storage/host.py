"""What this computer is called where process ids mean something."""

import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

PROC = Path("/proc")


@cache
def here() -> str:
    """Where a pid means something: this computer, and on Linux this pid namespace (a container has its own)."""
    namespace = PROC / "self" / "ns" / "pid"
    return f"{socket.gethostname()}/{namespace.readlink()}" if namespace.is_symlink() else socket.gethostname()


@cache
def _boot() -> str:
    """Start times count from the boot, so two boots must not be mixed up."""
    with suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return ""
