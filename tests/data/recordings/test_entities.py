"""Which column tells recordings apart: never a switch, and never a state that changes while one clock runs on."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.dataset import Role
from ad_core.errors import DataError

N = 600
TIME = pd.date_range("2026-01-01", periods=N, freq="min")
ON = (np.arange(N) // 50) % 2


def one() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"time": TIME, "flow": rng.normal(size=N), "heat": rng.normal(size=N)})


def two() -> pd.DataFrame:
    return pd.concat([one(), one()], ignore_index=True)


@pytest.mark.parametrize(
    ("name", "held", "role"),
    [
        ("pump", np.where(ON, "on", "off"), Role.FEATURE),
        ("pump", ON, Role.FEATURE),
        ("unit", np.where(ON, "A", "B"), Role.FEATURE),
        ("machine", np.array(["idle", "run", "wash"])[(np.arange(N) // 40) % 3], Role.WATCHED),
    ],
)
def test_a_state_of_one_recording_does_not_split_it(name, held, role):
    dataset = pipeline.open_dataset(one().assign(**{name: held}))

    assert "entity" not in dataset.rows
    assert next(c.role for c in dataset.schema.columns if c.name == name) is role
    assert f"declare it as the entity: --entity {name}, entity='{name}'" in " ".join(dataset.notices)
    told = pipeline.open_dataset(one().assign(**{name: held}), time="time", entity=name)
    assert told.schema.one(Role.ENTITY) == name


@pytest.mark.parametrize(
    "data",
    [
        two().assign(pump=["a"] * N + ["b"] * N),
        two().assign(pump=[0] * N + [1] * N),
        two().assign(pump=["a"] * N + ["b"] * N).sort_values("time", kind="stable", ignore_index=True),
        one().assign(pump=np.repeat(["a", "b", "c"], N // 3)),
        one().assign(pump=np.tile(["a", "b", "c"], N // 3)),
    ],
    ids=["two in turn", "two by number", "two interleaved", "three in turn", "three by turns"],
)
def test_recordings_of_one_file_are_told_apart_by_a_clock_that_starts_again_or_by_three_names(data):
    dataset = pipeline.open_dataset(data)

    assert dataset.schema.one(Role.ENTITY) == "pump"
    assert not any("entity" in notice for notice in dataset.notices)


def test_an_entity_column_without_any_value_is_refused_in_a_sentence():
    data = pd.DataFrame({"pump": np.full(40, np.nan), "x": np.sin(np.arange(40.0)), "y": np.cos(np.arange(40.0))})

    with pytest.raises(DataError, match=r"The entity \('pump'\) is missing"):
        pipeline.open_dataset(data, modality="sensor", entity="pump")
