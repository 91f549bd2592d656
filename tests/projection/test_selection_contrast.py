"""In what a selection differs from the rest, reckoned by hand."""

import numpy as np
import pandas as pd
import pytest

from ad_core.data.dataset import ColumnKind
from ad_core.projection.selection_contrast import MOST_ROWS, contrast, sampled

INSIDE = np.arange(100) < 20


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_numbers_differ_by_robust_standard_deviations_of_the_rest():
    """The rest is 0..79: median 39.5, quartiles 19.75 and 59.25; the selection is 100 everywhere."""
    amount = np.concatenate([np.full(20, 100.0), np.arange(80.0)])

    found = contrast(frame(amount=amount), {"amount": ColumnKind.NUMBER}, INSIDE)

    assert found["effect"].tolist() == pytest.approx([(100 - 39.5) / (39.5 / 1.349)])
    assert found[["column", "selection", "rest"]].to_numpy().tolist() == [["amount", "100", "39.5"]]


def test_one_wild_value_does_not_hide_a_difference():
    amount = np.concatenate([np.full(20, 100.0), np.arange(79.0), [1e12]])

    assert contrast(frame(amount=amount), {"amount": ColumnKind.NUMBER}, INSIDE)["effect"][0] > 2


def test_of_a_category_the_level_is_named_whose_shares_differ_most():
    """15 of 20 are "casino" in the selection, 4 of 80 in the rest: Cohen's h of 0.75 and 0.05."""
    shop = ["casino"] * 15 + ["north"] * 5 + ["casino"] * 4 + ["north", "south"] * 38

    found = contrast(frame(shop=shop), {"shop": ColumnKind.CATEGORY}, INSIDE)

    assert found["effect"].tolist() == pytest.approx([2 * (np.arcsin(0.75**0.5) - np.arcsin(0.05**0.5))])
    assert found[["selection", "rest"]].to_numpy().tolist() == [["75% “casino”", "5% “casino”"]]


def test_a_level_that_the_selection_lacks_has_a_negative_effect():
    found = contrast(frame(shop=["north"] * 20 + ["south"] * 80), {"shop": ColumnKind.CATEGORY}, INSIDE)

    assert abs(found["effect"][0]) == pytest.approx(np.pi)
    only_missing = contrast(frame(shop=["north", "south"] * 10 + ["west"] * 80), {"shop": ColumnKind.CATEGORY}, INSIDE)
    assert (only_missing["effect"][0], only_missing["rest"][0]) == (pytest.approx(-np.pi), "100% “west”")


def test_missing_numbers_are_a_difference_too():
    amount = np.concatenate([np.full(18, np.nan), [5.0, 5.0], np.full(80, 5.0)])

    found = contrast(frame(amount=amount), {"amount": ColumnKind.NUMBER}, INSIDE)

    assert found[["selection", "rest"]].to_numpy().tolist() == [["90% missing", "0% missing"]]


def test_dates_are_told_as_dates():
    day = pd.to_datetime("2026-03-01") + pd.to_timedelta(np.arange(100), unit="D")

    found = contrast(frame(day=day.astype(str)), {"day": ColumnKind.DATE}, INSIDE)

    assert found["selection"][0].startswith("2026-03-10")
    assert found["effect"][0] < -0.8


def test_the_largest_effects_come_first_and_the_others_are_left_out():
    generator = np.random.default_rng(0)
    columns = {f"c{k}": generator.normal(size=100) + 3 * k * INSIDE for k in range(12)}

    found = contrast(frame(**columns), dict.fromkeys(columns, ColumnKind.NUMBER), INSIDE)

    assert set(found["column"]) == {f"c{k}" for k in range(4, 12)}
    assert found["effect"].abs().is_monotonic_decreasing


def test_equal_columns_and_free_text_are_no_difference():
    data = frame(same=np.ones(100), text=[f"note {i}" for i in range(100)], shop=["north"] * 100)
    kinds = {"same": ColumnKind.NUMBER, "text": ColumnKind.TEXT, "shop": ColumnKind.CATEGORY, "gone": ColumnKind.NUMBER}

    assert contrast(data, kinds, INSIDE).empty


@pytest.mark.parametrize("inside", [np.zeros(100, dtype=bool), np.ones(100, dtype=bool)])
def test_without_a_selection_or_a_rest_nothing_is_compared(inside):
    assert contrast(frame(amount=np.arange(100.0)), {"amount": ColumnKind.NUMBER}, inside).empty


def test_of_very_many_rows_the_same_sample_is_taken_each_time():
    rows = np.arange(3 * MOST_ROWS)

    assert len(set(sampled(rows))) == MOST_ROWS
    assert sampled(rows).tolist() == sampled(rows).tolist()
    assert sampled(rows[:5]).tolist() == [0, 1, 2, 3, 4]
