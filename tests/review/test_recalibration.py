"""Confirmed anomalies leave the calibration, of the bundle and of all that it scored; taken back, they return."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.calibration import Calibration
from ad_core.detector.detector import Detector
from ad_core.detector.events import event_rule, find_events
from ad_core.errors import DataError, StoreError
from ad_core.pipeline import open_dataset, open_like
from ad_core.review import recalibration
from ad_core.storage import bundle, results, verdicts
from ad_core.storage.run_calibration import calibration_rows_of
from ad_core.storage.store import Store


def finished(store: Store, data: str, kind: str, scores: pd.DataFrame, detector: Detector, parent: str | None = None):
    """A run's folder as a worker leaves it, without a map."""
    run = store.add_run(data, kind, {}, kind, parent).id
    folder = store.folder(run)
    facts = {"calibration": detector.calibration.facts()}
    (folder / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
    results.publish(folder, "scores", scores)
    assert store.claim(run, 1, "never")
    store.finish(run, "done", summary=facts)
    return run


@pytest.fixture
def runs(tmp_path, trained_on_payments, payments_file) -> tuple[Store, str, str]:
    """A training on payments, and another file scored with it."""
    store, detector = Store.open(tmp_path / "home"), trained_on_payments.detector
    data = store.add_dataset("payments", "table", [payments_file], {}, 300, "f", {}).id
    train = finished(store, data, "train", trained_on_payments.scores, detector)
    detector.save(store.folder(train) / "bundle")
    other = store.add_dataset("april", "table", [payments_file], {}, 300, "f", {}).id
    april = detector.score(open_like(detector, [payments_file]))
    return store, train, finished(store, other, "score", april.assign(used_for=""), detector, train)


def highest(store: Store, run: str, k: int) -> list[str]:
    return recalibration.review(store, run).queue["row_id"].head(k).tolist()


def test_the_queue_holds_the_highest_calibration_rows_highest_first(runs):
    store, train, scored = runs
    found = recalibration.review(store, scored)

    assert len(found.queue) == 50
    assert found.queue["score"].is_monotonic_decreasing
    assert found.queue["score"].iloc[0] == found.rows["score"].max()
    assert not found.pending
    used = results.ranked(store, train).set_index("row_id")["used_for"]
    assert (used[found.rows["row_id"]] == "calibration").all()


def test_nothing_changes_without_a_confirmed_row(runs):
    store, train, _ = runs
    before = results.table(store.folder(train), "scores")
    verdicts.give(store, train, highest(store, train, 3), "normal", author="Ada")
    verdicts.give(store, train, highest(store, train, 1), "unsure", author="Ada")

    recalibration.recalibrate(store, train)

    pd.testing.assert_frame_equal(results.table(store.folder(train), "scores"), before)


def test_a_trimmed_row_that_is_kept_calibrates_again_until_the_verdict_is_taken_back(runs):
    store, train, _ = runs
    part = store.folder(train) / "bundle"
    rows = bundle.part(part, "calibration_rows").sort_values("score", ascending=False, ignore_index=True)
    trimmed = rows.assign(trimmed=rows.index < 3)
    bundle.change(part, {"calibration_rows": trimmed})
    first, second = trimmed["row_id"].head(2)

    assert recalibration.review(store, train).trimmed == 3
    verdicts.give(store, train, [first], "normal", author="Ada")
    verdicts.give(store, train, [second], "anomaly", author="Ada")
    assert recalibration.review(store, train).pending
    calibration = recalibration.recalibrate(store, train)

    assert calibration.n == len(rows) - 2
    assert calibration.trimmed == 1  # the third; the second is confirmed
    assert not recalibration.review(store, train).pending
    left_out = recalibration.review(store, train).queue.set_index("row_id")["left_out"]
    assert left_out[trimmed["row_id"].head(4)].tolist() == [False, True, True, False]
    verdicts.give(store, train, [first], verdicts.TAKEN_BACK, author="Ada")
    assert recalibration.recalibrate(store, train).n == len(rows) - 3


def test_confirmed_rows_leave_the_bundle_and_the_p_values_of_every_run(runs):
    store, train, scored = runs
    gone = highest(store, train, 3)
    rest = recalibration.review(store, train).rows.query("row_id not in @gone")["score"]
    verdicts.give(store, train, gone, "anomaly", author="Ada")
    assert recalibration.review(store, scored).pending

    recalibration.recalibrate(store, scored, author="Ada")

    by_hand = Calibration.fit(rest)
    for run in (train, scored):
        table = results.table(store.folder(run), "scores")
        np.testing.assert_array_equal(table["p_value"], by_hand.p_value(table["score"]))
        np.testing.assert_array_equal(table["percentile"], by_hand.percentile(table["score"]))
        for summary in (results.summary(store.folder(run)), store.run(run).summary):
            assert summary["calibration"] == {**by_hand.facts(), "left_out": 3}
        assert results.smallest_p(store, run) == by_hand.smallest_p
    detector = Detector.load(store.folder(train) / "bundle")
    np.testing.assert_array_equal(detector.calibration.scores, by_hand.scores)
    assert len(detector.calibration_rows) == len(rest) + 3
    assert set(detector.calibration_rows.query("left_out")["row_id"]) == set(gone)
    assert not recalibration.review(store, train).pending
    assert recalibration.review(store, train).queue["left_out"].sum() == 3


def test_rows_left_out_by_an_older_version_are_known_from_its_review(runs):
    store, train, _ = runs
    gone = highest(store, train, 3)
    verdicts.give(store, train, gone, "anomaly", author="Ada")
    recalibration.recalibrate(store, train)
    folder = store.folder(train) / "bundle"
    facts, parts = bundle.read(folder)
    parts["calibration_rows"] = parts["calibration_rows"].drop(columns="left_out")
    bundle.write(folder, facts, parts)

    for rows in (Detector.load(folder).calibration_rows, calibration_rows_of(folder)):
        assert set(rows.query("left_out")["row_id"]) == set(gone)


def test_a_verdict_taken_back_puts_the_row_back(runs):
    store, train, scored = runs
    before = {run: results.table(store.folder(run), "scores") for run in (train, scored)}
    gone = highest(store, train, 2)
    verdicts.give(store, train, gone, "anomaly", author="Ada")
    recalibration.recalibrate(store, train)
    changed = results.table(store.folder(train), "scores")
    assert not changed["p_value"].equals(before[train]["p_value"])

    verdicts.give(store, train, gone, verdicts.TAKEN_BACK, author="Ada")
    assert recalibration.review(store, train).pending
    recalibration.recalibrate(store, train)

    for run in (train, scored):
        pd.testing.assert_frame_equal(results.table(store.folder(run), "scores"), before[run])


def test_verdicts_on_rows_that_do_not_calibrate_change_nothing(runs):
    store, train, _ = runs
    rows = results.ranked(store, train)
    fitted = rows.loc[rows["used_for"] == "fit", "row_id"].head(2).tolist()

    verdicts.give(store, train, fitted, "anomaly", author="Ada")

    assert recalibration.review(store, train).confirmed == []
    assert not recalibration.review(store, train).pending


def test_bundles_that_did_not_keep_their_calibration_rows_find_them_by_their_scores(runs):
    store, train, _ = runs
    before = recalibration.review(store, train)
    folder = store.folder(train) / "bundle"
    facts, parts = bundle.read(folder)
    bundle.write(folder, facts, {name: part for name, part in parts.items() if name != "calibration_rows"})

    found = recalibration.review(store, train)

    assert sorted(found.rows["row_id"]) == sorted(before.rows["row_id"])
    verdicts.give(store, train, highest(store, train, 1), "anomaly", author="Ada")
    recalibration.recalibrate(store, train)
    assert len(recalibration.review(store, train).rows) == len(before.rows)  # they are kept from now on


def test_rows_that_are_not_known_are_not_guessed(runs):
    store, train, _ = runs
    folder = store.folder(train) / "bundle"
    facts, parts = bundle.read(folder)
    parts["calibration"]["score"] += 0.5
    bundle.write(folder, facts, {name: part for name, part in parts.items() if name != "calibration_rows"})

    with pytest.raises(StoreError, match="did not keep its calibration rows"):
        recalibration.review(store, train)


def test_it_waits_for_runs_that_are_still_working(runs):
    store, train, _ = runs
    store.add_run(store.run(train).dataset_id, "score", {}, "may", train)

    with pytest.raises(StoreError, match="'may' is still working"):
        recalibration.recalibrate(store, train)


def test_leaving_out_everything_is_refused_and_changes_nothing(runs):
    store, train, _ = runs
    before = results.table(store.folder(train), "scores")
    everyone = recalibration.review(store, train).rows["row_id"].tolist()
    verdicts.give(store, train, everyone, "anomaly", author="Ada")

    with pytest.raises(DataError, match="Every calibration row"):
        recalibration.recalibrate(store, train)

    pd.testing.assert_frame_equal(results.table(store.folder(train), "scores"), before)


def test_of_a_recording_whole_blocks_leave_and_events_follow(tmp_path, trained_on_recording, recording_file):
    trained, store = trained_on_recording, Store.open(tmp_path / "home")
    data = store.add_dataset("pump", "sensor", [recording_file], {}, 1200, "f", {}).id
    run = finished(store, data, "train", trained.scores, trained.detector)
    folder = store.folder(run)
    trained.detector.save(folder / "bundle")
    dataset = open_dataset(recording_file, label="is_anomaly")
    alerts = trained.detector.alerts(trained.scores, dataset)
    facts = results.summary(folder) | {"events": event_rule(trained.detector, trained.item_set, alerts.rule)}
    (folder / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
    results.publish(folder, "events", find_events(trained.detector, trained.scores, trained.item_set, alerts, led=1))

    found = recalibration.review(store, run)
    blocks = found.rows.set_index("row_id")["block"]
    assert blocks[found.queue["row_id"]].is_unique
    verdicts.give(store, run, found.queue["row_id"].head(1).tolist(), "anomaly", author="Ada")
    after = recalibration.recalibrate(store, run)

    left = found.rows[found.rows["block"] != blocks[found.queue["row_id"].iloc[0]]]
    np.testing.assert_array_equal(after.scores, np.sort(left["score"]))
    assert after.n == trained.detector.calibration.n - 1
    detector = Detector.load(folder / "bundle")
    assert results.summary(folder)["events"] == event_rule(detector, trained.item_set, detector.rule)
    scores = results.table(folder, "scores")
    expected = find_events(detector, scores, trained.item_set, detector.alerts(scores, dataset), led=0)
    told = results.table(folder, "events")
    pd.testing.assert_frame_equal(told[list(expected.columns)], expected)
    assert "leads" in told
