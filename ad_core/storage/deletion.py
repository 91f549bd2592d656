"""Deleting runs and data sets from the database with the rows that belong to them.

Nothing that is in use is deleted: a running run, a detector that other runs use, a data set that runs use. The caller
deletes the files once the transaction is over.
"""

from collections.abc import Sequence

from sqlalchemy import delete, exists
from sqlalchemy.orm import Session, aliased

from ad_core.errors import StoreError
from ad_core.storage import datasets, runs
from ad_core.storage.database import rows_changed
from ad_core.storage.records import DatasetRecord, RunRecord
from ad_core.storage.schema import DatasetRow, RunRow, ThresholdRow, VerdictRow


def delete_run(session: Session, run_id: str, children: bool) -> list[RunRecord]:
    """Delete a run and, if `children`, the runs that used its detector.

    Returns:
        The deleted runs.

    Raises:
        StoreError: one of them is running, or there are such runs and `children` is false.
    """
    run, users = runs.get(session, run_id), _descendants(session, run_id)
    if users and not children:
        raise StoreError(
            f"The detector of run {run.name!r} is used by {_named(users)}. Delete those first, or all of them together."
        )
    _delete_runs(session, [run, *users])
    return [run, *users]


def delete_dataset(session: Session, dataset_id: str, with_runs: bool) -> tuple[DatasetRecord, list[RunRecord]]:
    """Delete a data set with its verdicts and, if `with_runs`, its runs.

    Returns:
        The deleted data set and runs.

    Raises:
        StoreError: runs use it and `with_runs` is false, or one of them is running.
    """
    record, users = datasets.get(session, dataset_id), runs.listed(session, dataset_id=dataset_id)
    if users and not with_runs:
        raise StoreError(
            f"Data set {record.name!r} is used by {_named(users)}. Delete the runs first, or delete it with its runs."
        )
    _delete_runs(session, users)
    session.execute(delete(VerdictRow).where(VerdictRow.dataset_id == dataset_id))
    session.execute(delete(DatasetRow).where(DatasetRow.id == dataset_id))
    return record, users


def _delete_runs(session: Session, gone: Sequence[RunRecord]) -> None:
    """Delete runs that are not running, nor the parent of another; children, being younger, before parents.

    Their thresholds are deleted too. Verdicts stay, since they belong to rows of the data set.
    """
    child = aliased(RunRow)
    for run in sorted(gone, key=lambda run: run.created, reverse=True):
        has_child = exists().where(child.parent == run.id)
        session.execute(delete(ThresholdRow).where(ThresholdRow.run_id == run.id))
        if not rows_changed(session, delete(RunRow).where(RunRow.id == run.id, RunRow.status != "running", ~has_child)):
            raise StoreError(
                f"Run {run.name!r} is running, or another run began to use it. Stop it first, then delete it."
            )


def _descendants(session: Session, run_id: str) -> list[RunRecord]:
    children = runs.listed(session, parent=run_id)
    return children + [below for child in children for below in _descendants(session, child.id)]


def _named(users: Sequence[RunRecord]) -> str:
    names = ", ".join(repr(run.name) for run in users[:3])
    return f"{len(users)} run{'s' * (len(users) > 1)} ({names}{', ...' * (len(users) > 3)})"
