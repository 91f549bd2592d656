"""Frozen and drifting channels and commands are noticed, and what is usual is not."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.dataset import ColumnKind, Dataset, Declared, Role
from ad_core.data.profiling import profile
from ad_core.data.readers.sensor import Sensor, SensorSettings

N = 1000


def lively(seed: int = 0, n: int = N) -> pd.DataFrame:
    """Two sines with noise, a sample a second."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    table = pd.DataFrame({"time": pd.Timestamp("2024-03-01") + pd.to_timedelta(t, unit="s")})
    return table.assign(**{f"c{i}": np.sin(t / 6 + i) + rng.normal(0, 0.1, n) for i in range(2)})


def opened(table: pd.DataFrame, **declared: object) -> Dataset:
    return Sensor.open(table, Declared(time="time", **declared))


def about(dataset: Dataset, word: str) -> list[str]:
    return [notice for notice in dataset.notices if word in notice]


def test_channels_that_froze_together_are_told_with_time_and_duration():
    table = lively()
    table.loc[400:499, "c0"], table.loc[400:499, "c1"] = 0.5, -0.25

    assert about(opened(table), "frozen") == [
        "Perhaps frozen for 100 samples (1.65 min) from 2024-03-01T00:06:40 on: 'c0' at 0.5, 'c1' at -0.25; elsewhere "
        "they change all the time."
    ]


def test_states_holes_slow_and_constant_channels_are_not_frozen():
    table = lively().assign(setpoint=np.arange(N) // 100, flat=3.0, start=np.arange(N) % 300 < 100)
    table["at_rest"] = np.where(np.arange(N) % 250 < 120, 0.0, table["c0"])  # again and again at the same value
    table["coarse"] = (table["c0"].cumsum() / 20).round()
    table.loc[300:420, "c1"] = np.nan

    assert about(opened(table), "frozen") == []


def test_a_value_that_goes_on_after_a_gap_is_not_frozen_across_it():
    table = lively()
    table.loc[470:529, "c0"] = 0.5
    cut = table.drop(index=range(495, 505))

    assert about(opened(table), "frozen") != []
    assert about(opened(cut), "frozen") == []


@pytest.mark.parametrize("method", ["nearest_neighbours", "mahalanobis"])
def test_a_frozen_channel_scores_high(method):
    """It stays within its range, so only the missing movement gives it away."""
    detector = pipeline.train(
        pipeline.open_dataset(lively(), time="time"), method, training_rows="clean", settings={"reader": {"window": 32}}
    )
    table = lively(seed=1)
    table.loc[400:499, "c0"] = 0.5
    scores = detector.score(pipeline.open_like(detector, table))["score"]

    assert scores[410:490].min() > scores[:350].quantile(0.99)


def test_a_drift_of_the_level_is_named_in_usual_spreads():
    table = lively()
    table["c0"] += np.linspace(0, 5, N)  # the fifths lie 4 apart; the spread within 50 samples is about 0.7 to 0.9
    dataset = opened(table)
    reader = Sensor(SensorSettings(window=32))
    reader.fit(dataset, dataset.is_training)

    (notice,) = [n for n in reader.notices if "drifts" in n]
    assert "in typical spreads: c0 (+" in notice
    assert 4 < float(notice.split("c0 (+")[1].split(")")[0]) < 7
    assert notice in profile(dataset).warnings
    assert "c1" not in notice


def test_a_season_noise_and_few_samples_are_no_drift():
    assert not any("drifts" in warning for warning in profile(opened(lively())).warnings)
    few = lively(n=150).assign(c0=np.linspace(0, 9, 150))
    assert not any("drifts" in warning for warning in profile(opened(few)).warnings)


def test_levels_of_several_recordings_are_no_drift():
    two = pd.concat([lively(), lively().assign(c0=lambda t: t["c0"] + 50)]).assign(pump=["a"] * N + ["b"] * N)

    assert not any("drifts" in warning for warning in profile(opened(two, entity="pump")).warnings)


def test_columns_of_zeros_and_ones_are_commands():
    table = lively().assign(start=np.arange(N) % 40 < 5, stop=(np.arange(N) % 50 < 5) * 1.0, two=np.arange(N) % 2 + 1)
    dataset = opened(table)
    columns = {column.name: column for column in dataset.schema.columns}

    for name in ("start", "stop"):
        assert (columns[name].kind, columns[name].role, columns[name].grade) == (ColumnKind.BOOLEAN, Role.FEATURE, "A")
        assert columns[name].reason == "A command: it is on or off."
    assert columns["two"].kind is ColumnKind.NUMBER
    assert about(dataset, "commands") == [
        "Treated as commands, on or off, because they hold only 0 and 1: start, stop."
    ]
    assert opened(table, kinds={"stop": ColumnKind.NUMBER}).schema.columns[4].kind is ColumnKind.NUMBER
