"""The tables of the database; `migrations/` makes them, and a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


def now() -> datetime:
    """The present time in UTC."""
    return datetime.now(UTC)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite does not store the time zone, so it is added again on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, datetime: UtcTime}  # noqa: RUF012


class DatasetRow(Base):
    __tablename__ = "dataset"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    modality: Mapped[str]
    sources: Mapped[list[str]]
    declared: Mapped[dict[str, Any]]
    rows: Mapped[int]
    fingerprint: Mapped[str]
    facts: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)


class RunRow(Base):
    __tablename__ = "run"
    __table_args__ = (
        # The database keeps the rule "one running job per device": no two claims can both succeed.
        Index(
            "one_running_per_slot",
            "host",
            "slot",
            unique=True,
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    kind: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey("run.id"), index=True)
    name: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    config: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default="queued", index=True)
    device: Mapped[str]
    slot: Mapped[str | None]
    pid: Mapped[int | None]
    pid_started: Mapped[str | None]
    host: Mapped[str | None]
    stage: Mapped[str] = mapped_column(default="")
    error: Mapped[str | None]
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    heartbeat: Mapped[datetime | None]


class ThresholdRow(Base):
    """A saved alert rule. Append-only: the newest of a training run is in force."""

    __tablename__ = "threshold"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True)
    rule: Mapped[dict[str, Any]]
    name: Mapped[str]
    reason: Mapped[str]
    author: Mapped[str]
    created: Mapped[datetime]


class VerdictRow(Base):
    """A person's verdict on a row. Append-only: the newest of a row counts, and an empty verdict takes one back."""

    __tablename__ = "verdict"
    __table_args__ = (Index("ix_verdict_of_row", "dataset_id", "row_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    row_id: Mapped[str]
    run_id: Mapped[str]  # the run whose scores were shown; the verdict outlives it
    verdict: Mapped[str]
    tag: Mapped[str]
    note: Mapped[str]
    author: Mapped[str]
    created: Mapped[datetime]
    score: Mapped[float | None]
    p_value: Mapped[float | None]
    threshold: Mapped[dict[str, Any]]  # the rule that was in force
