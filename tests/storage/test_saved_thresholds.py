"""Saved thresholds: append-only in the store, the newest counts, and the bundle takes them along."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.rule import Rule, rule_in_force
from ad_core.alerts.saved_threshold import SavedThreshold
from ad_core.detector.detector import Detector
from ad_core.errors import BundleError, StoreError
from ad_core.pipeline import open_like
from ad_core.storage import bundle, saved_thresholds
from ad_core.storage.store import Store

FDR, BUDGET = Rule(kind="fdr", value=0.1), Rule(kind="budget", value=20)


@pytest.fixture
def trained(tmp_path, trained_on_payments) -> tuple[Store, str]:
    """A store with a run whose bundle is a real one."""
    store = Store.open(tmp_path / "home")
    data = store.add_dataset("payments", "table", ["payments.csv"], {}, 300, "f", {}).id
    run = store.add_run(data, "train", {}, "first").id
    trained_on_payments.detector.save(store.folder(run) / "bundle")
    return store, run


def test_without_a_saved_threshold_there_is_none(trained):
    store, run = trained

    assert saved_thresholds.current(store, run) is None
    assert saved_thresholds.history(store, run).empty
    assert Detector.load(store.folder(run) / "bundle").threshold is None


def test_the_newest_threshold_counts_and_every_one_stays(trained):
    store, run = trained
    saved_thresholds.save(store, run, FDR, name="start", reason="", author="Ada")
    saved_thresholds.save(store, run, BUDGET, name=" fewer ", reason="two people look", author="Bo")

    assert saved_thresholds.current(store, run) == BUDGET
    lines = saved_thresholds.history(store, run)
    assert lines["name"].tolist() == ["fewer", "start"]
    assert lines["rule"].iloc[1] == FDR.model_dump()
    assert (lines["created"].dt.tz is not None) or lines["created"].iloc[0].tzinfo is not None


def test_a_scored_file_has_the_threshold_of_its_detector(trained):
    store, run = trained
    scored = store.add_run(store.run(run).dataset_id, "score", {}, "april", run).id

    saved_thresholds.save(store, scored, FDR, name="start", reason="", author="Ada")

    assert saved_thresholds.current(store, scored) == saved_thresholds.current(store, run) == FDR


def test_the_bundle_takes_thresholds_along_and_stays_whole(trained, tmp_path):
    store, run = trained
    saved_thresholds.save(store, run, FDR, name="start", reason="r", author="Ada")
    saved_thresholds.save(store, run, BUDGET, name="fewer", reason="", author="Ada")

    detector = Detector.load(store.folder(run) / "bundle")
    assert detector.threshold == BUDGET
    assert [saved.name for saved in detector.thresholds] == ["start", "fewer"]
    assert Detector.load(detector.save(tmp_path / "copy")).threshold == BUDGET


def test_a_bundle_of_before_has_no_threshold_and_no_calibration_rows(trained_on_payments, tmp_path):
    folder = trained_on_payments.detector.save(tmp_path / "bundle")
    facts, parts = bundle.read(folder)
    bundle.write(folder, facts, {name: part for name, part in parts.items() if name != "calibration_rows"})

    detector = Detector.load(folder)

    assert detector.threshold is None
    assert detector.calibration_rows is None


def test_a_saved_threshold_that_is_not_understood_is_named(trained):
    store, run = trained
    folder = store.folder(run) / "bundle"
    saved_thresholds.save(store, run, FDR, name="start", reason="", author="Ada")
    (entry,) = bundle.part(folder, saved_thresholds.PART)
    bundle.change(folder, {saved_thresholds.PART: [{**entry, "rule": {"kind": "moon", "value": 1.0}}]})

    for read in (Detector.load, saved_thresholds.in_bundle):
        with pytest.raises(BundleError, match=r"not understood: threshold.rule.kind = 'moon'.* Update"):
            read(folder)


def test_entries_of_the_bundle_keep_their_form(trained):
    """Older versions read these keys."""
    store, run = trained
    saved_thresholds.save(store, run, FDR, name="start", reason="", author="Ada")

    (entry,) = bundle.part(store.folder(run) / "bundle", saved_thresholds.PART)

    assert list(entry) == saved_thresholds.COLUMNS
    assert entry["rule"] == {"kind": "fdr", "value": 0.1, "segment": None}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", entry["created"])


def test_a_threshold_without_a_name_is_refused(trained):
    with pytest.raises(StoreError, match="needs a name"):
        saved_thresholds.save(*trained, FDR, name=" ", reason="", author="Ada")


def test_what_can_not_be_written_into_the_bundle_is_not_saved_at_all(trained):
    store, run = trained
    (store.folder(run) / "bundle" / "bundle.json").write_text("{")

    with pytest.raises(BundleError):
        saved_thresholds.save(store, run, FDR, name="start", reason="", author="Ada")

    assert saved_thresholds.history(store, run).empty


def test_thresholds_go_with_their_run(trained):
    store, run = trained
    saved_thresholds.save(store, run, FDR, name="start", reason="", author="Ada")

    store.delete_run(run)

    with pytest.raises(StoreError):
        saved_thresholds.history(store, run)


def test_a_detector_alerts_by_its_threshold_and_knows_rows_that_taught_it(trained_on_payments, payments_file):
    detector, scores = trained_on_payments.detector, trained_on_payments.scores
    same = open_like(detector, payments_file)
    other = replace(same, fingerprint="another file")

    taught = detector.used_in_training(scores, other)
    assert set(scores["row_id"][taught]) == set(detector.calibration_rows["row_id"])
    elsewhere = scores.assign(score=scores["score"] + 1)  # another file with the same ids
    assert not detector.used_in_training(elsewhere, other).any()
    changed = replace(other, data=other.data.assign(hour=other.data["hour"].fillna(9) + 1))  # and the same scores
    assert not detector.used_in_training(scores, changed).any()
    assert detector.used_in_training(scores, same).all()
    assert detector.threshold is None
    assert detector.alerts(scores, same).rule == rule_in_force(None, detector.calibration.smallest_p)

    threshold = SavedThreshold(rule=Rule(kind="score", value=2.0), name="two", created=datetime.now(UTC))
    saved = Detector(**{**vars(detector), "thresholds": (threshold,)})
    assert (saved.alerts(scores, same).of_rows == (scores["score"] >= 2.0)).all()
    assert isinstance(scores, pd.DataFrame)
    assert np.isfinite(scores["score"]).any()
