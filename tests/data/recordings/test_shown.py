"""An expected course stays within what a single training recording showed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ad_core.data.dataset import Declared
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.data.recordings.shown import Shown, _without_jumps

LEVELS = {"a": 71.0, "b": 76.0, "c": 65.0}


def motors(levels: dict[str, float], seed: int = 0, n: int = 400) -> pd.DataFrame:
    """A slow swing of 1.5 around the level of each motor; the step from one motor to the next is no step of either."""
    random, time = np.random.default_rng(seed), pd.date_range("2026-01-01", periods=n, freq="s")
    return pd.concat(
        pd.DataFrame(
            {
                "time": time,
                "motor": name,
                "temperature [C]": level + 1.5 * np.sin(np.arange(n) / 15) + 0.1 * random.normal(size=n),
                "load": random.normal(size=n),
            }
        )
        for name, level in levels.items()
    )


@pytest.fixture(scope="module")
def reader() -> Sensor:
    data = Sensor.open(motors(LEVELS), Declared(time="time", entity="motor"))
    reader = Sensor(SensorSettings(window=32, scale_per_entity="off"))
    reader.fit(data, data.is_training)
    return reader


def test_ranges_and_steps_are_those_of_each_recording(reader):
    for name, of_one in motors(LEVELS).groupby("motor"):
        values = of_one["temperature [C]"].to_numpy()
        wanted = [values.min(), values.max(), np.abs(np.diff(values)).max()]
        np.testing.assert_allclose(reader.shown.of[name][:, 0], wanted, rtol=1e-12)


def test_a_step_over_a_gap_or_over_rows_that_are_left_out_is_none():
    table = motors({"a": 71.0})
    table.loc[200:, "temperature [C]"] += 30
    table.loc[200:, "time"] += pd.Timedelta("1h")
    data = Sensor.open(table, Declared(time="time"))
    rows = data.is_training.copy()
    rows[50:150] = False
    reader = Sensor(SensorSettings(window=32))
    reader.fit(data, rows)

    assert reader.shown.of[""][2, 0] < 1


@pytest.mark.parametrize("entity", ["a", "b", "c", "never seen", None])
def test_what_mixes_recordings_is_brought_into_one(reader, entity):
    mean, scale = reader.scaling.channels[0].mean, reader.scaling.channels[0].scale
    mixed = (np.linspace(76, 65, 32) - mean) / scale

    course = reader.course_in_units(0, mixed, entity)

    low, high, step = np.stack(
        [of[:, 0] for name, of in reader.shown.of.items() if entity in (name, None)]
        or [of[:, 0] for of in reader.shown.of.values()]
    ).T
    inside = (course.min() >= low) & (course.max() <= high) & (np.abs(np.diff(course)).max() <= step + 1e-9)
    assert inside.any()


def test_a_recording_that_was_not_trained_on_gets_the_one_that_fits_it_best(reader):
    mean, scale = reader.scaling.channels[0].mean, reader.scaling.channels[0].scale
    usual = 76 + np.sin(np.arange(32) / 15)

    np.testing.assert_allclose(reader.course_in_units(0, (usual - mean) / scale, "new"), usual, rtol=1e-9)


def test_a_level_that_a_model_follows_is_kept(reader):
    values = np.linspace(20.0, 21.0, 32)
    course = reader.course_in_units(0, values, "a", follows_level=True)

    np.testing.assert_allclose(course, reader.channel_in_units(0, values, "a"), rtol=1e-9)
    assert reader.course_in_units(0, values, "a").max() < 74


def test_older_bundles_know_no_ranges_and_change_nothing(reader):
    facts, arrays = reader.state()
    old = Sensor(reader.settings)
    old.restore({k: v for k, v in facts.items() if k != "shown"}, {k: v for k, v in arrays.items() if k != "shown"})
    same = Sensor(reader.settings)
    same.restore(facts, arrays)

    assert old.shown == Shown()
    assert (
        old.course_in_units(0, np.array([-9.0, 9.0]), "a").tolist()
        == old.channel_in_units(0, np.array([-9.0, 9.0]), "a").tolist()
    )
    np.testing.assert_array_equal(same.shown.of["b"], reader.shown.of["b"])


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.floats(0, 100))
def test_steps_are_limited_within_the_range_and_small_ones_stay(values, step):
    course = _without_jumps(np.array(values), step)

    assert np.abs(np.diff(course)).max(initial=0) <= step + 1e-6
    assert min(values) - 1e-6 <= course.min()
    assert course.max() <= max(values) + 1e-6
    if np.abs(np.diff(values)).max(initial=0) <= step:
        np.testing.assert_allclose(course, values, atol=1e-6)
