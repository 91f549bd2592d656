"""Histograms of the training rows' columns: what they count, what they know, and that they hold no row."""

import json

import numpy as np
import pandas as pd
import pytest

from ad_core.data import histograms
from ad_core.data.dataset import Column, ColumnKind, Role, Schema
from ad_core.data.histograms import ColumnHistogram, histograms_of
from ad_core.data.profiling import drift, drift_from

N = 1000


def schema(**kinds: str) -> Schema:
    return Schema(columns=tuple(Column(name=n, role=Role.FEATURE, kind=ColumnKind(k)) for n, k in kinds.items()))


def of(values: pd.Series, kind: str) -> ColumnHistogram:
    return ColumnHistogram.of(Column(name=str(values.name), role=Role.FEATURE, kind=ColumnKind(kind)), values)


@pytest.fixture
def data() -> pd.DataFrame:
    random = np.random.default_rng(0)
    dates = pd.to_datetime("2020-01-01") + pd.to_timedelta(random.uniform(0, 900, N), unit="D")
    return pd.DataFrame(
        {
            "amount": np.where(random.random(N) < 0.1, np.nan, random.normal(size=N)),
            "shop": random.choice(list("abcd"), N),
            "opened": dates.strftime("%d.%m.%Y"),
            "note": "free text",
        }
    )


def test_bins_hold_equal_shares_and_missing_cells_have_one_of_their_own(data):
    found = of(data["amount"], "number")

    assert found.counts[-1] == data["amount"].isna().sum()
    assert np.ptp(found.counts[:-1]) <= 1
    assert (found.low, found.high) == (data["amount"].min(), data["amount"].max())


def test_comparing_with_histograms_is_comparing_with_the_rows_also_after_json(data):
    kinds = schema(amount="number", shop="category", opened="date", note="text")
    kept = [ColumnHistogram.model_validate(json.loads(one.model_dump_json())) for one in histograms_of(data, kinds)]
    new = data.assign(amount=data["amount"] + 0.3)

    assert [one.name for one in kept] == ["amount", "shop", "opened"]
    pd.testing.assert_frame_equal(drift_from(kept, new), drift(data, new, kinds))


def test_levels_that_no_training_row_has_are_known_and_missing_is_no_level(data):
    found = of(data["shop"], "category")

    assert found.never_seen(pd.Series(["a", "z", None, "d"])).tolist() == [False, True, False, False]


def test_of_a_column_with_too_many_levels_it_is_not_known_which_are_new(monkeypatch):
    monkeypatch.setattr(histograms, "MOST_KEPT", 5)
    names = pd.Series([f"customer {i}" for i in range(50)], name="x")
    found = of(names, "category")

    assert len(found.levels) == 5
    assert not found.never_seen(names).any()


def test_a_column_beyond_the_range_as_a_whole_is_another_one_whatever_its_index(data):
    later = data.assign(opened="01.01.2030")
    kinds = schema(opened="date")

    (line,) = drift(data, later, kinds).itertuples()
    (few,) = drift(data, later[:3], kinds).itertuples()
    (single,) = drift(data, later[:1], kinds).itertuples()

    assert (line.outside, line.verdict) == (1.0, "act")
    assert few.verdict == "act"
    assert single.verdict != "act"  # one row is an anomaly, no drift
    assert drift(data, data, kinds)["verdict"].tolist() == ["stable"]
