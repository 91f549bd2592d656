"""Recordings become windows: every usable row is covered, windows are views, odd time stamps are handled and said."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ad_core.data.dataset import ColumnKind, Dataset, Declared, Role
from ad_core.data.item_set import ItemSet
from ad_core.data.reader import READERS
from ad_core.data.readers.sensor import Sensor, SensorSettings, looks_like_recording
from ad_core.errors import DataError, SettingsError
from ad_core.types import Modality


def recording(
    n: int = 400, channels: int = 2, begin: str = "2024-03-01", seed: int = 0, step_s: float = 60.0
) -> pd.DataFrame:
    """Sines with a period of 25 samples and a little noise, evenly sampled."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (n, channels))
    values = np.sin(2 * np.pi * np.arange(n) / 25)[:, None] * np.arange(1, channels + 1) + noise
    table = pd.DataFrame(values, columns=[f"c{i}" for i in range(channels)])
    table.insert(0, "time", pd.Timestamp(begin) + pd.to_timedelta(np.arange(n) * step_s, unit="s"))
    return table


def opened(table: pd.DataFrame, **declared: object) -> Dataset:
    return Sensor.open(table, Declared(**declared))


def framed(
    table: pd.DataFrame, window: int = 16, stride: int = 0, **declared: object
) -> tuple[Sensor, Dataset, ItemSet]:
    dataset = opened(table, **declared)
    reader = Sensor(SensorSettings(window=window, stride=stride))
    reader.fit(dataset, dataset.is_training)
    return reader, dataset, reader.item_set(dataset)


def said(notices: object, words: str) -> bool:
    return any(words in notice for notice in notices)


# roles


def test_the_reader_is_installed_under_its_name():
    assert READERS.get("sensor") is Sensor
    assert "sensor" in READERS.names(Modality.SENSOR)


def test_columns_get_their_roles_by_name_and_content():
    table = recording().rename(columns={"c0": "speed [m/s]", "c1": "p (bar)"})
    table = table.assign(
        is_anomaly=0,
        is_anomaly_point=0,
        split=np.arange(400) // 200,
        comment=[f"note {i}" for i in range(400)],
        mode=np.where(np.arange(400) % 50 < 25, "run", "idle"),
        flat=7.0,
        empty=np.nan,
        row=np.arange(400),
        on=np.arange(400) % 7 > 3,
    )
    schema = opened(table).schema
    columns = {column.name: column for column in schema.columns}

    assert schema.one(Role.TIME) == "time"
    assert schema.one(Role.LABEL) == "is_anomaly"
    assert schema.names(Role.FEATURE) == ["speed [m/s]", "p (bar)", "mode", "flat", "on"]
    assert columns["speed [m/s]"].unit == "m/s"
    assert columns["p (bar)"].unit == "bar"
    assert columns["flat"].grade == "B"
    for name, reason in {
        "is_anomaly_point": "true labels",
        "split": "training and test",
        "comment": "text with 400",
        "row": "counts",
    }.items():
        assert columns[name].role is Role.IGNORE
        assert reason in columns[name].reason
    assert columns["empty"].role is Role.WATCHED
    assert "a new value is an alarm" in columns["empty"].reason


def test_what_was_declared_wins_over_what_is_found():
    table = recording().assign(clock=np.arange(400.0), truth=0, split=np.arange(400) // 200)
    schema = opened(table, time="clock", label="truth", ignore=("c1",), use=("split",)).schema

    assert (schema.one(Role.TIME), schema.one(Role.LABEL)) == ("clock", "truth")
    assert schema.names(Role.FEATURE) == ["c0", "split"]


def test_a_declared_column_that_does_not_exist_is_named():
    with pytest.raises(DataError, match="There is no column 'tme'"):
        opened(recording(), time="tme")


def test_a_text_column_with_many_values_cannot_be_forced_into_a_channel():
    with pytest.raises(DataError, match="'note' can't be a channel: It is text with 400 different values"):
        opened(recording().assign(note=[f"n{i}" for i in range(400)]), use=("note",))


def test_only_text_beside_the_time_leaves_no_channel():
    table = recording()[["time"]].assign(note=[f"n{i}" for i in range(400)])
    with pytest.raises(DataError, match="No column can be used as a channel"):
        opened(table)


def test_the_bad_of_a_plant_historian_counts_as_missing():
    table = recording().assign(c1=lambda t: t["c1"].astype(object))
    table.loc[[30, 31], "c1"] = "Bad"
    _, dataset, item_set = framed(table)

    assert said(
        dataset.notices, "Column 'c1': 2 of 400 cells are not numbers (first in row 31: 'Bad'); they count as missing"
    )
    assert np.isfinite(item_set.x).all()


def test_a_label_of_words_becomes_zero_and_one_and_other_values_are_said_and_never_trained_on():
    words = np.where(np.arange(400) < 390, "normal", "Anomaly").astype(object)
    words[0] = None
    label = opened(recording().assign(state=words), label="state").rows["label"]
    assert label.isna().sum() == 1
    assert label.sum() == 10

    unread = opened(recording().assign(state="x"), label="state")
    assert said(unread.notices, "The label column 'state' has the value 'x'")
    assert "label" not in unread.rows
    assert unread.schema.names(Role.FEATURE) == ["c0", "c1"]


def test_a_column_that_is_only_called_label_is_left_out_without_an_error():
    for values in (np.arange(400) % 3, np.where(np.arange(400) % 2, "left", "right")):
        schema = opened(recording().assign(label=values)).schema
        assert schema.one(Role.LABEL) is None
        assert schema.names(Role.FEATURE) == ["c0", "c1"]


def test_only_rows_that_fulfil_the_condition_teach():
    table = recording().assign(split=np.arange(400) // 200)
    assert opened(table, only=("split=0",)).is_training.sum() == 200
    with pytest.raises(DataError, match="No row fulfils split=7"):
        opened(table, only=("split=7",))
    with pytest.raises(DataError, match="COLUMN=VALUE"):
        opened(table, only=("splt=0",))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (recording(), True),
        (recording().assign(time=lambda t: t["time"].astype(str)), True),
        (recording(step_s=0.01).assign(time=lambda t: np.arange(len(t)) * 0.01), True),
        (recording().set_index("time"), True),
        (pd.concat([recording(), recording()]).assign(pump_id=[1] * 400 + [2] * 400), True),
        (recording().drop(columns="time"), False),
        (recording()[["time"]].assign(note="x"), False),
        (recording().sample(frac=1, random_state=0), False),
        (recording().assign(time=np.random.default_rng(0).exponential(60, 400).cumsum()), False),
        (recording(n=5), False),
        (pd.DataFrame({"a": [1, 2]}), False),
    ],
    ids=[
        "dates",
        "texts",
        "seconds",
        "time index",
        "two entities",
        "no time",
        "no numbers",
        "shuffled",
        "irregular",
        "five rows",
        "tiny",
    ],
)
def test_a_recording_is_told_from_a_table(table, expected):
    assert looks_like_recording(table) is expected


# rows and time


def test_rows_are_identified_by_time_and_with_entities_by_both():
    assert opened(recording()).rows["row_id"].iloc[1] == "2024-03-01T00:01:00"
    two = pd.concat([recording(), recording()], ignore_index=True).assign(pump=["a"] * 400 + ["b"] * 400)
    rows = opened(two, entity="pump").rows
    assert rows["row_id"].iloc[401] == "b|2024-03-01T00:01:00"
    assert rows["row_id"].is_unique


def test_without_a_time_column_the_row_number_is_the_time():
    dataset = opened(recording().drop(columns="time"))
    assert dataset.rows["row_id"].iloc[-1] == "399"
    assert said(dataset.notices, "the row number is used as the time")


def test_a_shuffled_recording_gives_the_windows_of_the_sorted_one_and_rows_stay_in_input_order():
    table = recording()
    shuffled = table.sample(frac=1, random_state=1)
    _, _, straight = framed(table)
    _, dataset, item_set = framed(shuffled)

    np.testing.assert_array_equal(item_set.x, straight.x)
    assert item_set.rows["row_id"].tolist() == [f"{t:%Y-%m-%dT%H:%M:%S}" for t in shuffled["time"]]
    assert said(dataset.notices, "time stamps go backward, first in row")
    per_row = item_set.reduce(np.arange(len(item_set), dtype=float))
    np.testing.assert_allclose(per_row, straight.reduce(np.arange(len(item_set), dtype=float))[shuffled.index])


def test_a_repeated_time_stamp_shares_the_sample_of_the_first_row():
    table = recording()
    again = table.iloc[[100]].assign(c0=1000.0)
    _, dataset, item_set = framed(pd.concat([table, again], ignore_index=True))
    scores = item_set.reduce(np.random.default_rng(0).random(len(item_set)))

    assert said(dataset.notices, "1 row repeats a time stamp, first in row 401 (2024-03-01T01:40:00)")
    assert dataset.rows["row_id"].iloc[-1] == "2024-03-01T01:40:00#2"
    assert dataset.rows["note"].iloc[-1] == ""
    assert scores[400] == scores[100]
    np.testing.assert_array_equal(item_set.x, framed(table)[2].x)


def test_unreadable_times_cost_only_their_rows():
    table = recording().assign(time=lambda t: t["time"].astype(str).astype(object))
    table.loc[[7, 9], "time"] = ["soon", None]
    _, dataset, item_set = framed(table)

    assert dataset.rows["note"].iloc[7] == "The time 'soon' can't be read."
    assert dataset.rows["note"].iloc[9] == "The time is missing."
    assert not dataset.is_training[[7, 9]].any()
    assert np.isnan(item_set.reduce(np.ones(len(item_set)))).sum() == 2
    assert said(dataset.notices, "2 of 400 rows have no readable time, first row 8")


def test_a_declared_time_column_that_is_mostly_no_time_is_an_error():
    with pytest.raises(
        DataError, match=r"Column 'c0' can't be used as time: 400 of 400 values can't be read, first in row 1 \('x'\)"
    ):
        opened(recording().assign(c0="x"), time="c0")


def test_no_window_crosses_a_gap_and_the_gap_is_reported():
    table = recording().drop(index=range(200, 260))
    _, dataset, frame = framed(table)
    start = frame.items["start"].to_numpy()

    assert not ((start < 200) & (start + 16 > 200)).any()
    assert said(
        dataset.notices,
        "1 gap of more than 5 typical intervals (5 min), the first after 2024-03-01T03:19:00, the longest 1.02 h",
    )


def test_irregular_sampling_is_reported_without_being_cut_to_pieces():
    steps = np.where(np.arange(400) % 5 == 0, 600.0, 60.0)  # a fifth of the intervals is ten times as long
    table = recording().assign(time=np.cumsum(steps))
    _, dataset, item_set = framed(table)

    assert said(dataset.notices, "Sampling is irregular: 20% of the intervals")
    assert (item_set.rows["note"] == "").all()


def test_a_repeating_pattern_is_given_as_a_hint():
    assert said(opened(recording()).notices, "repeats about every 25 samples (25 min)")
    noise = recording().assign(
        c0=np.random.default_rng(0).normal(size=400), c1=np.random.default_rng(1).normal(size=400)
    )
    assert not said(opened(noise).notices, "repeats about")


# several recordings


def test_a_folder_of_recordings_is_one_data_set_whose_windows_stay_within_a_file(tmp_path):
    for stem, n in {"b": 90, "a": 130}.items():
        recording(n).to_csv(tmp_path / f"{stem}.csv", index=False)
    (tmp_path / "README.txt").write_text("not a recording")
    dataset = Sensor.open([tmp_path], Declared())
    reader = Sensor(SensorSettings(window=16))
    reader.fit(dataset, dataset.is_training)
    item_set = reader.item_set(dataset)

    assert dataset.rows["entity"].unique().tolist() == ["a", "b"]
    assert dataset.schema.one(Role.ENTITY) == "recording"
    assert dataset.rows["row_id"].iloc[0] == "a|2024-03-01T00:00:00"
    start = item_set.items["start"].to_numpy()
    assert not ((start < 130) & (start + 16 > 130)).any()
    assert item_set.items["entity"].tolist() == ["a" if s < 130 else "b" for s in start]
    assert (item_set.rows["note"] == "").all()
    assert item_set.rows["entity"].tolist() == ["a"] * 130 + ["b"] * 90


def test_recordings_with_other_channels_are_refused_by_name_but_labels_may_be_absent(tmp_path):
    recording().to_parquet(tmp_path / "a.parquet")
    recording().assign(is_anomaly=0).to_parquet(tmp_path / "b.parquet")
    assert len(Sensor.open([tmp_path / "a.parquet", tmp_path / "b.parquet"], Declared())) == 800

    recording(channels=3).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match=r"'c2' is in c.parquet but not in a.parquet"):
        Sensor.open([tmp_path], Declared())


def test_two_entities_of_different_length_in_one_file_keep_to_themselves():
    long, short = recording(300), recording(10, seed=1)
    table = pd.concat([long, short], ignore_index=True).assign(machine=["m1"] * 300 + ["m2"] * 10)
    _, _, item_set = framed(table, entity="machine")

    assert set(item_set.items["entity"]) == {"m1"}
    assert item_set.rows["note"].iloc[-1] == "Its segment without a gap has 10 samples, fewer than the 16 of a window."
    assert (item_set.rows["sample"].iloc[300:] == -1).all()
    assert said(item_set.notices, "10 of 310 rows get no score")


# windows


def test_windows_of_a_million_samples_share_one_array():
    n = 1_000_000
    table = pd.DataFrame({f"c{i}": np.arange(n, dtype=np.float32) % (9 + i) for i in range(20)})
    dataset = opened(table)
    reader = Sensor(SensorSettings(window=128))
    reader.fit(dataset, dataset.is_training)
    item_set = reader.item_set(dataset)
    begin, end = np.lib.array_utils.byte_bounds(item_set.x)

    assert item_set.x.shape == (n - 127, 20, 128)
    assert item_set.x.dtype == np.float32
    assert end - begin == n * 20 * 4  # all windows lie in the memory of the samples
    assert np.shares_memory(item_set.x[0], item_set.x[1])


def test_a_window_holds_its_samples_channel_by_channel():
    _, dataset, frame = framed(recording(), window=16, stride=5)
    values = dataset.data[["c0", "c1"]].to_numpy()
    z = (values - values.mean(0)) / values.std(0)

    start = int(frame.items["start"].iloc[3])
    assert start == 15
    np.testing.assert_allclose(frame.take(slice(3, 4))[0], z[start : start + 16].T, rtol=1e-5, atol=1e-6)  # float32


def test_the_length_of_the_windows_follows_the_reference_rows():
    assert framed(recording(4000), window=0)[0].shape.size == (2, 128)
    reader, _, item_set = framed(recording(300), window=0)
    assert (reader.window, reader.stride) == (64, 8)
    assert said(item_set.notices, "A window has 64 samples instead of 128")
    assert framed(recording(30), window=0)[0].window == 8


@given(n=st.integers(16, 120), stride=st.integers(0, 40))
@settings(max_examples=30, deadline=None)
def test_the_last_rows_of_a_stretch_are_covered_whatever_the_stride(n, stride):
    reader, _, _ = framed(recording(200), window=16, stride=stride)
    item_set = reader.item_set(opened(recording(n)))
    assert (item_set.rows["note"] == "").all()
    assert item_set.items["start"].iloc[-1] == n - 16


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lengths=st.lists(st.integers(1, 80), min_size=1, max_size=4),
    gaps=st.lists(st.integers(1, 79), max_size=3),
    missing=st.lists(st.integers(0, 79), max_size=40),
    window=st.integers(8, 24),
    stride=st.integers(0, 40),
    seed=st.integers(0, 9),
)
def test_every_usable_row_is_covered_and_a_constant_score_stays_constant(lengths, gaps, missing, window, stride, seed):
    rng = np.random.default_rng(seed)
    parts = []
    for entity, n in enumerate([100, *lengths]):  # the first is always long enough to learn from
        time = np.cumsum(np.where(np.isin(np.arange(n), gaps), 100.0, 1.0))
        values = rng.normal(size=n)
        values[[m for m in missing if m < n and entity]] = np.nan
        parts.append(pd.DataFrame({"time": time, "machine": f"m{entity}", "value": values}))
    table = pd.concat(parts, ignore_index=True).sample(frac=1, random_state=seed)
    dataset = opened(table, time="time", entity="machine")
    reader = Sensor(SensorSettings(window=window, stride=stride))
    first = (dataset.rows["entity"] == "m0").to_numpy()
    try:
        reader.fit(dataset, first)
    except DataError:  # the gaps left no stretch as long as a window
        assert np.diff(np.flatnonzero([True, *np.isin(np.arange(1, 100), gaps), True])).max() < window
        return
    item_set = reader.item_set(dataset)
    scores = item_set.reduce(np.full(len(item_set), 3.0))
    usable = (item_set.rows["note"] == "").to_numpy()

    assert len(item_set.rows) == len(table)
    assert usable.any()
    np.testing.assert_allclose(scores[usable], 3.0)
    assert np.isnan(scores[~usable]).all()
    assert (item_set.rows["sample"].to_numpy()[~usable] == -1).all()
    assert np.isfinite(item_set.take(slice(None)).numpy()).all()


# missing, infinite, constant


def test_a_short_hole_is_bridged_and_a_long_one_keeps_the_last_value():
    table = recording(400, channels=1).assign(other=np.sin(np.arange(400)), c0=np.arange(400.0))
    table.loc[50:51, "c0"] = np.nan  # 2 = 16 / 8 samples: short
    table.loc[100:110, "c0"] = np.nan
    _, dataset, item_set = framed(table, window=16, stride=1)
    series = item_set.x[:, 0, 0]
    sd, mean = dataset.data["c0"].std(ddof=0), dataset.data["c0"].mean()

    np.testing.assert_allclose(series[49:53] * sd + mean, [49, 50, 51, 52], rtol=1e-4)  # float32 at a scale of 115
    np.testing.assert_allclose(series[99:111] * sd + mean, [99.0] * 12, rtol=1e-4)
    share = item_set.items.set_index("start")["missing"]
    assert share[49] == 0
    assert share[100] == 11 / 32


def test_a_hole_at_the_begin_takes_the_value_after_it_only_if_it_is_short():
    table = recording(400, channels=2)
    table.loc[:1, "c0"] = table.loc[:2, "c1"] = np.nan  # 2 = 16 / 8 samples: short; 3: long
    _, dataset, item_set = framed(table, window=16, stride=1)
    first = item_set.x[0, :, :4]
    z = ((dataset.data[["c0", "c1"]] - dataset.data[["c0", "c1"]].mean()) / dataset.data[["c0", "c1"]].std(ddof=0)).T

    np.testing.assert_allclose(first[0], [z.loc["c0", 2], z.loc["c0", 2], z.loc["c0", 2], z.loc["c0", 3]], rtol=1e-5)
    np.testing.assert_allclose(first[1], [0, 0, 0, z.loc["c1", 3]], rtol=1e-5)  # float32


def test_a_stretch_that_was_hardly_measured_gets_no_score_but_a_note():
    table = recording(400, channels=1)
    table.loc[200:299, "c0"] = np.nan
    _, _, item_set = framed(table)
    scores = item_set.reduce(np.ones(len(item_set)))

    assert np.isnan(scores[220:280]).all()
    assert np.isfinite(scores[:195]).all()
    assert item_set.rows["note"].iloc[250] == "More than half of the cells around it are missing."


def test_a_channel_that_is_ninety_percent_missing_is_graded_and_scored_on():
    table = recording(400)
    table.loc[np.random.default_rng(0).random(400) < 0.9, "c1"] = np.nan
    _, dataset, item_set = framed(table)
    column = dataset.schema.columns[2]

    assert (column.grade, column.role) == ("B", Role.FEATURE)
    assert "% of its cells are missing" in column.reason
    assert np.isfinite(item_set.x).all()
    assert len(item_set) > 0


def test_infinite_values_count_as_missing_and_are_reported():
    table = recording()
    table.loc[5, "c0"], table.loc[6, "c0"] = np.inf, -np.inf
    _, dataset, item_set = framed(table)

    assert said(dataset.notices, "Column 'c0': 2 infinite values count as missing, first in row 6")
    assert np.isfinite(item_set.x).all()


def test_a_constant_channel_stays_at_zero_until_it_changes():
    table = recording().assign(flat=7.0)
    reader, _, item_set = framed(table)
    assert said(item_set.notices, "Constant in the training rows, so a change there is an alarm: flat")
    assert (item_set.x[:, 2] == 0).all()

    later = reader.item_set(opened(table.assign(flat=9.0)))
    assert (later.x[:, 2] == 2.0).all()


def test_a_method_sees_values_far_outside_clipped():
    table = recording()
    reader, _, _ = framed(table)
    table.loc[10, "c0"] = 1e20
    item_set = reader.item_set(opened(table))
    assert item_set.x.max() > 1e19
    assert item_set.learnt().take(np.arange(len(item_set))).max() == 20.0


def test_one_channel_and_a_two_valued_text_are_enough():
    table = recording(channels=1).assign(mode=np.where(np.arange(400) % 50 < 25, "run", "idle"))
    _, _, item_set = framed(table)
    assert item_set.learnt().shape.size == (2, 16)
    assert item_set.shape.size == (3, 16)  # behind the channels, whether the text is a new one
    assert set(np.unique(item_set.x[:, 1])) == {-1.0, 1.0}
    assert framed(recording(channels=1))[2].shape.size == (1, 16)


def test_a_class_column_gives_each_window_the_class_of_its_middle():
    table = recording().assign(product=np.where(np.arange(400) < 200, "A", "B"))
    _, _, frame = framed(table, class_column="product")
    assert frame.shape.classes == 2
    assert frame.items["cls"].tolist() == [int(s + 8 >= 200) for s in frame.items["start"]]
    assert frame.shape.parts.names == ("c0", "c1")


# bad input


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (recording().iloc[:0], "3 columns and 0 rows"),
        (pd.DataFrame(), "0 columns and 0 rows"),
        (pd.DataFrame({"id": np.arange(50)}), "counts the rows"),
        (pd.DataFrame({"a": [np.nan] * 50}), "It is empty"),
        (pd.DataFrame(np.zeros((50, 2)), columns=["a", "a"]), "Two columns have the name 'a'"),
    ],
    ids=["header only", "nothing", "ids only", "all missing", "duplicate names"],
)
def test_unusable_recordings_are_refused_in_a_sentence_on_opening(table, words):
    with pytest.raises(DataError, match=words):
        opened(table)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (recording().assign(c0=1.0, c1=2.0), "All 2 channels are constant or empty in the 400 training rows"),
        (recording(1), "constant or empty in the 1 training rows"),
        (recording(12), "has 12 samples, but a window takes 16"),
    ],
    ids=["all constant", "one row", "shorter than a window"],
)
def test_recordings_that_teach_nothing_are_refused_when_learning(table, words):
    with pytest.raises(DataError, match=words):
        framed(table)


def test_a_new_recording_shorter_than_a_window_is_refused_when_scoring():
    reader, _, _ = framed(recording())
    with pytest.raises(
        DataError, match="No window of 16 samples can be cut from this recording of 9 samples, first row 1: Its segment"
    ):
        reader.item_set(opened(recording(9)))


def test_a_window_that_is_too_short_to_be_set_is_refused():
    with pytest.raises(SettingsError, match="at least 8 samples"):
        SensorSettings.parse({"window": 3}, "reader")


# scoring a new recording


def test_scales_come_from_the_rows_that_teach_only():
    table = recording()
    table.loc[200:, ["c0", "c1"]] += 100
    dataset = opened(table)
    reader = Sensor(SensorSettings(window=16))
    reader.fit(dataset, np.arange(400) < 200)
    assert abs(reader.channels[0].mean) < 0.1


def test_a_new_recording_that_lacks_channels_is_refused_with_their_names():
    reader, _, _ = framed(recording(channels=3))
    later = recording(channels=3).drop(columns="c1").assign(c2=[f"text {i}" for i in range(400)], c9=1.0)
    with pytest.raises(DataError, match=r"'c1' is missing; 'c2' holds no numbers \(first value 'text 0'\)"):
        reader.match(opened(later))


def test_what_differs_but_can_be_handled_is_said():
    table = recording().assign(mode=np.where(np.arange(400) % 50 < 25, "run", "idle"))
    reader, _, _ = framed(table)
    assert reader.match(opened(table)) == []

    later = recording(step_s=600)[["time", "c1", "c0"]].assign(
        mode="stop", c1=lambda t: t["c1"] + 50, more=np.arange(400.0) ** 2
    )
    sentences = " ".join(reader.match(opened(later, kinds={"mode": ColumnKind.CATEGORY})))
    for words in (
        "another order",
        "does not know it: more",
        "'mode' has values that are not in the training rows, which have",
        "'c1': 100% of the values lie outside",
        "every 10 min here, but every 1 min",
    ):
        assert words in sentences

    assert "row numbers" in " ".join(reader.match(opened(table.drop(columns="time"))))
    assert "'c0' is empty here" in " ".join(reader.match(opened(table.assign(c0=np.nan))))


def test_a_restored_reader_makes_the_same_items():
    table = recording().assign(
        mode=np.where(np.arange(400) % 50 < 25, "run", "idle"),
        flat=1.0,
        product=np.where(np.arange(400) < 200, "A", "B"),
    )
    reader, dataset, item_set = framed(table, class_column="product")
    facts, arrays = reader.state()
    again = Sensor(reader.settings)
    again.restore(json.loads(json.dumps(facts)), arrays)
    repeated = again.item_set(dataset)

    assert again.shape == reader.shape
    np.testing.assert_array_equal(repeated.x, item_set.x)
    pd.testing.assert_frame_equal(repeated.items, item_set.items)
    pd.testing.assert_frame_equal(repeated.rows, item_set.rows)
    assert repeated.notices == item_set.notices
    assert again.match(dataset) == []


def test_a_csv_opens_like_its_parquet(tmp_path: Path):
    table = recording()
    table.to_csv(tmp_path / "r.csv", index=False)
    table.to_parquet(tmp_path / "r.parquet")
    csv, parquet = (Sensor.open([tmp_path / name], Declared()) for name in ("r.csv", "r.parquet"))
    assert csv.rows["row_id"].tolist() == parquet.rows["row_id"].tolist()
    assert csv.name == "r"
    assert csv.sources == (str(tmp_path / "r.csv"),)
