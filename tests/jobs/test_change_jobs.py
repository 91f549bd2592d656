"""Jobs about changed cases: what they leave behind is what pages and the evidence pack show."""

import json

import numpy as np
import pytest

from ad_core.errors import StoreError
from ad_core.explain.heat_scale import HeatScale
from ad_core.jobs.kinds import run_job, stored_dataset
from ad_core.progress import Silent
from ad_core.review.reports import case_report
from ad_core.storage import results
from ad_core.storage.store import RunRecord, Store
from tests.conftest import FEW_STEPS
from tests.jobs.test_kinds import add, trained

BROKEN, RULE = "P00299", {"kind": "p", "value": 0.05, "segment": None}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store.open(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def forest_run(store, payments_file) -> RunRecord:
    dataset_id = add(store, payments_file, label="is_fraud", id="payment")
    return trained(store, dataset_id, pretext="isolation_forest")[0]


def done(store: Store, parent: RunRecord, kind: str, config: dict) -> RunRecord:
    run = store.add_run(parent.dataset_id, kind, config, "asked", parent=parent.id)
    assert store.claim(run.id, 1, "never")
    store.finish(run.id, "done", summary=run_job(store, run.id, Silent()))
    return store.run(run.id)


def test_tries_are_kept_with_their_job(store, forest_run):
    config = {"row_id": BROKEN, "tries": [{"amount [EUR]": "30", "hour": "12"}], "rule": RULE}

    summary = done(store, forest_run, "whatif", config).summary

    ranked = results.ranked(store, forest_run.id).set_index("row_id")
    before, after = summary["tries"]
    assert before["score"] == pytest.approx(ranked.at[BROKEN, "score"])
    assert before["alert"] is True
    assert after["score"] < before["score"]
    assert after["severity"] == "Low"
    json.dumps(summary, allow_nan=False)


def test_a_counterfactual_joins_its_case_and_the_evidence_pack(store, forest_run):
    config = {"row_id": BROKEN, "fixed": ["card_present"], "rule": RULE}
    assert results.case(store, forest_run.id, BROKEN).counterfactual is None

    job = done(store, forest_run, "counterfactual", config)

    found = results.case(store, forest_run.id, BROKEN).counterfactual
    assert job.summary == {"row_id": BROKEN, "found": True}
    assert found["found"]
    assert found["fixed"] == ["card_present"]
    assert "card_present" not in {change["part"] for change in found["changes"]}
    assert found["after"]["p_value"] > 0.05
    dataset = stored_dataset(store, forest_run.dataset_id)
    pack = case_report.gather(store, forest_run.id, BROKEN, dataset, {"sentence": "rule"})
    assert pack["counterfactual"]["changes"] == found["changes"]
    html = case_report.to_html(pack)
    assert "What would make it normal" in html
    assert found["changes"][0]["part"] in html
    assert "Not changed: card_present" in html
    other = case_report.to_html(case_report.gather(store, forest_run.id, "P00001", dataset, {"sentence": "rule"}))
    assert "What would make it normal" not in other


def test_a_row_that_is_gone_is_said(store, forest_run):
    with pytest.raises(StoreError):
        results.case(store, forest_run.id, "P9")
    run = store.add_run(forest_run.dataset_id, "counterfactual", {"row_id": "P9", "rule": RULE}, "x", forest_run.id)
    with pytest.raises(Exception, match="no row 'P9'"):
        run_job(store, run.id, Silent())


def test_a_run_on_images_keeps_its_colours_and_a_changed_picture(store, plates_folder):
    dataset_id = add(store, plates_folder, only=["folder=good"])
    settings = {**FEW_STEPS, "reader": {"size": 32}}
    run, _ = trained(store, dataset_id, pretext="autoencoder", settings=settings)

    scale = HeatScale.from_facts(results.summary(store.folder(run.id)))
    assert scale is not None
    assert scale.low < scale.high
    assert scale.images == results.summary(store.folder(run.id))["calibration"]["rows"]

    done(store, run, "counterfactual", {"row_id": "scratch/000.png", "rule": {"kind": "score", "value": 0.3}})
    case = results.case(store, run.id, "scratch/000.png")
    assert case.counterfactual["found"], case.counterfactual["sentence"]
    assert case.counterfactual["rule"] == "from score 0.3 on"
    assert case.changed.shape == (40, 40)
    assert np.abs(case.changed.astype(float) - 130).mean() < 30


def test_an_answer_replaces_the_one_before(tmp_path):
    results.keep_counterfactual(tmp_path, "a/b", {"sentence": "one"}, np.zeros((2, 2), dtype=np.uint8), None)
    results.keep_counterfactual(tmp_path, "a/b", {"sentence": "two"}, None, None)

    file = results.counterfactual_file(tmp_path, "a/b")
    assert json.loads(file.read_text(encoding="utf-8")) == {"sentence": "two"}
    shown = [f.name for f in file.parent.iterdir() if not f.name.startswith(".")]  # beside checksums and the lock
    assert shown == [file.name]
