"""The store: data sets and runs in a database, their files in a folder.

The store is the only channel between the app and its workers, and any number of processes may use one folder at once.
`Store` opens both and holds them; the work is done by `datasets`, `runs` and `deletion` (database) and `disk` (files).
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ad_core.errors import StoreError
from ad_core.storage import datasets, deletion, disk, runs
from ad_core.storage.database import open_database, storage_errors
from ad_core.storage.records import DatasetRecord, RunRecord
from ad_core.storage.schema import DatasetRow, RunRow

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

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with storage_errors(self.engine.url), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all."""
        engine = self.engine.execution_options(writes=True)
        with storage_errors(self.engine.url), Session(engine) as session, session.begin():
            yield session

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
        """Store a data set. Its sources are kept as absolute paths, since a worker runs in another folder."""
        row = DatasetRow(
            name=name,
            modality=str(modality),
            sources=[str(Path(source).expanduser().absolute()) for source in sources],
            declared=declared,
            rows=rows,
            fingerprint=fingerprint,
            facts=facts,
        )
        with self.writing() as session:
            return datasets.add(session, row)

    def dataset(self, dataset_id: str) -> DatasetRecord:
        """One data set.

        Raises:
            StoreError: there is none of that id.
        """
        with self.reading() as session:
            return datasets.get(session, dataset_id)

    def datasets(self) -> list[DatasetRecord]:
        """All data sets, newest first."""
        with self.reading() as session:
            return datasets.listed(session)

    def rename_dataset(self, dataset_id: str, name: str) -> None:
        """Give a data set another name that is not empty."""
        with self.writing() as session:
            datasets.rename(session, dataset_id, name)

    def delete_dataset(self, dataset_id: str, runs: bool = False) -> None:
        """Delete a data set and its uploaded files, and if `runs` its runs; files elsewhere are the user's and stay.

        Raises:
            StoreError: runs use it and `runs` is false, or one of them is running.
        """
        with self.writing() as session:
            record, gone = deletion.delete_dataset(session, dataset_id, with_runs=runs)
            still_used = datasets.sources(session)
        with storage_errors(self.engine.url):
            disk.remove(self.folder(run.id) for run in gone)
            disk.remove(disk.unused_uploads(self.home / "uploads", record.sources, still_used))

    def upload_folder(self) -> Path:
        """Make a new, empty folder for uploaded files."""
        with storage_errors(self.engine.url):
            folder = self.home / "uploads" / disk.unused_name(self.home / "uploads")
            folder.mkdir(parents=True)
            return folder

    # Runs

    def add_run(
        self, dataset_id: str, kind: str, config: dict[str, Any], name: str, parent: str | None = None
    ) -> RunRecord:
        """Queue a run and make its folder.

        Args:
            dataset_id: the data set that it reads.
            kind: one of KINDS.
            config: everything that the worker needs; plain JSON.
            name: shown to people.
            parent: the train run whose detector is used; needed by all kinds but FROM_DATA.

        Raises:
            StoreError: the data set or the parent is gone, the parent is missing, or the name is empty.
        """
        run_id = disk.unused_name(self.home / "runs")
        row = RunRow(id=run_id, dataset_id=dataset_id, kind=kind, parent=parent, name=name, config=config)
        try:
            with self.writing() as session:
                record = runs.add(session, row)
                disk.make_run_folder(self.folder(run_id), config)  # before the commit: a worker needs it at once
        except StoreError:
            with suppress(OSError):  # the first error is the one to show
                disk.remove([self.folder(run_id)])
            raise
        return record

    def run(self, run_id: str) -> RunRecord:
        """One run.

        Raises:
            StoreError: there is none of that id.
        """
        with self.reading() as session:
            return runs.get(session, run_id)

    def runs(
        self,
        kind: str | None = None,
        status: str | None = None,
        parent: str | None = None,
        limit: int | None = None,
        dataset_id: str | None = None,
    ) -> list[RunRecord]:
        """The runs that have all given values, newest first."""
        with self.reading() as session:
            return runs.listed(session, limit, kind=kind, status=status, parent=parent, dataset_id=dataset_id)

    def rename_run(self, run_id: str, name: str) -> None:
        """Give a run another name that is not empty."""
        with self.writing() as session:
            runs.change(session, run_id, name=datasets.checked_name(name))

    def note_run(self, run_id: str, note: str) -> None:
        """Replace the note of a run."""
        with self.writing() as session:
            runs.change(session, run_id, note=note.strip())

    def clone_run(self, run_id: str) -> RunRecord:
        """Queue a new run with the same data set, kind, parent and config. `queue.rerun` also starts the queue."""
        old = self.run(run_id)
        name = old.name if old.name.endswith(" (again)") else f"{old.name} (again)"
        return self.add_run(old.dataset_id, old.kind, old.config, name, old.parent)

    def delete_run(self, run_id: str, children: bool = False) -> None:
        """Delete a run and its folder, and if `children` the runs that used its detector too.

        Raises:
            StoreError: it is running, or others used its detector and `children` is false.
        """
        with self.writing() as session:
            gone = deletion.delete_run(session, run_id, children)
        with storage_errors(self.engine.url):
            disk.remove(self.folder(run.id) for run in gone)

    def add_to_summaries(self, run_ids: Iterable[str], facts: dict[str, Any]) -> None:
        """Put facts into the summaries of some runs; what else is in them stays."""
        with self.writing() as session:
            runs.add_to_summaries(session, run_ids, facts)

    def folder(self, run_id: str) -> Path:
        """The folder with a run's files."""
        return self.home / "runs" / run_id

    def disk_use(self, run_id: str | None = None) -> int:
        """Bytes in a run's folder, or in the whole folder of this installation."""
        return disk.size(self.folder(run_id) if run_id else self.home)

    # The states of a run

    def claim(self, run_id: str, pid: int, pid_started: str, slot: str | None = None) -> bool:
        """Give a queued run to a process; False if another was faster or the slot is occupied. See `runs.claim`."""
        try:
            with self.writing() as session:
                return runs.claim(session, run_id, pid, pid_started, slot)
        except IntegrityError:
            return False

    def heartbeat(self, run_id: str, stage: str) -> None:
        """Note that a running run is alive, and its stage."""
        with self.writing() as session:
            runs.heartbeat(session, run_id, stage)

    def finish(
        self,
        run_id: str,
        status: str,
        error: str | None = None,
        summary: dict[str, Any] | None = None,
        was: Iterable[str] = ("running",),
    ) -> bool:
        """End a run if its status is still one of `was`; returns whether it was. See `runs.finish`."""
        with self.writing() as session:
            return runs.finish(session, run_id, status, error, summary or {}, was)
