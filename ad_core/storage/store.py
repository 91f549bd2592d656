"""What this installation knows: data sets and runs in a database, their files in a folder.

The store is the only channel between the app and its workers. Any number of processes may use one folder at once.
A change of a run's state is one UPDATE that names the state it expects, so two processes can't both make it.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Engine, Update, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from ad_core.errors import StoreError
from ad_core.storage.database import DatasetRow, RunRow, ThresholdRow, VerdictRow, errors_in_words, open_database
from ad_core.storage.host import here
from ad_core.storage.records import FROM_DATA, KINDS, STATUSES, DatasetRecord, RunRecord
from ad_core.storage.run_files import replace_text

__all__ = ["DatasetRecord", "RunRecord", "Store"]


@dataclass(frozen=True)
class Store:
    """A folder with a database. Hold one as long as you like, or open it anew each time: that costs a query."""

    home: Path
    url: str = field(repr=False)  # may hold a password
    engine: Engine = field(repr=False, compare=False)

    @classmethod
    def open(cls, home: Path | str | None = None, url: str | None = None) -> "Store":
        """Open, and make or upgrade where needed.

        Args:
            home: the folder; default AD_HOME, else ~/.anomaly-lens.
            url: the database; default AD_DATABASE_URL, else SQLite in the folder.

        Raises:
            StoreError: the folder or the database can't be used, or a newer version wrote it.
        """
        folder = Path(home or os.environ.get("AD_HOME") or "~/.anomaly-lens").expanduser().absolute()
        try:
            for name in ("runs", "uploads"):
                (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder {folder} can't be used ({error.strerror}). Make it writable, or set AD_HOME to another."
            ) from error
        address = url or os.environ.get("AD_DATABASE_URL") or f"sqlite:///{folder / 'anomaly-lens.db'}"
        return cls(folder, address, open_database(address))

    # Data sets

    def add_dataset(
        self,
        name: str,
        modality: str,
        sources: Sequence[str | Path],
        declared: dict[str, Any],
        rows: int,
        fingerprint: str,
        facts: dict[str, Any],
    ) -> DatasetRecord:
        """Remember a data set. Its sources are kept as absolute paths, since a worker runs in another folder."""
        paths = [str(Path(source).expanduser().absolute()) for source in sources]
        with self.writing() as session:
            row = DatasetRow(
                id=_fresh_id(lambda new: session.get(DatasetRow, new)),
                name=_checked_name(name),
                modality=str(modality),
                sources=paths,
                declared=declared,
                rows=rows,
                fingerprint=fingerprint,
                facts=facts,
                created=_now(),
            )
            session.add(row)
            session.flush()
            return _dataset_record(row)

    def dataset(self, dataset_id: str) -> DatasetRecord:
        """One data set.

        Raises:
            StoreError: there is none of that id.
        """
        with self.reading() as session:
            row = session.get(DatasetRow, dataset_id)
            if row is None:
                raise StoreError(f"Data set {dataset_id} does not exist (deleted?).")
            return _dataset_record(row)

    def datasets(self) -> list[DatasetRecord]:
        """All data sets, newest first."""
        with self.reading() as session:
            rows = session.scalars(select(DatasetRow).order_by(DatasetRow.created.desc(), DatasetRow.id))
            return [_dataset_record(row) for row in rows]

    def rename_dataset(self, dataset_id: str, name: str) -> None:
        change = update(DatasetRow).where(DatasetRow.id == dataset_id).values(name=_checked_name(name))
        if not self._change(change):
            self.dataset(dataset_id)

    def delete_dataset(self, dataset_id: str, runs: bool = False) -> None:
        """Forget a data set and delete its uploaded files; files elsewhere on the disk are the user's and stay.

        Args:
            dataset_id: the data set.
            runs: delete its runs and their folders too.

        Raises:
            StoreError: runs use it and `runs` is false, or one of them is running.
        """
        record = self.dataset(dataset_id)
        with self.writing() as session:
            users = [_run_record(row) for row in session.scalars(select(RunRow).where(RunRow.dataset_id == dataset_id))]
            if users and not runs:
                raise StoreError(
                    f"Data set {record.name!r} is used by {_named(users)}. "
                    f"Delete the runs first, or delete it with its runs."
                )
            _delete_rows(session, users)
            session.execute(delete(VerdictRow).where(VerdictRow.dataset_id == dataset_id))
            session.execute(delete(DatasetRow).where(DatasetRow.id == dataset_id))
            kept = {Path(path) for others in session.scalars(select(DatasetRow.sources)) for path in others}
        self._remove(self.folder(run.id) for run in users)
        self._remove(folder for folder in self._uploads_of(record) if not any(p.is_relative_to(folder) for p in kept))

    def upload_folder(self) -> Path:
        """A fresh, empty folder for uploaded files."""
        with self._words():
            folder = self.home / "uploads" / _fresh_id(lambda new: (self.home / "uploads" / new).exists() or None)
            folder.mkdir(parents=True)
            return folder

    def _uploads_of(self, record: DatasetRecord) -> set[Path]:
        uploads = self.home / "uploads"
        inside = [Path(source) for source in record.sources if Path(source).is_relative_to(uploads)]
        return {uploads / path.relative_to(uploads).parts[0] for path in inside if path != uploads}

    # Runs

    def add_run(
        self, dataset_id: str, kind: str, config: dict[str, Any], name: str, parent: str | None = None
    ) -> RunRecord:
        """Queue a run and make its folder.

        Args:
            dataset_id: what it reads.
            kind: one of KINDS.
            config: everything that the worker needs; plain JSON.
            name: for people.
            parent: the train run whose detector is used; needed by all kinds but FROM_DATA.

        Raises:
            StoreError: the data set or the parent is gone, or the parent is missing.
        """
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}, must be one of {KINDS}")
        self.dataset(dataset_id)
        if kind not in FROM_DATA and parent is None:
            raise StoreError(f"A run of kind {kind!r} needs a trained run to work with. Choose one on the Runs page.")
        device = config.get("device") or (self.run(parent).device if parent else "auto")
        run_id = _fresh_id(lambda new: self.folder(new).exists() or None)
        with self._words():
            self.folder(run_id).mkdir(parents=True)
            replace_text(self.folder(run_id) / "config.json", json.dumps(config, indent=1))
        try:
            return self._insert_run(run_id, dataset_id, kind, config, _checked_name(name), parent, str(device))
        except StoreError:
            self._remove([self.folder(run_id)])
            raise
        except IntegrityError:
            self._remove([self.folder(run_id)])
            raise StoreError(
                "The data set or the run that was to be used has just been deleted. Choose another."
            ) from None

    def _insert_run(
        self,
        run_id: str,
        dataset_id: str,
        kind: str,
        config: dict[str, Any],
        name: str,
        parent: str | None,
        device: str,
    ) -> RunRecord:
        row = RunRow(
            id=run_id,
            dataset_id=dataset_id,
            kind=kind,
            parent=parent,
            name=name,
            note="",
            config=config,
            status="queued",
        )
        row.device, row.stage, row.summary, row.created = device, "", {}, _now()
        with self.writing() as session:
            session.add(row)
            session.flush()
            return _run_record(row)

    def run(self, run_id: str) -> RunRecord:
        """One run.

        Raises:
            StoreError: there is none of that id.
        """
        with self.reading() as session:
            row = session.get(RunRow, run_id)
            if row is None:
                raise StoreError(f"Run {run_id} does not exist (deleted?).")
            return _run_record(row)

    def runs(
        self,
        kind: str | None = None,
        status: str | None = None,
        parent: str | None = None,
        limit: int | None = None,
        dataset_id: str | None = None,
    ) -> list[RunRecord]:
        """Runs that fulfil all that is given, newest first."""
        wanted = {"kind": kind, "status": status, "parent": parent, "dataset_id": dataset_id}
        query = select(RunRow).filter_by(**{name: value for name, value in wanted.items() if value is not None})
        with self.reading() as session:
            rows = session.scalars(query.order_by(RunRow.created.desc(), RunRow.id).limit(limit))
            return [_run_record(row) for row in rows]

    def rename_run(self, run_id: str, name: str) -> None:
        self._change_run(run_id, name=_checked_name(name))

    def note_run(self, run_id: str, note: str) -> None:
        self._change_run(run_id, note=note.strip())

    def clone_run(self, run_id: str) -> RunRecord:
        """Queue a new run with the same data set, kind, parent and config; it starts when its device is free.

        `jobs.rerun` does this and starts the queue at once.
        """
        old = self.run(run_id)
        name = old.name if old.name.endswith(" (again)") else f"{old.name} (again)"
        return self.add_run(old.dataset_id, old.kind, old.config, name, old.parent)

    def delete_run(self, run_id: str, children: bool = False) -> None:
        """Delete a run and its folder.

        Args:
            run_id: the run.
            children: delete the runs that used its detector too.

        Raises:
            StoreError: it is running, or others used its detector and `children` is false.
        """
        run = self.run(run_id)
        with self.writing() as session:
            users = _descendants(session, run_id)
            if users and not children:
                raise StoreError(
                    f"The detector of run {run.name!r} is used by {_named(users)}. "
                    f"Delete those first, or all of them together."
                )
            _delete_rows(session, [run, *users])
        self._remove(self.folder(gone.id) for gone in [run, *users])

    def folder(self, run_id: str) -> Path:
        """Where a run's files lie."""
        return self.home / "runs" / run_id

    def disk_use(self, run_id: str | None = None) -> int:
        """Bytes in a run's folder, or in the whole folder of this installation."""
        total = 0
        for file in (self.folder(run_id) if run_id else self.home).rglob("*"):
            with suppress(OSError):  # a worker may replace a file while we look
                total += file.lstat().st_size if not file.is_dir() else 0
        return total

    # What a run goes through

    def claim(self, run_id: str, pid: int, pid_started: str, slot: str | None = None) -> bool:
        """Give a queued run to a process of this computer, unless somebody else was faster.

        Args:
            run_id: the run.
            pid: the process that will do the work.
            pid_started: its start, see `processes.started`.
            slot: the device it will occupy; while another run of this computer occupies it, the claim fails.
        """
        now = _now()
        change = update(RunRow).where(RunRow.id == run_id, RunRow.status == "queued")
        owner = {"pid": pid, "pid_started": pid_started, "host": here(), "slot": slot}
        try:
            return self._change(change.values(status="running", started=now, heartbeat=now, **owner)) == 1
        except IntegrityError:
            return False

    def heartbeat(self, run_id: str, stage: str) -> None:
        """A sign of life of a running run."""
        change = update(RunRow).where(RunRow.id == run_id, RunRow.status == "running")
        self._change(change.values(heartbeat=_now(), stage=stage))

    def finish(
        self,
        run_id: str,
        status: str,
        error: str | None = None,
        summary: dict[str, Any] | None = None,
        was: Iterable[str] = ("running",),
    ) -> bool:
        """End a run, if its state is still one of `was`; says whether it was.

        Of several that want to end a run (its worker, somebody who stops it, somebody who finds it lost) one succeeds.
        """
        if status not in STATUSES[2:]:
            raise ValueError(f"status is {status!r}, must be one of {STATUSES[2:]}")
        change = update(RunRow).where(RunRow.id == run_id, RunRow.status.in_(list(was)))
        return self._change(change.values(status=status, error=error, summary=summary or {}, ended=_now())) == 1

    # Inside

    def _change_run(self, run_id: str, **values: str) -> None:
        if not self._change(update(RunRow).where(RunRow.id == run_id).values(**values)):
            self.run(run_id)

    def _change(self, change: Update | Delete) -> int:
        with self.writing() as session:
            return cast("CursorResult[Any]", session.execute(change)).rowcount

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._words(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self._words(), Session(self.engine.execution_options(writes=True)) as session, session.begin():
            yield session

    @contextmanager
    def _words(self) -> Iterator[None]:
        with errors_in_words(self.engine.url):
            yield

    def _remove(self, folders: Iterable[Path]) -> None:
        with self._words():
            for folder in folders:
                with suppress(FileNotFoundError):
                    shutil.rmtree(folder)


def _delete_rows(session: Session, runs: Sequence[RunRecord]) -> None:
    """Delete runs that are not running, nor the parent of another; children, being younger, before parents.

    Verdicts on rows of the data set stay; thresholds go.
    """
    child = aliased(RunRow)
    for run in sorted(runs, key=lambda run: run.created, reverse=True):
        busy = exists().where(child.parent == run.id)
        session.execute(delete(ThresholdRow).where(ThresholdRow.run_id == run.id))
        gone = session.execute(delete(RunRow).where(RunRow.id == run.id, RunRow.status != "running", ~busy))
        if not cast("CursorResult[Any]", gone).rowcount:
            raise StoreError(
                f"Run {run.name!r} is running, or another run began to use it. Stop it first, then delete it."
            )


def _descendants(session: Session, run_id: str) -> list[RunRecord]:
    children = [_run_record(row) for row in session.scalars(select(RunRow).where(RunRow.parent == run_id))]
    return children + [below for child in children for below in _descendants(session, child.id)]


def _named(runs: Sequence[RunRecord]) -> str:
    names = ", ".join(repr(run.name) for run in runs[:3])
    return f"{len(runs)} run{'s' * (len(runs) > 1)} ({names}{', ...' * (len(runs) > 3)})"


def _checked_name(name: str) -> str:
    if not name.strip():
        raise StoreError("A name can't be empty. Type at least one letter.")
    return name.strip()


def _fresh_id(taken: Callable[[str], object | None]) -> str:
    while taken(new := secrets.token_hex(4)) is not None:
        pass
    return new


def _now() -> datetime:
    return datetime.now(UTC)


def _dataset_record(row: DatasetRow) -> DatasetRecord:
    return DatasetRecord(**{f.name: getattr(row, f.name) for f in fields(DatasetRecord)})


def _run_record(row: RunRow) -> RunRecord:
    return RunRecord(**{f.name: getattr(row, f.name) for f in fields(RunRecord)})
