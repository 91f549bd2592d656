"""A window of a recording is shown in the clock, the units and the columns that the user knows."""

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet
from ad_core.data.opening import open_dataset
from ad_core.data.readers.sensor import Sensor
from ad_core.explain.window import Window
from tests.conftest import recording


def two_pumps() -> pd.DataFrame:
    """The same recording twice, 1000 higher in pump b."""
    low, high = recording(broken=False), recording(broken=False)
    high["flow [l/s]"] += 1000
    return pd.concat([low.assign(pump="a"), high.assign(pump="b")], ignore_index=True).drop(columns="is_anomaly")


def windows(table: pd.DataFrame, **settings) -> tuple[ItemSet, list[Window]]:
    dataset = open_dataset(table, time="time", entity="pump")
    reader = Sensor(Sensor.Settings(window=32, **settings))
    reader.fit(dataset, dataset.is_training)
    item_set = reader.item_set(dataset)
    return item_set, [Window.of(reader, dataset, item_set, i) for i in (0, len(item_set) - 1)]


def test_values_are_in_units_of_their_own_recording():
    item_set, (first, last) = windows(two_pumps(), scale_per_entity="on")
    x = item_set.take(np.array([0, len(item_set) - 1])).numpy()

    assert (first.entity, last.entity) == ("a", "b")
    for window, item in ((first, x[0]), (last, x[1])):
        assert not window.is_resampled
        assert window.actual(0, item[0]).tolist() == window.data["flow [l/s]"].tolist()
        np.testing.assert_allclose(window.in_units(0, item[0]), window.data["flow [l/s]"], atol=1e-3)  # 32-bit items
        assert window.times.tolist() == window.data["time"].tolist()


def test_evened_samples_have_times_of_their_own_and_the_values_between_rows():
    table = recording(broken=False).drop(columns="is_anomaly").assign(pump="a")
    keep = np.sort(np.random.default_rng(0).permutation(len(table))[: int(0.8 * len(table))])
    item_set, (first, _) = windows(table.iloc[keep], resample=1.0)
    x = item_set.take(slice(1))[0].numpy()

    assert first.is_resampled
    assert set(np.diff(first.times.to_numpy())) == {np.timedelta64(1, "s")}
    assert len(set(first.times) - set(table["time"].iloc[keep])) > 0
    assert first.actual(0, x[0]).tolist() == first.in_units(0, x[0]).tolist()


def test_a_shared_channel_is_labelled_with_the_columns_that_changed():
    table = two_pumps()
    for name in ("valve", "heater", "lamp", "fan", "door"):
        table[name] = 0.0
    dataset = open_dataset(table, time="time", entity="pump")
    reader = Sensor(Sensor.Settings(window=32))
    reader.fit(dataset, dataset.is_training)
    table.loc[table.index[-5:], ["heater", "fan", "lamp", "door"]] = [4.0, 3.0, 2.0, 1.0]
    changed = open_dataset(table, time="time", entity="pump", use=["valve", "heater", "lamp", "fan", "door"])
    item_set = reader.item_set(changed)
    shared = len(item_set.shape.parts.names) - 1

    first, last = (Window.of(reader, changed, item_set, i) for i in (0, len(item_set) - 1))

    assert last.label(0) == "flow [l/s]"
    assert last.label(shared) == "other channels (5 constant): heater, fan, lamp"  # the three that changed most
    assert first.label(shared) == "other channels (5 constant)"
