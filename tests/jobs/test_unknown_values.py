"""Values that the training data never had, in the app's jobs, its reports and its verdicts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ad_core import pipeline
from ad_core.alerts.rule import Rule
from ad_core.cli.report import opened
from ad_core.data.dataset import Declared
from ad_core.errors import DataError
from ad_core.jobs.kinds import run_job
from ad_core.progress import Silent
from ad_core.review.reports import run_report
from ad_core.review.verdict_files import known_rows
from ad_core.storage import results
from ad_core.storage.store import RunRecord, Store
from tests.unknown_values import METHOD, odd_pumps, pumps

RULE = Rule(kind="p", value=0.05).model_dump(mode="json")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store.open(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pumps")
    tables = {"train": pumps(), "odd": odd_pumps(), "short": odd_pumps().drop(columns="load")}
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return {name: folder / f"{name}.csv" for name in tables}


@pytest.fixture(scope="module")
def training(store, files) -> RunRecord:
    declared = Declared(label="truth", id="pump").model_dump(mode="json")
    data = store.add_dataset("train", "table", [str(files["train"])], declared, 300, "f", {})
    run = store.add_run(data.id, "train", {"pretext": METHOD}, "train")
    facts_of(store, run)
    return run


def facts_of(store: Store, run: RunRecord) -> dict[str, Any]:
    """Do the work of a run as a worker does, and return its summary."""
    return run_job(store, run.id, Silent())


def batch(store: Store, training: RunRecord, file: Path, declared: dict[str, bool]) -> RunRecord:
    """As the page Score file keeps a file and submits its job."""
    data = store.add_dataset(file.stem, "table", [str(file)], declared, 60, file.stem, {"scored_by": training.id})
    return store.add_run(data.id, "score", {}, file.stem, training.id)


@pytest.fixture(scope="module")
def scored(store, training, files) -> RunRecord:
    run = batch(store, training, files["odd"], {})
    facts_of(store, run)
    return run


def test_a_file_with_unknown_values_gets_the_scores_that_python_gives(store, training, scored, files):
    detector = pipeline.load_detector(store.folder(training.id) / "bundle")
    expected = detector.score(pipeline.open_dataset(files["odd"], id="pump"))

    found, facts = results.table(store.folder(scored.id), "scores"), results.summary(store.folder(scored.id))

    np.testing.assert_array_equal(found["score"], expected["score"])
    said = " ".join([*facts["matches"], *facts["notices"]])
    for words in ("'2' (1 rows)", "'jammed' (1 rows)", "'west' (1 rows)", "'NORTH' as 'north'", "('ERR')", "'leak'"):
        assert words in said


def test_only_new_categories_lose_the_guarantee_and_other_spellings_do_not(scored, store):
    rows = results.table(store.folder(scored.id), "scores").set_index("row_id")["withdrawn"]
    drift = results.summary(store.folder(scored.id))["drift"]

    assert rows[rows != ""].to_dict() == {
        "p1-0": "valve 2 was never seen",
        "p1-1": "locked jammed was never seen",
        "p1-2": "plant west was never seen",
    }
    assert "plant" not in [line["column"] for line in drift["columns"] if line["verdict"] == "act"]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("explain", {"row_ids": ["p1-0", "p1-3"]}),
        ("whatif", {"row_id": "p1-0", "tries": [{"valve": "1"}], "rule": RULE}),
        ("whatif", {"row_id": "p1-3", "tries": [{"size": "50"}], "rule": RULE}),
        ("counterfactual", {"row_id": "p1-1", "fixed": [], "rule": RULE}),
        ("counterfactual", {"row_id": "p1-3", "fixed": [], "rule": RULE}),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_every_job_on_such_a_file_is_done(store, scored, kind, config):
    run = store.add_run(scored.dataset_id, kind, config, kind, scored.id)

    facts = facts_of(store, run)

    assert facts.get("row_ids") or facts.get("row_id") or len(facts["tries"]) == 2


def test_the_report_of_such_a_run_has_its_rows(store, scored):
    dataset = opened(store, scored.id)

    assert dataset is not None
    facts, shown = run_report.gather(store, scored.id, dataset)
    assert facts["counts"]["rows"] == facts["counts"]["scored"] == 60
    assert "p1-2" in run_report.to_html(facts, shown)


def test_verdicts_on_a_file_that_waits_for_its_scores_know_its_rows(store, training, files):
    """By itself a file of eight rows would not show which column names them."""
    few = files["odd"].with_name("few.csv")
    odd_pumps().head(8).to_csv(few, index=False)

    waiting = batch(store, training, few, {})

    assert known_rows(store, waiting.dataset_id) == {f"p1-{i}" for i in range(8)}


def test_a_column_may_be_missing_where_the_box_was_ticked(store, training, files):
    refused = batch(store, training, files["short"], {})
    with pytest.raises(DataError, match="needs 'load'"):
        run_job(store, refused.id, Silent())

    run = batch(store, training, files["short"], {"allow_missing": True})
    facts = facts_of(store, run)

    detector = pipeline.load_detector(store.folder(training.id) / "bundle")
    expected = detector.score(pipeline.open_like(detector, files["short"], allow_missing=True))
    np.testing.assert_array_equal(results.table(store.folder(run.id), "scores")["score"], expected["score"])
    assert any("do not have: 'load'. They are filled in" in notice for notice in facts["notices"])
    config = {"row_id": "p1-0", "tries": [{"valve": "1"}], "rule": RULE}
    tries = facts_of(store, store.add_run(run.dataset_id, "whatif", config, "w", run.id))["tries"]
    assert tries[0]["score"] == pytest.approx(expected["score"][0])
    explain = store.add_run(run.dataset_id, "explain", {"row_ids": ["p1-0"]}, "e", run.id)
    assert facts_of(store, explain) == {"row_ids": ["p1-0"]}
