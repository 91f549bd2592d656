"""Channels become z-scores: by pooled values, by those of each recording, or several constant ones as one."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.dataset import Dataset, Declared
from ad_core.data.item_set import ItemSet
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.data.recordings.channels import z_scores
from ad_core.data.recordings.scaling import Scaling
from ad_core.errors import SettingsError
from ad_core.explain.attribution import How
from ad_core.explain.explain import explain_items, items_of_rows
from ad_core.progress import Silent

N = 300


def pumps(levels: dict[str, float], seed: int = 0) -> pd.DataFrame:
    """For each pump a temperature around its level, spread 1, and a pressure that all have alike."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {"time": np.arange(N), "pump": name, "temp": level + rng.normal(size=N), "pressure": rng.normal(5, 2, N)}
        )
        for name, level in levels.items()
    ]
    return pd.concat(parts, ignore_index=True)


def commands(idle: int, n: int = N) -> pd.DataFrame:
    """A course, a command that is used, and some that never are."""
    table = pd.DataFrame({"time": np.arange(n), "speed": np.sin(np.arange(n) / 4), "start": np.arange(n) % 20 < 5})
    return table.assign(**{f"idle{i}": 0 for i in range(idle)})


def fitted(table: pd.DataFrame, **settings: object) -> tuple[Sensor, Dataset, ItemSet]:
    entity = "pump" if "pump" in table else None
    dataset = Sensor.open(table, Declared(time="time", entity=entity))
    reader = Sensor(SensorSettings.parse({"window": 16, "stride": 1, **settings}, "reader"))
    reader.fit(dataset, dataset.is_training)
    return reader, dataset, reader.item_set(dataset)


def levels_of(item_set: ItemSet, channel: int) -> list[float]:
    """Mean of a channel over the windows of each recording."""
    means = pd.Series(item_set.take(slice(None)).numpy()[:, channel].mean(axis=1))
    return means.groupby(item_set.items["entity"].to_numpy()).mean().tolist()


def test_recordings_of_clearly_different_levels_get_scales_of_their_own_in_that_channel_only():
    reader, _, item_set = fitted(pumps({"a": 20.0, "b": 60.0}))

    np.testing.assert_allclose(levels_of(item_set, 0), [0, 0], atol=0.05)
    assert item_set.x[:, 0].std() == pytest.approx(1.0, abs=0.05)
    assert reader.scaling.own["a"][:, 1].tolist() == reader.scaling.own["b"][:, 1].tolist()
    assert "Each of 2 recordings has its own mean and scale in temp, because" in " ".join(item_set.notices)


def test_recordings_of_like_levels_share_their_scale_unless_asked_otherwise():
    like = pumps({"a": 20.0, "b": 21.0})
    reader, _, item_set = fitted(like)
    assert reader.scaling.own == {}
    assert levels_of(item_set, 0)[1] - levels_of(item_set, 0)[0] > 0.5

    reader, _, item_set = fitted(like, scale_per_entity="on")
    np.testing.assert_allclose(levels_of(item_set, 0), [0, 0], atol=0.05)
    assert "as requested" in " ".join(item_set.notices)

    reader, _, item_set = fitted(pumps({"a": 20.0, "b": 60.0}), scale_per_entity="off")
    assert levels_of(item_set, 0)[1] - levels_of(item_set, 0)[0] > 1.5
    with pytest.raises(SettingsError, match="scale_per_entity"):
        SensorSettings.parse({"scale_per_entity": "perhaps"}, "reader")


def test_where_whole_recordings_are_held_back_no_recording_gets_its_own_scale():
    table = pumps({f"p{i}": 20.0 * i for i in range(4)})
    dataset = Sensor.open(table, Declared(time="time", entity="pump"))
    reader = Sensor(SensorSettings(window=16))
    reader.fit(dataset, (table["pump"] != "p3").to_numpy())

    assert reader.scaling.own == {}


def test_a_recording_that_was_not_learnt_from_takes_the_scale_of_all_and_that_is_said():
    reader, dataset, _ = fitted(pumps({"a": 20.0, "b": 60.0}))
    assert reader.match(dataset) == []

    later = Sensor.open(pumps({"a": 20.0, "c": 40.0}), Declared(time="time", entity="pump"))
    assert reader.match(later) == ["Not among the training recordings: c. Their pooled scale is used."]
    a, c = levels_of(reader.item_set(later), 0)
    assert abs(a) < 0.1
    assert abs(c) < 0.1  # the pooled level is 40, with a spread of 20
    assert reader.item_set(later).take(slice(None))[-1, 0].std() < 0.2

    alone = Sensor.open(pumps({"a": 20.0}).drop(columns="pump"), Declared(time="time"))
    assert "Not among the training recordings: this recording" in reader.match(alone)[0]


def test_a_channel_that_differs_only_between_recordings_is_zero_in_each():
    table = pumps({"a": 20.0, "b": 60.0}).assign(setpoint=lambda t: np.where(t["pump"] == "a", 1.0, 3.0))
    _, _, item_set = fitted(table)

    assert (item_set.x[:, 2] == 0).all()


def test_several_constant_channels_share_one_that_is_the_sum_of_their_sizes():
    reader, _, item_set = fitted(commands(idle=4))
    assert item_set.shape.parts.names == ("speed", "start", "other channels (4 constant)")
    assert item_set.learnt().shape.size[0] == 3
    assert (item_set.x[:, 2] == 0).all()
    assert "These 4 share one channel" in " ".join(item_set.notices)

    later = commands(idle=4).astype({f"idle{i}": float for i in range(4)})
    later.loc[100, "idle1"] = 1.0
    later.loc[101, ["idle1", "idle2"]] = 1.0
    later.loc[102, "idle3"] = -70.0  # a method sees 3 at most
    found = reader.item_set(Sensor.open(later, Declared(time="time")))

    assert found.x[100, 2, :4].tolist() == [1, 2, 70, 0]
    assert found.learnt().at(np.array([100]))[0, 2, :4].tolist() == [1, 2, 3, 0]


def test_two_constant_channels_stay_what_they_are():
    assert fitted(commands(idle=2))[2].shape.parts.names == ("speed", "start", "idle0", "idle1")


def test_a_restored_scaling_is_the_same_and_one_of_format_1_has_nothing_shared():
    table = pumps({"a": 20.0, "b": 60.0}).assign(x=1.0, y=1.0, z=1.0)
    reader, dataset, item_set = fitted(table)
    facts, arrays = reader.state()
    again = Sensor(reader.settings)
    again.restore(json.loads(json.dumps(facts)), arrays)
    np.testing.assert_array_equal(again.item_set(dataset).x, item_set.x)
    assert again.shape == reader.shape

    old = Scaling.restored({"channels": facts["channels"]}, {"scales": arrays["scales"]}, 20.0)
    assert old.parts.names == ("temp", "pressure", "x", "y", "z")


def test_a_stream_scales_as_the_file():
    table = pumps({"a": 20.0, "b": 60.0}).assign(x=1.0, y=1.0, z=lambda t: np.where(t["time"] == 250, 3.0, 1.0))
    reader, _, _ = fitted(table[table["time"] < 200])
    _, dataset, _ = fitted(table)
    item_set = reader.item_set(dataset)
    numbers = table[["temp", "pressure", "x", "y", "z"]].to_numpy()
    for name, start in (("a", 0), ("b", N)):
        own = numbers[start : start + N]
        scaled = reader.cut(entity=name).scaled(own, own)
        np.testing.assert_allclose(scaled[240:256].T, item_set.x[start + 240], rtol=1e-6)


def test_an_explanation_names_the_channel_behind_the_shared_one_and_shows_units():
    dataset = pipeline.open_dataset(commands(idle=4, n=1200), time="time")
    detector = pipeline.train(dataset, "nearest_neighbours", settings={"reader": {"window": 16}})
    later = commands(idle=4, n=400)
    later.loc[200:215, ["idle2"]] = 1
    new = pipeline.open_like(detector, later)
    item_set = detector.item_set(new)

    found = explain_items(detector, new, item_set, items_of_rows(item_set, ["208"]), ["208"], How(), Silent())

    top, name = found.parts.iloc[0], "other channels (4 constant): idle2"
    assert top["part"].startswith(f"{name}, ")
    assert top["channel"] == name
    assert found.windows["208"][name].max() == 1.0
    assert found.windows["208"]["speed"].tolist() == later["speed"].iloc[200:216].tolist()


def test_readings_near_the_largest_number_are_clipped_without_a_warning():
    assert z_scores(np.array([1e308, -1e308, np.nan, 0.5]), 0.0, 0.5, 20.0).tolist() == [20.0, -20.0, 0.0, 1.0]
