"""Times that were excluded neither teach nor calibrate; they are scored and marked."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from ad_core import pipeline
from ad_core.data.dataset import Dataset, Declared
from ad_core.data.recordings.exclusion import parse_range
from ad_core.errors import DataError
from ad_core.progress import Silent
from pages._ui.data.exclusions import after_edit
from tests.conftest import payments

N = 1200
DOWN = ("2026-01-01T00:05:00", "2026-01-01T00:06:39")
"""Samples 300 to 399, both included."""


def machine(down: bool = True) -> pd.DataFrame:
    rng, t = np.random.default_rng(0), np.arange(N)
    table = pd.DataFrame({"time": pd.Timestamp("2026-01-01") + pd.to_timedelta(t, unit="s")})
    table["a"], table["b"] = np.sin(t / 7) + rng.normal(0, 0.05, N), np.cos(t / 7) + rng.normal(0, 0.05, N)
    if down:
        table.loc[300:399, ["a", "b"]] = rng.normal(-20, 5, (100, 2))
    return table


def opened(table: pd.DataFrame, *ranges: tuple[str, ...], **more: object) -> Dataset:
    return pipeline.open_dataset(table, time="time", exclude=ranges, **more)


def trained(dataset: Dataset) -> pipeline.Trained:
    choice = pipeline.Choice(pretext="nearest_neighbours", settings={"reader": {"window": 16}})
    return pipeline.train_all(dataset, choice, Silent(), references=False)


def test_rows_between_both_ends_are_marked_and_do_not_teach():
    dataset = opened(machine(), DOWN)

    assert np.flatnonzero(dataset.rows["excluded"]).tolist() == list(range(300, 400))
    assert np.flatnonzero(~dataset.is_training).tolist() == list(range(300, 400))
    assert "100 of 1200 rows are excluded: they are scored and marked, but not used for training." in dataset.notices
    assert not dataset.with_training_rows(np.ones(N, dtype=bool)).is_training[300:400].any()


def test_windows_that_touch_them_neither_teach_nor_calibrate_and_all_are_scored():
    done = trained(opened(machine(), DOWN))
    start = done.item_set.items["start"].to_numpy()
    touching = np.flatnonzero((start + 15 >= 300) & (start < 400))

    for part in (done.split.fit, done.split.early_stop, done.split.calibration):
        assert not set(part) & set(touching)
    assert done.scores["score"].notna().all()
    assert done.scores["used_for"].iloc[300:400].eq("").all()
    assert np.flatnonzero(done.scores["excluded"]).tolist() == list(range(300, 400))


def test_the_downtime_does_not_widen_what_is_usual():
    without, taught = trained(opened(machine(), DOWN)), trained(opened(machine()))

    assert without.detector.reader.channels[0].scale < 1 < taught.detector.reader.channels[0].scale
    assert without.scores["percentile"].iloc[300:400].min() == 100


def test_without_ranges_there_is_no_mark(trained_on_recording):
    assert "excluded" not in trained_on_recording.scores
    assert "excluded" not in opened(machine()).rows


def test_a_new_file_has_ranges_of_its_own():
    detector = trained(opened(machine(), DOWN)).detector
    assert detector.info.declared.exclude == ()
    assert "excluded" not in detector.score(pipeline.open_like(detector, machine()))


def test_a_range_can_be_of_one_recording_and_a_day_lasts_until_midnight():
    two = pd.concat([machine().assign(site="x"), machine().assign(site="y")], ignore_index=True)
    rows = opened(two, (*DOWN, "y"), entity="site").rows
    assert np.flatnonzero(rows["excluded"]).tolist() == list(range(N + 300, N + 400))

    hours = pd.date_range("2026-01-01", periods=96, freq="h")
    days = pd.DataFrame({"time": hours, "a": np.random.default_rng(0).random(96)})
    rows = opened(days, ("2026-01-02", "2026-01-03")).rows
    assert np.flatnonzero(rows["excluded"]).tolist() == list(range(24, 72))


def test_seconds_and_row_numbers_are_ranges_too():
    seconds = machine().assign(time=np.arange(N) / 2)
    assert np.flatnonzero(opened(seconds, ("10", "11.5")).rows["excluded"]).tolist() == [20, 21, 22, 23]

    rows = pipeline.open_dataset(machine().drop(columns="time"), modality="sensor", exclude=[("3", "4")]).rows
    assert np.flatnonzero(rows["excluded"]).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (("soon", DOWN[1]), r"The time 'soon' can't be read\. Give a date such as"),
        (DOWN[::-1], "ends before it begins"),
        (("2030-01-01", "2030-01-02"), "No row lies between 2030-01-01 and 2030-01-02. The recording lasts from 2026"),
        ((*DOWN, "z"), "There is no recording 'z' to exclude times of"),
    ],
)
def test_a_range_that_can_not_be_meant_is_refused(one, words):
    with pytest.raises(DataError, match=words):
        opened(machine(), one)


def test_only_recordings_have_times_to_exclude():
    with pytest.raises(DataError, match="Only recordings can have excluded times; these data are read as table"):
        pipeline.open_dataset(payments(), exclude=[DOWN])
    with pytest.raises(ValidationError, match="a range is"):
        Declared(exclude=(("2026-01-01",),))


def test_ranges_survive_being_stored():
    declared = Declared(exclude=(DOWN, (*DOWN, "x")))
    assert Declared.model_validate_json(declared.model_dump_json()) == declared


def test_a_range_is_written_with_two_dots_on_the_command_line():
    assert parse_range("2026-01-01T00:05..2026-01-01T00:06") == ("2026-01-01T00:05", "2026-01-01T00:06")
    assert parse_range(" 10.5..11.5 @ pump 1") == ("10.5", "11.5", "pump 1")
    for wrong in ("2026-01-01", "..2026-01-01", "2026-01-01.."):
        with pytest.raises(DataError, match="is not a range of time"):
            parse_range(wrong)


def test_the_editor_gives_the_ranges_after_each_edit():
    now = [{"from": "1", "to": "2"}, {"from": "3", "to": "4", "recording": "x"}]
    change = {
        "edited_rows": {0: {"to": "2.5"}},
        "deleted_rows": [1],
        "added_rows": [{"from": "7", "to": "8"}, {"from": "9"}],
    }

    assert after_edit(now, change) == (("1", "2.5"), ("7", "8"))
    assert after_edit(now, {"edited_rows": {1: {"recording": None}}, "deleted_rows": [], "added_rows": []}) == (
        ("1", "2"),
        ("3", "4"),
    )
