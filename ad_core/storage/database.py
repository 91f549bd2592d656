"""The database behind the store: how it is opened and brought up to date. Its tables are in `schema`.

SQLite in WAL mode by default, PostgreSQL by URL. What only one of them needs is in `_prepare_sqlite` and `_set_up`;
all other SQL is common to both.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Engine, Update, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.orm import Session

from ad_core.errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
HEAD = "0002"
"""The newest migration. It is named here so that Alembic is imported only when a database must be migrated."""

BUSY_S = 30
"""Maximum time that one writer waits for another [s]."""


def open_database(url: str) -> Engine:
    """The engine of a database, after its tables were made or upgraded; there is one per process and address.

    Raises:
        StoreError: the address is invalid, the database can't be reached or written, or a newer version wrote it.
    """
    address = _address(url)
    with storage_errors(address):
        engine = _engine(address)
        if (address.database and address.get_backend_name() == "sqlite" and not Path(address.database).exists()) or (
            _revision(engine) != HEAD
        ):
            engine.dispose()  # its connections may lead to a file that was deleted
            _set_up(engine, address)
    return engine


@contextmanager
def storage_errors(address: URL) -> Iterator[None]:
    """Turn an error of the database or of the file system into one sentence."""
    where = address.render_as_string(hide_password=True)
    try:
        yield
    except IntegrityError:
        raise  # a constraint of the tables; only the caller knows what breaking it means
    except (DBAPIError, sqlite3.Error) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n")[0]
        raise StoreError(
            f"The database {where} can't be used: {reason}. "
            f"Check that it can be reached and written and that its disk has room, or set AD_HOME or AD_DATABASE_URL."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The folder of the database {where} can't be used: {error.strerror or error}. "
            f"Make room or make it writable, or set AD_HOME to another folder."
        ) from error


def rows_changed(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE; returns the number of rows that it changed or deleted."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise StoreError("AD_DATABASE_URL is not an address like postgresql://user:password@host/database.") from None
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise StoreError(
            f"{url!r} stores nothing on disk and can't be shared by processes. Name a file: sqlite:////folder/lens.db."
        )
    return address


@lru_cache(maxsize=32)
def _engine(address: URL) -> Engine:
    try:
        if address.get_backend_name() == "sqlite":
            engine = create_engine(address, connect_args={"timeout": BUSY_S})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"{address.drivername} databases need a driver that is not installed ({error}). "
            f"SQLite needs none; for PostgreSQL run: pip install 'anomaly-lens[postgresql]'."
        ) from None


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Python's driver starts transactions late and by its own rules; the BEGIN in `_begin_sqlite` starts them instead.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")  # safe in WAL mode: a power cut loses at most the last commits


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at the start and waits for it. A transaction that began as a reader and asks for the lock
    # later fails at once if another process has written in between.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _set_up(engine: Engine, address: URL) -> None:
    """Make or upgrade the tables; a lock lets processes that start together do it one after the other."""
    if address.get_backend_name() != "sqlite":
        with engine.begin() as connection:
            if address.get_backend_name() == "postgresql":
                # An arbitrary number, the same in every process.
                connection.execute(text("SELECT pg_advisory_xact_lock(4051017)"))
            _migrate(connection)
        return
    from filelock import FileLock

    file = Path(str(address.database))
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock"):
        with closing(sqlite3.connect(file, timeout=BUSY_S)) as plain:
            plain.execute("PRAGMA journal_mode = WAL")  # stored in the file; not possible inside a transaction
        with engine.execution_options(writes=True).begin() as connection:
            _migrate(connection)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    stored = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if stored is not None and stored not in known:
        raise StoreError(
            f"The database {connection.engine.url.render_as_string(hide_password=True)} was written by a newer version "
            f"of Anomaly Lens (its format is {stored!r}, this version knows up to {HEAD!r}). "
            f"Update Anomaly Lens, or set AD_HOME to another folder."
        )
    command.upgrade(config, "head")
