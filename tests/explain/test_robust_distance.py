"""Differences from neighbours in usual widths, by hand."""

import numpy as np
import pandas as pd
import pytest

from ad_core.explain.robust_distance import apart


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_a_number_is_compared_with_the_median_of_the_neighbours_in_usual_widths():
    usual = table(a=[*np.arange(101.0), 1e9])  # quartiles 25.25 and 75.75, whatever the outlier

    found = apart(table(a=[80.0]), table(a=[10.0, 20.0, 999.0]), usual)

    assert found["a"] == pytest.approx((80 - 20) / ((75.75 - 25.25) / 1.349))


def test_dates_count_and_what_is_no_number_does_not():
    days = pd.date_range("2024-01-01", periods=101)
    usual = table(when=days, kind=["x"] * 101, yes=[True] * 101, same=[3.0] * 101, text=[None] * 101)
    own, others = usual.iloc[[100]], usual.iloc[[0, 1, 2]]

    found = apart(own, others, usual)

    assert found["when"] == pytest.approx(99 / (50 / 1.349))
    assert found.drop("when").isna().all()


def test_a_column_whose_middle_half_is_one_value_is_measured_by_its_standard_deviation():
    usual = table(a=[0.0] * 9 + [10.0])

    assert apart(table(a=[6.0]), table(a=[0.0]), usual)["a"] == pytest.approx(6 / 3)


def test_missing_cells_have_no_distance_and_whole_numbers_may_be_missing():
    usual = table(a=pd.array([1, 2, 3, 4, None], dtype="Int64"))
    missing = table(a=pd.array([None], dtype="Int64"))

    assert np.isnan(apart(missing, usual, usual)["a"])
    assert np.isnan(apart(usual.head(1), missing, usual)["a"])
    assert np.isfinite(apart(usual.head(1), usual, usual)["a"])
    assert np.isnan(apart(missing, missing, missing)["a"])
