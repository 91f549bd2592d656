"""A home written by version 0.1.0, before the modules moved, reads the same in this version.

`old_home/home` was made by that version (commit daa67d4): two training runs of the preset "quick" with a small encoder
(payments and a walk), two files scored with them, a counterfactual, a failed run, saved thresholds and verdicts.
`old_home/readings.json` is what `readings` below gave there. The sources are named `/data/...`; of them only
`payments_new.csv` is kept here.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from ad_core import pipeline
from ad_core.alerts.threshold import Rule
from ad_core.jobs import queue
from ad_core.storage import bundle, database, results, run_files, saved_thresholds, verdicts
from ad_core.storage.records import WITH_SCORES, RunRecord
from ad_core.storage.run_alerts import alerts_of
from ad_core.storage.run_calibration import calibration_of
from ad_core.storage.schema import Base
from ad_core.storage.store import Store

OLD = Path(__file__).with_name("old_home")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AD_DATABASE_URL", raising=False)
    return Path(shutil.copytree(OLD / "home", tmp_path / "home"))


def test_an_old_home_reads_as_its_own_version_read_it(home: Path) -> None:
    old = json.loads((OLD / "readings.json").read_text(encoding="utf-8"))

    now = readings(Store.open(home))

    assert now.keys() == old.keys()
    for subject in old:
        assert now[subject] == old[subject], subject


def test_an_old_home_has_the_tables_of_this_version_once_it_is_open(home: Path) -> None:
    store = Store.open(home)

    assert revision(home) == database.HEAD
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_home_from_before_thresholds_and_verdicts_is_upgraded_and_keeps_its_runs(home: Path) -> None:
    with closing(sqlite3.connect(home / "anomaly-lens.db")) as connection, connection:
        connection.execute("DROP TABLE threshold")
        connection.execute("DROP TABLE verdict")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    old = json.loads((OLD / "readings.json").read_text(encoding="utf-8"))

    store = Store.open(home)

    assert revision(home) == database.HEAD
    assert [run.id for run in store.runs()] == [run["id"] for run in old["runs"]]
    assert [verdicts.count(store, record.id) for record in store.datasets()] == [0, 0, 0, 0]
    assert saved_thresholds.current(store, training(store, "Payments").id) is None


def test_work_goes_on_in_an_old_home(home: Path) -> None:
    store = Store.open(home)
    run, row_id = training(store, "Payments"), "202509-00076"
    before = verdicts.count(store, run.dataset_id)

    assert queue.find_lost(store) == []
    saved_thresholds.save(store, run.id, Rule(kind="budget", value=5), name="Five", reason="", author="Cy")
    verdicts.give(store, run.id, [row_id], "normal", author="Cy")

    assert alerts_of(store, run.id).count == 5
    assert bundle.part(store.folder(run.id) / "bundle", saved_thresholds.PART)[-1]["name"] == "Five"
    assert verdicts.count(store, run.dataset_id) == before + 1


def test_the_detector_of_an_old_home_scores_a_file_as_it_did(home: Path) -> None:
    store = Store.open(home)
    (run,) = [run for run in store.runs(kind="score") if run.name == "October"]
    detector = pipeline.load_detector(store.folder(training(store, "Payments").id) / "bundle")
    declared = store.dataset(run.dataset_id).declared

    scores = detector.score(pipeline.open_like(detector, [str(OLD / "payments_new.csv")], declared))

    old = results.table(store.folder(run.id), "scores")
    assert old is not None
    assert scores["row_id"].tolist() == old["row_id"].tolist()
    for column in ("score", "p_value", "percentile"):
        # Another processor adds in another order, in single precision.
        assert scores[column].to_numpy() == pytest.approx(old[column].to_numpy(), rel=1e-4, nan_ok=True)


def readings(store: Store) -> dict[str, Any]:
    """What a home holds, as plain JSON: records, and of each run its first rows, alerts, events and one case."""
    seen: dict[str, Any] = {
        "datasets": [asdict(record) for record in store.datasets()],
        "runs": [asdict(record) for record in store.runs()],
        "verdicts": {record.id: verdicts_of(store, record.id) for record in store.datasets()},
        "results": {run.id: results_of(store, run) for run in store.runs(status="done") if run.kind in WITH_SCORES},
    }
    return dict(json.loads(json.dumps(seen, default=str)))


def verdicts_of(store: Store, dataset_id: str) -> dict[str, Any]:
    return {
        "count": verdicts.count(store, dataset_id),
        "history": lines(verdicts.history(store, dataset_id)),
        "current": lines(verdicts.current(store, dataset_id)),
    }


def results_of(store: Store, run: RunRecord) -> dict[str, Any]:
    folder, rows, alerts = store.folder(run.id), results.ranked(store, run.id), alerts_of(store, run.id)
    known = verdicts.labels(store, run.dataset_id, rows)
    events, first = results.table(folder, "events"), results.case(store, run.id, rows["row_id"][0])
    return {
        "rows": len(rows),
        "score_sum": round(float(rows["score"].sum()), 6),
        "first": lines(rows.head(10)),
        "labels": {"anomaly": int((known == 1).sum()), "normal": int((known == 0).sum())},
        "rule": alerts.rule.model_dump(mode="json"),
        "alerts": {"count": alerts.count, "score": alerts.score},
        "calibration": calibration_of(store, run.id).facts(),
        "smallest_p": results.smallest_p(store, run.id),
        "thresholds": lines(saved_thresholds.history(store, run.id)),
        "events": None if events is None else lines(events),
        "explanation": None if first.explanation is None else lines(first.explanation.head(5)),
        "neighbours": None if first.neighbours is None else lines(first.neighbours),
        "check": first.check,
        "counterfactual": first.counterfactual,
        "map": None if first.map is None else [list(first.map.shape), round(float(first.map.sum()), 4)],
        "window": None if first.window is None else lines(first.window.head(2)),
        "progress": asdict(run_files.read_progress(folder)),
        "curve": run_files.read_curve(folder)[:3],
        "log": run_files.read_log(folder)[:3],
    }


def lines(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object)
    return list(plain.where(plain.notna(), None).to_dict("records"))


def training(store: Store, name: str) -> RunRecord:
    (run,) = [run for run in store.runs(kind="train") if run.name == name]
    return run


def revision(home: Path) -> str:
    with closing(sqlite3.connect(home / "anomaly-lens.db")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
