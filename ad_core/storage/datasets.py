"""The data sets in the database. Every function works in the session that it is given."""

import secrets
from dataclasses import fields

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ad_core.errors import StoreError
from ad_core.storage.database import rows_changed
from ad_core.storage.records import DatasetRecord
from ad_core.storage.schema import DatasetRow


def add(session: Session, row: DatasetRow) -> DatasetRecord:
    """Store a data set under a new id.

    Raises:
        StoreError: its name is empty.
    """
    row.name = checked_name(row.name)
    row.id = _new_id(session)
    session.add(row)
    session.flush()
    return _record(row)


def get(session: Session, dataset_id: str) -> DatasetRecord:
    """One data set.

    Raises:
        StoreError: there is none of that id.
    """
    row = session.get(DatasetRow, dataset_id)
    if row is None:
        raise StoreError(f"Data set {dataset_id} does not exist (deleted?).")
    return _record(row)


def listed(session: Session) -> list[DatasetRecord]:
    """All data sets, newest first."""
    rows = session.scalars(select(DatasetRow).order_by(DatasetRow.created.desc(), DatasetRow.id))
    return [_record(row) for row in rows]


def sources(session: Session) -> list[str]:
    """The sources of all data sets."""
    return [source for paths in session.scalars(select(DatasetRow.sources)) for source in paths]


def rename(session: Session, dataset_id: str, name: str) -> None:
    """Give a data set another name.

    Raises:
        StoreError: the name is empty, or there is no data set of that id.
    """
    change = update(DatasetRow).where(DatasetRow.id == dataset_id).values(name=checked_name(name))
    if not rows_changed(session, change):
        get(session, dataset_id)


def checked_name(name: str) -> str:
    """A name without spaces around it.

    Raises:
        StoreError: it is empty.
    """
    if not name.strip():
        raise StoreError("A name can't be empty. Type at least one letter.")
    return name.strip()


def _new_id(session: Session) -> str:
    while session.get(DatasetRow, new := secrets.token_hex(4)) is not None:
        pass
    return new


def _record(row: DatasetRow) -> DatasetRecord:
    return DatasetRecord(**{field.name: getattr(row, field.name) for field in fields(DatasetRecord)})
