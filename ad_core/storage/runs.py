"""The runs in the database, and the states that a run goes through. Every function works in the session it is given.

A change of state is one UPDATE that names the states it expects, so two processes can't both make it.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ad_core.errors import StoreError
from ad_core.storage import datasets
from ad_core.storage.database import rows_changed
from ad_core.storage.host import here
from ad_core.storage.records import FROM_DATA, KINDS, STATUSES, RunRecord
from ad_core.storage.schema import RunRow, now


def add(session: Session, row: RunRow) -> RunRecord:
    """Queue a run.

    Raises:
        StoreError: the data set or the parent does not exist, the parent is missing, or the name is empty.
    """
    if row.kind not in KINDS:
        raise ValueError(f"kind is {row.kind!r}, must be one of {KINDS}")
    row.name = datasets.checked_name(row.name)
    datasets.get(session, row.dataset_id)
    if row.kind not in FROM_DATA and row.parent is None:
        raise StoreError(f"A run of kind {row.kind!r} needs a trained run to work with. Choose one on the Runs page.")
    parent = None if row.parent is None else get(session, row.parent)
    row.device = str(row.config.get("device") or (parent.device if parent else "auto"))
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise StoreError("The data set or the run that was to be used has just been deleted. Choose another.") from None
    return _record(row)


def get(session: Session, run_id: str) -> RunRecord:
    """One run.

    Raises:
        StoreError: there is none of that id.
    """
    row = session.get(RunRow, run_id)
    if row is None:
        raise StoreError(f"Run {run_id} does not exist (deleted?).")
    return _record(row)


def listed(session: Session, limit: int | None = None, **wanted: str | None) -> list[RunRecord]:
    """The runs whose columns have the wanted values, newest first; None = any value."""
    query = select(RunRow).filter_by(**{name: value for name, value in wanted.items() if value is not None})
    rows = session.scalars(query.order_by(RunRow.created.desc(), RunRow.id).limit(limit))
    return [_record(row) for row in rows]


def change(session: Session, run_id: str, **values: str) -> None:
    """Set columns of a run.

    Raises:
        StoreError: there is none of that id.
    """
    if not rows_changed(session, update(RunRow).where(RunRow.id == run_id).values(**values)):
        get(session, run_id)


def add_to_summaries(session: Session, run_ids: Iterable[str], facts: dict[str, Any]) -> None:
    """Put facts into the summaries of some runs; what else is in them stays."""
    for row in session.scalars(select(RunRow).where(RunRow.id.in_(list(run_ids)))):
        row.summary = {**row.summary, **facts}


def claim(session: Session, run_id: str, pid: int, pid_started: str, slot: str | None) -> bool:
    """Give a queued run to a process of this computer; returns whether no other process was faster.

    Args:
        pid: the process that will do the work.
        pid_started: its start, see `processes.started`.
        slot: the device that it will occupy.

    Raises:
        IntegrityError: another run of this computer occupies the slot.
    """
    moment = now()
    owner = {"pid": pid, "pid_started": pid_started, "host": here(), "slot": slot}
    query = update(RunRow).where(RunRow.id == run_id, RunRow.status == "queued")
    return rows_changed(session, query.values(status="running", started=moment, heartbeat=moment, **owner)) == 1


def heartbeat(session: Session, run_id: str, stage: str) -> None:
    """Note that a running run is alive, and its stage."""
    query = update(RunRow).where(RunRow.id == run_id, RunRow.status == "running")
    rows_changed(session, query.values(heartbeat=now(), stage=stage))


def finish(
    session: Session, run_id: str, status: str, error: str | None, summary: dict[str, Any], was: Iterable[str]
) -> bool:
    """End a run if its status is still one of `was`; returns whether it was.

    Several processes may try to end a run (its worker, one that stops it, one that finds it lost); one succeeds.
    """
    if status not in STATUSES[2:]:
        raise ValueError(f"status is {status!r}, must be one of {STATUSES[2:]}")
    query = update(RunRow).where(RunRow.id == run_id, RunRow.status.in_(list(was)))
    return rows_changed(session, query.values(status=status, error=error, summary=summary, ended=now())) == 1


def _record(row: RunRow) -> RunRecord:
    return RunRecord(**{field.name: getattr(row, field.name) for field in fields(RunRecord)})
