"""Work that runs in another process: the queue, the worker, the kinds of jobs."""

from typing import TYPE_CHECKING

from ad_core.old_paths import moved, unchanged

if not TYPE_CHECKING:  # hidden from mypy, which would take any name for one of this module
    __getattr__ = moved(
        "ad_core.jobs",
        unchanged(
            "ad_core.jobs.queue",
            "JobState",
            "cancel",
            "devices",
            "find_lost",
            "rerun",
            "slot",
            "start_next",
            "state",
            "submit",
        ),
    )
