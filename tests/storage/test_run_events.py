"""Events of a stored run follow the rule; which channels led stays with the peak."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.calibration import Calibration
from ad_core.alerts.rule import Rule
from ad_core.alerts.threshold import apply
from ad_core.errors import DataError
from ad_core.storage import bundle, results, saved_thresholds
from ad_core.storage.run_alerts import alerts_of, rule_of
from ad_core.storage.run_events import events_of, merging
from ad_core.storage.store import Store

PEAKS = {50: 30.0, 100: 20.0, 150: 10.0}
"""Row of a peak -> its score; the rows beside it score 1 less, all others 0."""


@pytest.fixture
def run(tmp_path) -> tuple[Store, str]:
    """200 time stamps with three peaks and 99 calibration rows below 5; the event at row 50 was published."""
    store = Store.open(tmp_path / "home")
    data = store.add_dataset("pump", "sensor", ["pump.parquet"], {}, 200, "f", {}).id
    run_id = store.add_run(data, "train", {}, "first").id
    folder = store.folder(run_id)
    calibration = Calibration.fit(np.linspace(0, 5, 99))
    score = np.zeros(200)
    for at, height in PEAKS.items():
        score[at - 1 : at + 2] = [height - 1, height, height - 1]
    time = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(200), unit="s")
    scores = pd.DataFrame({"row_id": [f"t{i}" for i in range(200)], "time": time, "score": score})
    scores["percentile"], scores["p_value"] = calibration.percentile(score), calibration.p_value(score)
    results.publish(folder, "scores", scores.assign(used_for=""))
    lead = {"row_id_peak": ["t50"], "leading": ["flow"], "leads": ["flow, 3 s before the peak"]}
    results.publish(folder, "events", pd.DataFrame(lead))
    facts = {"calibration": calibration.facts(), "events": {"threshold": 4.9, "by": "p ≤ 0.01", "merge_gap": 2}}
    (folder / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
    parts = {
        "calibration": calibration.to_frame(),
        "calibration_facts": calibration.facts(),
        "reader": {"name": "sensor", "settings": {"merge_windows": 3.0}, "facts": {"window": 20}},
    }
    bundle.write(folder / "bundle", {}, parts)
    return store, run_id


def peaks(events: pd.DataFrame) -> list[str]:
    return events["row_id_peak"].tolist()


def test_the_default_rule_makes_events_and_those_with_a_known_peak_keep_their_lead(run):
    store, run_id = run

    found = events_of(store, run_id)

    assert rule_of(store, run_id) == Rule(kind="p", value=0.01)
    assert peaks(found) == ["t50", "t100", "t150"]
    assert found["n_alarms"].tolist() == [3, 3, 3]
    assert found["leading"].fillna("").tolist() == ["flow", "", ""]
    assert found["leads"].fillna("").tolist() == ["flow, 3 s before the peak", "", ""]


def test_events_follow_a_rule_that_is_saved_or_looked_at(run):
    store, run_id = run
    looked_at = alerts_of(store, run_id, Rule(kind="budget", value=1))

    saved_thresholds.save(store, run_id, Rule(kind="score", value=15), name="15", reason="", author="Ada")

    assert peaks(events_of(store, run_id)) == ["t50", "t100"]
    assert peaks(events_of(store, run_id, looked_at)) == ["t50"]
    none = events_of(store, run_id, alerts_of(store, run_id, Rule(kind="score", value=99)))
    assert none.empty
    assert {"row_id_peak", "start", "leads"} <= set(none)


def test_a_threshold_per_recording_decides_row_by_row(run):
    """Pump b is louder: its peak of 20 is normal for it, while 10 is far out for pump a."""
    store, run_id = run
    folder = store.folder(run_id)
    rows = results.table(folder, "scores").assign(entity=["a"] * 75 + ["b"] * 50 + ["a"] * 75)
    results.publish(folder, "scores", rows)
    known = pd.DataFrame({"entity": ["a"] * 99 + ["b"] * 99, "score": np.r_[np.linspace(0, 5, 99), np.full(99, 40.0)]})
    bundle.change(folder / "bundle", {"calibration_rows": known})

    found = events_of(store, run_id, alerts_of(store, run_id, Rule(kind="p", value=0.01, segment="entity")))

    assert peaks(found) == ["t50", "t150"]
    assert found["entity"].tolist() == ["a", "a"]


def test_a_segment_that_is_not_known_is_an_error_and_no_other_events(run):
    store, run_id = run
    saved_thresholds.save(store, run_id, Rule(kind="p", value=0.01, segment="line"), name="x", reason="", author="Ada")

    with pytest.raises(DataError, match="no column 'line'"):
        events_of(store, run_id)


def test_a_run_that_has_not_kept_how_alerts_are_merged_goes_by_the_window_of_its_detector(run):
    store, run_id = run
    folder = store.folder(run_id)
    assert merging(store, run_id) == {"merge_gap": 2, "merge_windows": 2.0}

    facts = {name: value for name, value in results.summary(folder).items() if name != "events"}
    (folder / "summary.json").write_text(json.dumps(facts), encoding="utf-8")

    assert merging(store, run_id) == {"merge_gap": 60, "merge_windows": 3.0}
    assert peaks(events_of(store, run_id)) == ["t50"]  # 60 time stamps are more than lie between the peaks


def test_a_table_has_no_events(run):
    store, _ = run
    data = store.add_dataset("sales", "table", ["sales.csv"], {}, 3, "f", {}).id
    table = store.add_run(data, "train", {}, "table").id

    assert events_of(store, table) is None


def test_rows_and_alerts_at_hand_are_used(run):
    store, run_id = run
    rows = results.ranked(store, run_id)
    calibration = Calibration.from_frame(
        bundle.part(store.folder(run_id) / "bundle", "calibration"), {"approximate": False}
    )

    found = events_of(store, run_id, apply(Rule(kind="score", value=15), rows, calibration), rows)

    assert peaks(found) == ["t50", "t100"]
