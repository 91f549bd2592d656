"""Commands, texts and empty channels of a recording in which only a new value counts."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core.data.dataset import Dataset, Declared, Role
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.data.recordings.watched_channels import MANY, novelty

N = 600


def recording(**more: object) -> pd.DataFrame:
    t = np.arange(N)
    table = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=N, freq="s"), "flow": np.sin(t / 7.0)})
    return table.assign(**more)


STATES = recording(
    start=np.arange(N) // 50 % 2,
    step=np.array([0, 1, 3])[np.arange(N) // 40 % 3],
    phase=np.array(["a", "b", "c"])[np.arange(N) // 30 % 3],
    gone=np.nan,
)


def opened(table: pd.DataFrame, **declared: object) -> Dataset:
    return Sensor.open(table, Declared(**declared))


def fitted(table: pd.DataFrame, **settings: object) -> Sensor:
    reader, dataset = Sensor(SensorSettings(window=16, **settings)), opened(table)
    reader.fit(dataset, dataset.is_training)
    return reader


def changed(reader: Sensor, table: pd.DataFrame) -> dict[str, list[int]]:
    """Part -> the samples in which an entry of it that must never change is not 0."""
    item_set = reader.item_set(opened(table, watch=("phase", "gone") if "phase" in table else ()))
    base = np.vstack([item_set.x[:, :, 0], item_set.x[-1, :, 1:].T])
    found: dict[str, list[int]] = {}
    for at, entry in enumerate(item_set.limits.entries):
        outside = np.flatnonzero((base[:, at] < entry.usual_low) | (base[:, at] > entry.usual_high))
        if entry.certain and len(outside):
            found.setdefault(item_set.shape.parts.names[item_set.shape.parts.of_entry[at]], []).extend(outside)
    return found


def test_texts_and_empty_channels_are_watched_and_a_truth_column_is_not():
    schema = opened(STATES.assign(ground_truth=np.nan, note=[f"note {i}" for i in range(N)])).schema

    assert schema.names(Role.WATCHED) == ["phase", "gone"]
    assert schema.names(Role.IGNORE) == ["ground_truth", "note"]
    assert "ground_truth" not in schema.scored


def test_states_of_the_training_rows_are_no_change():
    assert changed(fitted(STATES), STATES) == {}


@pytest.mark.parametrize(("channel", "value"), [("start", 2), ("step", 2), ("phase", "d"), ("gone", 4.0)])
def test_a_state_that_was_never_seen_changes_the_entry_of_its_channel(channel, value):
    table = STATES.copy()
    table[channel] = table[channel].astype("object" if isinstance(value, str) else float)
    table.loc[100:101, channel] = value

    assert changed(fitted(STATES), table) == {channel: [100, 101]}


def test_methods_learn_only_from_the_channels_that_they_learnt_from_before():
    item_set = fitted(STATES).item_set(opened(STATES))

    assert item_set.learnt().shape.parts.names == ("flow", "start", "step")
    assert item_set.shape.parts.names == ("flow", "start", "step", "phase", "gone")
    assert item_set.shape.parts.of_entry == (0, 1, 2, 3, 4, 1, 2)


def test_a_measured_value_with_many_levels_is_no_command():
    """Rounded to a tenth it has 21 levels; a new one says nothing."""
    table = recording(level=np.sin(np.arange(N) / 9.0).round(1))

    assert fitted(table).scaling.watched == ()


def test_a_state_that_is_hardly_ever_taken_makes_no_command():
    table = recording(mode=np.where(np.arange(N) == 5, 2, np.arange(N) // 50 % 2))

    assert fitted(table).scaling.watched == ()


def test_only_the_shape_of_a_channel_counts_where_the_user_says_so():
    reader = Sensor(SensorSettings(window=16))
    dataset = opened(STATES[["time", "flow", "start"]].assign(flat=5.0), judged_by={"start": "shape", "flat": "shape"})
    reader.fit(dataset, dataset.is_training)

    assert reader.scaling.watched == ()
    assert [entry.certain for entry in reader.limits.entries] == [False, False, False]


def test_missing_cells_and_the_values_between_them_are_no_new_state():
    table = STATES.astype({"start": float})
    table.loc[48:51, "start"] = np.nan  # interpolated from 0 to 1

    assert changed(fitted(STATES), table) == {}


def test_interpolated_samples_have_no_states():
    reader = fitted(STATES, resample=1.5)

    assert reader.scaling.watched == ()
    assert any("empty or text in resampled recordings: phase, gone" in notice for notice in reader.notices)


def test_rounding_of_a_constant_is_no_change_and_its_noise_in_training_is_none_either():
    noisy = recording(flat=100 + 1e-6 * np.sin(np.arange(N)), whole=20_240_101)
    later = noisy.assign(flat=100.0)
    later.loc[7, "whole"] += 1

    assert changed(fitted(noisy), noisy) == {}
    assert changed(fitted(noisy), later) == {"whole": [7]}


def test_several_constants_share_a_channel_whose_size_grows_with_the_change():
    table = recording(a=1, b=2, c=3)
    small, large = table.copy(), table.copy()
    small.loc[9, "b"], large.loc[9, "b"] = 7, 7000
    reader = fitted(table)

    name = "other channels (3 constant)"
    assert changed(reader, small) == changed(reader, large) == {name: [9]}
    x = [reader.item_set(opened(t)).x[9, 1, 0] for t in (small, large)]
    assert x[1] > x[0] > 0


def test_what_is_new_is_said_with_its_rows():
    reader, table = fitted(STATES.assign(flat=7)), STATES.assign(flat=7)
    table.loc[3, ["flat", "phase"]] = [8, "d"]

    sentences = reader.match(opened(table, watch=("phase", "gone")))

    assert sentences == [
        "'flat' is 7 in all training rows. Another value, which raises the score, is in 1 row: row 4 ('8').",
        "'phase' holds 3 values in the training rows. Another value, which raises the score, is in 1 row: row 4 ('d').",
    ]
    assert reader.match(opened(STATES.assign(flat=7).drop(columns="phase"), watch=("gone",))) == [
        "'phase' is not in these data, so no change of it can be seen."
    ]


def test_a_restored_reader_has_the_same_limits():
    reader, table = fitted(STATES.assign(flat=7)), STATES.assign(flat=7)
    facts, arrays = reader.state()
    again = Sensor(reader.settings)

    again.restore(json.loads(json.dumps(facts)), arrays)

    assert again.limits == reader.limits
    np.testing.assert_array_equal(again.item_set(opened(table)).x, reader.item_set(opened(table)).x)


def test_values_far_outside_are_said_with_their_rows():
    table = recording()
    table.loc[3, "flow"] = 1e6

    assert fitted(recording()).match(opened(table)) == [
        "'flow' lies more than 20 standard deviations from the mean of the training rows in 1 row: row 4 ('1000000.0')."
    ]


def test_single_changes_of_several_channels_tell_that_another_one_will_change():
    numbers = [np.zeros(N) for _ in range(5)]
    for channel, at in zip(numbers, (10, 100, 200, 304, 308), strict=True):
        channel[at : at + 4] = 1

    assert novelty(numbers[:2], 2, window=16) == 0  # two may be chance
    assert novelty(numbers, 2, window=16) == pytest.approx(4 / (N / 16))  # the last two lie in one window
    assert novelty([np.sin(np.arange(N))], 2, window=16) == 0
    assert novelty(numbers[:1], MANY, window=16) == 1


def test_where_very_many_channels_are_constant_a_change_raises_the_score_only_a_little():
    few, many = (fitted(recording(**{f"idle{i}": 0 for i in range(k)})) for k in (4, MANY))

    assert (few.limits.novelty, many.limits.novelty) == (0, 1)
    assert any("a single one raises the score only a little" in notice for notice in many.notices)
