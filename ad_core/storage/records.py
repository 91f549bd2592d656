"""The records that the store returns: frozen, and independent of the database session."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

KINDS = ("train", "score", "explain", "recommend", "sensitivity", "masks", "whatif", "counterfactual")
FROM_DATA = ("train", "recommend")
"""Kinds of runs that need no trained detector."""
WITH_SCORES = ("train", "score")
"""Kinds of runs that pages list as runs; results of the other kinds are shown with the run that they belong to."""
STATUSES = ("queued", "running", "done", "stopped", "failed", "lost")
"""`queued -> running -> done | stopped | failed | lost`; the last four are final."""


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A data set as the user declared it. `sources` are absolute paths; times are UTC."""

    id: str
    name: str
    modality: str
    sources: list[str]
    declared: dict[str, Any]
    rows: int
    fingerprint: str
    facts: dict[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One job and its outcome.

    `device` is the requested device ("auto", "cuda:1"); `slot` is the device that the run occupies or occupied.
    `pid`, `pid_started` and `host` identify its process; `error` is a sentence for the analyst. Times are UTC.
    """

    id: str
    dataset_id: str
    kind: str
    parent: str | None
    name: str
    note: str
    config: dict[str, Any]
    status: str
    device: str
    slot: str | None
    pid: int | None
    pid_started: str | None
    host: str | None
    stage: str
    error: str | None
    summary: dict[str, Any]
    created: datetime
    started: datetime | None
    ended: datetime | None
    heartbeat: datetime | None

    @property
    def ended_well(self) -> bool:
        return self.status == "done"

    @property
    def alive(self) -> bool:
        """Whether it is queued or running."""
        return self.status in ("queued", "running")
