"""What is said about data before training, and how drift between two files is measured."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ad_core.data.dataset import Column, ColumnKind, Dataset, Declared, Role, Schema
from ad_core.data.profiling import drift, profile
from ad_core.data.readers.table import Table
from ad_core.types import Modality

N = 400


def payments(n: int = N, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount [EUR]": generator.lognormal(3, 1, n).round(2),
            "shop": generator.choice(["food", "fuel"], n, p=[0.75, 0.25]),
            "when": pd.date_range("2026-01-01", periods=n, freq="h"),
        }
    )


def opened(data: pd.DataFrame, **declared: object) -> Dataset:
    return Table.open(data, Declared(**declared))


def test_a_profile_says_what_is_in_each_column():
    found = profile(opened(payments()))

    amount, shop, when = found.columns
    values = payments()["amount [EUR]"]
    assert (amount.min, amount.median, amount.max) == (values.min(), values.median(), values.max())
    assert (amount.unit, amount.distinct, amount.missing) == ("EUR", values.nunique(), 0)
    assert [level for level, _ in shop.top] == ["food", "fuel"]
    assert dict(shop.top)["food"] == (payments()["shop"] == "food").mean()
    assert (when.min, when.max) == ("2026-01-01T00:00:00", "2026-01-17T15:00:00")
    assert (found.rows, found.usable, found.teaching, found.duplicates) == (N, N, N, 0)
    assert found.blockers == ()


def test_a_profile_is_json():
    found = profile(opened(payments()))

    assert json.loads(found.model_dump_json())["rows"] == N


def test_repeated_rows_are_counted_over_the_used_columns():
    data = payments().assign(payment_id=np.arange(N))
    data.loc[5:9, ["amount [EUR]", "shop", "when"]] = data.loc[4, ["amount [EUR]", "shop", "when"]].to_numpy()

    found = profile(opened(data))

    assert found.duplicates == 5
    assert any("5 of 400 rows equal an earlier one" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (payments(1), "Only 1 rows can be used for training, but at least 20 are needed"),
        (payments(19), "Only 19 rows can be used for training"),
        (payments()[["shop"]].assign(shop="food"), "No column can be used"),
        (pd.DataFrame({"order_id": np.arange(N)}), "No column can be used"),
        (pd.DataFrame({"a": [np.nan] * N}), "Every cell is missing"),
    ],
)
def test_what_keeps_data_from_training_is_said(data, sentence):
    assert sentence in " ".join(profile(opened(data)).blockers)


def test_reference_rows_that_never_change_keep_data_from_training():
    data = payments()[["amount [EUR]"]].assign(split=np.arange(N) // 100)
    data.loc[:99, "amount [EUR]"] = 5.0
    dataset = opened(data, only=("split=0",), ignore=("split",))

    assert "None of the used columns changes" in " ".join(profile(dataset).blockers)


def test_labelled_anomalies_among_the_reference_rows_are_told():
    data = payments().assign(fraud=(np.arange(N) % 100 == 0).astype(int))

    told = " ".join(profile(opened(data)).warnings)

    assert "4 of 400 training rows are labelled as anomalies" in told


def test_more_columns_than_rows_and_few_rows_are_told():
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 50))).rename(columns=str)

    told = " ".join(profile(opened(data)).warnings)

    assert "more columns (50) than training rows (30)" in told
    assert "30 training rows are few" in told


def dataset_of(modality: Modality, data: pd.DataFrame, columns: tuple[Column, ...]) -> Dataset:
    rows = pd.DataFrame({"row_id": [str(i) for i in range(len(data))], "note": ""})
    teaches = np.ones(len(data), dtype=bool)
    return Dataset(modality, Schema(columns=columns), data, rows, Declared(), (), "made", teaches)


def test_images_are_counted_by_folder_size_and_equal_bytes():
    data = pd.DataFrame(
        {
            "path": [f"good/{i}.png" for i in range(39)] + ["new/a.png"],
            "folder": ["good"] * 39 + ["new"],
            "height": [64] * 39 + [65],
            "width": [32] * 40,
            "mode": ["L"] * 40,
            "sha": [*"aab", *map(str, range(37))],
        }
    )

    found = profile(dataset_of(Modality.IMAGE, data, ()))

    assert found.facts["folders"] == {"good": 39, "new": 1}
    assert found.facts["sizes"] == {"32 x 64": 39, "32 x 65": 1}
    assert found.facts["duplicates"] == [["good/0.png", "good/1.png"]]
    assert found.duplicates == 1
    assert any("1 of 40 images have an unusual size: 32 x 65 (1)" in w for w in found.warnings)
    assert found.blockers == ()


def test_a_channel_that_keeps_its_value_is_stuck():
    values = np.arange(100.0)
    values[30:55] = 7.0
    values[60:65] = 1.0  # too short to count
    column = Column(name="flow", role=Role.FEATURE, kind=ColumnKind.NUMBER)

    found = profile(dataset_of(Modality.SENSOR, pd.DataFrame({"flow": values}), (column,)))

    assert found.columns[0].stuck == 0.25


def test_the_stability_index_equals_the_one_computed_by_hand():
    """Two levels, 75 % and 25 % against 50 % and 50 %; with counts this large the half row added does not show."""
    old = pd.DataFrame({"x": ["a"] * 75_000 + ["b"] * 25_000})
    new = pd.DataFrame({"x": ["a"] * 50_000 + ["b"] * 50_000})
    schema = Schema(columns=(Column(name="x", role=Role.FEATURE, kind=ColumnKind.CATEGORY),))

    found = drift(old, new, schema).iloc[0]

    assert found["effect"] == pytest.approx(
        (0.5 - 0.75) * np.log(0.5 / 0.75) + (0.5 - 0.25) * np.log(0.5 / 0.25), rel=1e-3
    )
    assert found["verdict"] == "act"


def test_drift_tells_what_has_moved_from_what_has_not():
    old, new = payments(5000), payments(5000, seed=1)
    new["shop"] = np.random.default_rng(2).choice(["food", "fuel"], 5000, p=[0.6, 0.4])
    schema = opened(old).schema

    same = drift(old, payments(5000, seed=1), schema).set_index("column")
    moved = drift(old, new.assign(**{"amount [EUR]": new["amount [EUR]"] * 5}), schema).set_index("column")

    assert set(same["verdict"]) == {"stable"}
    assert moved["verdict"].to_dict() == {"amount [EUR]": "act", "shop": "watch"}
    assert moved.index[0] == "amount [EUR]"


def test_missing_cells_and_unseen_levels_count_as_drift():
    old = payments(2000)
    schema = opened(old).schema

    gone = drift(old, payments(2000, seed=1).assign(**{"amount [EUR]": np.nan}), schema).set_index("column")
    unseen = drift(old, payments(2000, seed=1).assign(shop="toys"), schema).set_index("column")

    assert gone.loc["amount [EUR]", "verdict"] == "act"
    assert unseen.loc["shop", "verdict"] == "act"


def test_few_new_rows_alone_are_no_drift():
    old = payments(2000)
    schema = opened(old).schema

    verdicts = [
        set(drift(old, payments(n, seed=seed), schema)["verdict"]) for n in (1, 3, 12, 90) for seed in range(1, 21)
    ]

    assert all(found == {"stable"} for found in verdicts)


@settings(deadline=None, max_examples=60)
@given(
    old=st.lists(st.floats() | st.none(), min_size=1, max_size=30),
    new=st.lists(st.floats() | st.none(), min_size=1, max_size=30),
)
def test_drift_of_any_numbers_is_finite_and_none_against_itself(old, new):
    schema = Schema(columns=(Column(name="x", role=Role.FEATURE, kind=ColumnKind.NUMBER),))
    first, second = (pd.DataFrame({"x": pd.Series(v, dtype="float64")}) for v in (old, new))

    assert np.isfinite(drift(first, second, schema)["effect"]).all()
    assert drift(first, first, schema)["effect"].tolist() == [0.0]
