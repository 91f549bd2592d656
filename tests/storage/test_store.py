"""The store: real SQLite files, several real processes."""

import dataclasses
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ad_core.errors import StoreError
from ad_core.storage import database, host
from ad_core.storage.schema import Base
from ad_core.storage.store import DatasetRecord, RunRecord, Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.delenv("AD_DATABASE_URL", raising=False)
    return Store.open(tmp_path / "home")


@pytest.fixture
def dataset(store: Store) -> DatasetRecord:
    return store.add_dataset("Pumps", "table", ["pumps.csv"], {"label": "broken"}, 100, "abc", {"columns": 3})


def train_run(store: Store, dataset: DatasetRecord, name: str = "First") -> RunRecord:
    return store.add_run(dataset.id, "train", {"pretext": "masked_cells", "device": "cpu"}, name)


def test_what_was_stored_is_there_when_the_folder_is_opened_again(store: Store, dataset: DatasetRecord) -> None:
    run = train_run(store, dataset)

    again = Store.open(store.home)

    assert again.dataset(dataset.id) == dataset
    assert again.run(run.id) == run
    assert run.status == "queued"
    assert run.created.utcoffset() == timedelta(0)
    assert Path(dataset.sources[0]).is_absolute()
    assert (store.folder(run.id) / "config.json").exists()


def test_ids_have_eight_hex_digits_and_lists_are_newest_first(store: Store, dataset: DatasetRecord) -> None:
    runs = [train_run(store, dataset, name) for name in "abc"]

    assert all(len(run.id) == 8 and int(run.id, 16) >= 0 for run in runs)
    assert [run.name for run in store.runs()] == ["c", "b", "a"]
    assert [run.name for run in store.runs(limit=1)] == ["c"]
    assert store.runs(kind="score") == []
    assert len(store.runs(kind="train", status="queued", dataset_id=dataset.id)) == 3


def test_records_are_frozen_and_hold_no_session(store: Store, dataset: DatasetRecord) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.name = "other"  # type: ignore[misc]

    dataset.declared["label"] = "changed"

    assert store.dataset(dataset.id).declared == {"label": "broken"}


def test_a_link_to_something_that_is_gone_gets_one_sentence(store: Store) -> None:
    with pytest.raises(StoreError, match=r"^Run 99 does not exist \(deleted\?\)\.$"):
        store.run("99")
    with pytest.raises(StoreError, match="Data set 99 does not exist"):
        store.dataset("99")
    for change in (store.rename_run, store.note_run, store.rename_dataset):
        with pytest.raises(StoreError, match="99 does not exist"):
            change("99", "name")
    with pytest.raises(StoreError, match="99 does not exist"):
        store.delete_run("99")


def test_runs_and_data_sets_can_be_renamed_and_noted(store: Store, dataset: DatasetRecord) -> None:
    run = train_run(store, dataset)

    store.rename_run(run.id, " Better ")
    store.note_run(run.id, "after the filter was changed")
    store.rename_dataset(dataset.id, "Valves")

    assert (store.run(run.id).name, store.run(run.id).note) == ("Better", "after the filter was changed")
    assert store.dataset(dataset.id).name == "Valves"
    with pytest.raises(StoreError, match="can't be empty"):
        store.rename_run(run.id, "  ")


def test_a_clone_has_the_same_work_to_do_and_its_own_folder(store: Store, dataset: DatasetRecord) -> None:
    parent = train_run(store, dataset)
    run = store.add_run(dataset.id, "explain", {"row_ids": ["7"]}, "Why 7", parent.id)

    clone = store.clone_run(run.id)

    assert (clone.dataset_id, clone.kind, clone.parent, clone.config) == (dataset.id, "explain", parent.id, run.config)
    assert (clone.status, clone.name, clone.device) == ("queued", "Why 7 (again)", "cpu")
    assert store.folder(clone.id) != store.folder(run.id)
    assert store.clone_run(clone.id).name == "Why 7 (again)"


def test_a_run_needs_a_data_set_and_where_it_uses_a_detector_a_parent(store: Store, dataset: DatasetRecord) -> None:
    with pytest.raises(StoreError, match="Data set 99"):
        store.add_run("99", "train", {}, "x")
    with pytest.raises(StoreError, match="needs a trained run"):
        store.add_run(dataset.id, "score", {}, "x")
    with pytest.raises(StoreError, match="Run 99"):
        store.add_run(dataset.id, "score", {}, "x", parent="99")

    assert list((store.home / "runs").iterdir()) == []


def test_a_run_whose_folder_cannot_be_made_is_not_queued(store: Store, dataset: DatasetRecord) -> None:
    (store.home / "runs").rmdir()
    (store.home / "runs").write_text("not a folder")

    with pytest.raises(StoreError, match="Make room or make it writable"):
        train_run(store, dataset)

    assert store.runs() == []


def test_a_run_is_claimed_once(store: Store, dataset: DatasetRecord) -> None:
    run = train_run(store, dataset)

    assert store.claim(run.id, 11, "then", "cpu")
    assert not store.claim(run.id, 12, "then", "cpu")

    claimed = store.run(run.id)
    assert (claimed.status, claimed.pid, claimed.pid_started, claimed.host) == ("running", 11, "then", host.here())


def test_two_runs_never_occupy_the_same_device(store: Store, dataset: DatasetRecord) -> None:
    first, second, third = (train_run(store, dataset) for _ in range(3))

    assert store.claim(first.id, 11, "then", "cuda:0")
    assert not store.claim(second.id, 12, "then", "cuda:0")
    assert store.claim(third.id, 13, "then", "cuda:1")
    assert store.run(second.id).status == "queued"

    assert store.finish(first.id, "done", summary={"auroc": 0.9})
    assert store.claim(second.id, 12, "then", "cuda:0")
    assert store.run(first.id).summary == {"auroc": 0.9}


def test_the_first_end_of_a_run_counts(store: Store, dataset: DatasetRecord) -> None:
    run = train_run(store, dataset)
    store.claim(run.id, 11, "then", "cpu")

    assert store.finish(run.id, "stopped")
    assert not store.finish(run.id, "lost", error="gone")
    store.heartbeat(run.id, "late")

    ended = store.run(run.id)
    assert (ended.status, ended.error, ended.stage) == ("stopped", None, "")
    assert ended.ended is not None


def test_deleting_a_run_deletes_its_folder(store: Store, dataset: DatasetRecord) -> None:
    run, other = train_run(store, dataset), train_run(store, dataset)
    (store.folder(run.id) / "bundle").mkdir()
    (store.folder(run.id) / "bundle" / "weights").write_bytes(b"0" * 1000)
    assert store.disk_use(run.id) >= 1000
    assert store.disk_use() > store.disk_use(run.id)

    store.delete_run(run.id)

    assert not store.folder(run.id).exists()
    assert store.folder(other.id).exists()
    assert store.disk_use(run.id) == 0
    with pytest.raises(StoreError, match="does not exist"):
        store.run(run.id)


def test_a_running_run_is_not_deleted(store: Store, dataset: DatasetRecord) -> None:
    run = train_run(store, dataset)
    store.claim(run.id, 11, "then", "cpu")

    with pytest.raises(StoreError, match="Stop it first"):
        store.delete_run(run.id)
    with pytest.raises(StoreError, match="Stop it first"):
        store.delete_dataset(dataset.id, runs=True)

    assert store.folder(run.id).exists()
    assert store.dataset(dataset.id) == dataset


def test_a_detector_in_use_is_deleted_only_with_its_users(store: Store, dataset: DatasetRecord) -> None:
    run = train_run(store, dataset)
    scored = store.add_run(dataset.id, "score", {}, "March", run.id)
    why = store.add_run(dataset.id, "explain", {}, "Why", scored.id)

    with pytest.raises(StoreError, match=r"used by 2 runs \('March', 'Why'\)"):
        store.delete_run(run.id)
    store.delete_run(run.id, children=True)

    assert store.runs() == []
    assert not any(store.folder(gone.id).exists() for gone in (run, scored, why))


def test_a_data_set_in_use_is_deleted_only_with_its_runs(store: Store, dataset: DatasetRecord) -> None:
    run = train_run(store, dataset)
    store.add_run(dataset.id, "score", {}, "March", run.id)

    with pytest.raises(StoreError, match="used by 2 runs"):
        store.delete_dataset(dataset.id)
    store.delete_dataset(dataset.id, runs=True)

    assert store.datasets() == []
    assert store.runs() == []
    assert list((store.home / "runs").iterdir()) == []


def test_uploaded_files_go_with_their_last_data_set_and_others_stay(store: Store, tmp_path: Path) -> None:
    uploaded = store.upload_folder() / "a.csv"
    uploaded.write_text("x\n1\n")
    (tmp_path / "mine.csv").write_text("x\n1\n")
    first = store.add_dataset("First", "table", [str(uploaded), str(tmp_path / "mine.csv")], {}, 1, "a", {})
    second = store.add_dataset("Second", "table", [str(uploaded)], {}, 1, "a", {})

    store.delete_dataset(first.id)
    assert uploaded.exists()
    store.delete_dataset(second.id)

    assert not uploaded.parent.exists()
    assert (tmp_path / "mine.csv").exists()
    assert store.upload_folder() != store.upload_folder()


def test_a_folder_that_cannot_be_used_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(StoreError, match=r"can't be used .* set AD_HOME to another"):
        Store.open(tmp_path / "file" / "home")


def test_a_file_that_is_no_database_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "anomaly-lens.db").write_text("this is a text, and a long one at that" * 100)

    with pytest.raises(StoreError, match="file is not a database"):
        Store.open(tmp_path)


def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    file = store.home / "anomaly-lens.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match=r"newer version of Anomaly Lens \(its format is '9999'"):
        Store.open(store.home)

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "is not an address"),
        ("sqlite://", "can't be shared by processes"),
        ("oracle+cx_oracle://u:secret@127.0.0.1/x", "driver that is not installed"),
        ("postgresql://u:secret@127.0.0.1:1/x", r"postgresql\+psycopg://u:\*\*\*@127.0.0.1:1/x can't be used"),
    ],
)
def test_an_address_that_leads_nowhere_gets_one_sentence_without_its_password(
    tmp_path: Path, url: str, sentence: str
) -> None:
    with pytest.raises(StoreError, match=sentence) as caught:
        Store.open(tmp_path, url)

    assert "secret" not in str(caught.value)


def test_a_database_that_was_deleted_under_a_running_app_is_made_anew(store: Store, dataset: DatasetRecord) -> None:
    for file in store.home.glob("anomaly-lens.db*"):
        file.unlink()

    assert Store.open(store.home).datasets() == []


def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_opening_an_up_to_date_store_does_not_import_alembic_nor_torch(store: Store) -> None:
    code = (
        "import sys; from ad_core.jobs import queue; from ad_core.storage.store import Store; "
        f"queue.find_lost(Store.open({str(store.home)!r})); "
        "print([name for name in ('alembic', 'torch', 'pandas', 'streamlit') if name in sys.modules])"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_processes_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    code = (
        "import sys; from ad_core.storage.store import Store; sys.stdin.readline(); "
        f"s = Store.open({str(tmp_path / 'home')!r}); s.add_dataset('x', 'table', [], {{}}, 1, 'f', {{}})"
    )
    pipe = subprocess.PIPE
    apps = [
        subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for _ in range(4)
    ]
    for app in apps:
        assert app.stdin is not None
        app.stdin.write("go\n")
        app.stdin.flush()
    answers = [app.communicate(timeout=120) for app in apps]

    assert [app.returncode for app in apps] == [0, 0, 0, 0], answers
    assert len(Store.open(tmp_path / "home").datasets()) == 4


def test_two_apps_write_to_one_folder_at_once(store: Store, dataset: DatasetRecord) -> None:
    code = (
        "from ad_core.storage.store import Store\n"
        f"store = Store.open({str(store.home)!r})\n"
        f"for i in range(25): store.rename_run(store.add_run({dataset.id!r}, 'train', {{}}, 'a').id, f'b{{i}}')"
    )
    apps = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(2)]
    errors = [app.communicate(timeout=120)[1].decode() for app in apps]

    assert errors == ["", ""]
    assert len(store.runs()) == 50
    with closing(sqlite3.connect(store.home / "anomaly-lens.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.skipif("AD_TEST_POSTGRESQL" not in os.environ, reason="AD_TEST_POSTGRESQL names no empty database")
def test_the_same_store_works_on_postgresql(tmp_path: Path) -> None:
    store = Store.open(tmp_path, os.environ["AD_TEST_POSTGRESQL"])
    dataset = store.add_dataset("Pumps", "table", [], {"a": [1]}, 1, "f", {})
    first, second = train_run(store, dataset), train_run(store, dataset)

    assert store.claim(first.id, 1, "then", "cpu")
    assert not store.claim(first.id, 2, "then", "cpu")
    assert not store.claim(second.id, 2, "then", "cpu")
    assert store.finish(first.id, "done", summary={"n": 1})
    assert store.run(first.id).created.utcoffset() == timedelta(0)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    store.delete_dataset(dataset.id, runs=True)
    assert store.runs() == []
