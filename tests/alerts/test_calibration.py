"""Percentiles, p-values and severity words."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ad_core.alerts.calibration import Calibration, severity, severity_rule
from ad_core.errors import DataError

scores = arrays(np.float64, st.integers(2, 60), elements=st.floats(-1e6, 1e6))


def test_p_values_and_percentiles_match_counting_by_hand():
    calibration = Calibration.fit([4.0, 1.0, 2.0, 2.0])

    assert calibration.p_value([0.0, 2.0, 4.0, 5.0]).tolist() == [1.0, 4 / 5, 2 / 5, 1 / 5]
    assert calibration.percentile([0.0, 2.0, 4.0, 5.0]).tolist() == [0.0, 25.0, 75.0, 100.0]
    assert calibration.smallest_p == 1 / 5
    assert not calibration.approximate


@given(scores, st.integers(0, 2**32 - 1))
def test_ranking_any_exchangeable_row_as_new_gives_super_uniform_p_values(values, seed):
    """Exchangeability means that each of the rows is equally likely to be the new one: all of them are tried."""
    p = np.array([Calibration.fit(np.delete(values, i)).p_value(values[i]) for i in range(len(values))])

    for alpha in np.random.default_rng(seed).uniform(0, 1, 5):
        assert np.mean(p <= alpha) <= alpha


@given(scores, scores)
def test_a_higher_score_never_has_a_higher_p_value_or_a_lower_percentile(reference, new):
    calibration, new = Calibration.fit(reference), np.sort(new)

    assert (np.diff(calibration.p_value(new)) <= 0).all()
    assert (np.diff(calibration.percentile(new)) >= 0).all()
    assert calibration.p_value(new).min() >= calibration.smallest_p


@given(scores, st.floats(0, 1), scores)
def test_the_threshold_separates_the_scores_whose_p_value_is_at_most_alpha(reference, alpha, new):
    calibration = Calibration.fit(reference)
    new = np.concatenate([new, reference])

    assert ((new >= calibration.threshold(alpha)) == (calibration.p_value(new) <= alpha)).all()


def test_a_row_of_the_calibration_set_counts_itself_which_never_makes_its_p_value_smaller():
    values = np.random.default_rng(0).normal(size=50)

    with_itself = Calibration.fit(values).p_value(values)
    without = np.array([Calibration.fit(np.delete(values, i)).p_value(values[i]) for i in range(50)])

    assert (with_itself >= without).all()


def test_nan_scores_give_nan_and_do_not_count_as_reference():
    calibration = Calibration.fit([1.0, np.nan, 3.0])

    assert calibration.n == 2
    assert np.isnan(calibration.p_value([np.nan, 2.0])).tolist() == [True, False]
    assert np.isnan(calibration.percentile([np.nan, 2.0])).tolist() == [True, False]


def test_no_score_at_all_is_refused_with_a_sentence():
    with pytest.raises(DataError, match="None of 2 calibration rows has a score"):
        Calibration.fit([np.nan, np.nan])


def test_p_values_of_recordings_are_counted_in_block_maxima():
    blocks = np.repeat(np.arange(24), 10)
    values = np.arange(240.0)  # the maximum of block b is 10 b + 9

    calibration = Calibration.fit(values, blocks=blocks)

    assert calibration.n == 24
    assert calibration.approximate
    assert calibration.p_value([229.0, 229.5, 1000.0]).tolist() == [3 / 25, 2 / 25, 1 / 25]
    assert calibration.percentile([120.0]) == 50.0


def test_ties_within_a_block_count_once():
    calibration = Calibration.fit(np.ones(100), blocks=np.repeat(np.arange(25), 4))

    assert calibration.n == 25
    assert calibration.p_value([1.0, 2.0]).tolist() == [1.0, 1 / 26]


def test_fewer_than_twenty_blocks_give_percentiles_but_no_p_values():
    calibration = Calibration.fit(np.arange(190.0), blocks=np.repeat(np.arange(19), 10))

    assert np.isnan(calibration.p_value([0.0, 500.0])).all()
    assert np.isnan(calibration.smallest_p)
    assert calibration.threshold(0.5) == np.inf
    assert calibration.percentile([95.0]) == 50.0


@pytest.mark.parametrize("blocks", [None, np.repeat(np.arange(25), 4), np.repeat(np.arange(4), 25)])
def test_a_calibration_survives_being_stored(blocks, tmp_path):
    calibration = Calibration.fit(np.random.default_rng(1).normal(size=100), blocks=blocks)
    calibration.to_frame().to_parquet(tmp_path / "calibration.parquet")
    facts = json.loads(json.dumps(calibration.facts()))

    again = Calibration.from_frame(pd.read_parquet(tmp_path / "calibration.parquet"), facts)

    new = np.linspace(-3, 3, 50)
    np.testing.assert_array_equal(again.p_value(new), calibration.p_value(new))
    np.testing.assert_array_equal(again.percentile(new), calibration.percentile(new))
    assert again.facts() == facts


def test_severity_goes_by_p_where_enough_rows_were_calibrated():
    words = severity([0.0005, 0.001, 0.01, 0.05, 0.06, np.nan], [99.9, 99.8, 99, 95, 90, np.nan], 1 / 3000)

    assert words.tolist() == ["Critical", "Critical", "High", "Medium", "Low", ""]
    assert "Critical p ≤ 0.001" in severity_rule(1 / 3000)


def test_a_level_that_p_can_not_reach_is_neither_given_nor_listed():
    calibration = Calibration.fit(np.arange(200.0))

    words = severity(calibration.p_value([1e9]), calibration.percentile([1e9]), calibration.smallest_p)

    assert words.tolist() == ["High"]
    rule = severity_rule(calibration.smallest_p)
    assert rule.startswith("Severity goes by p-value: High p ≤ 0.01, Medium p ≤ 0.05, else Low.")
    assert "Critical can't be reached" in rule


@pytest.mark.parametrize("smallest_p", [float("nan"), 1 / 10])
def test_severity_goes_by_percentile_and_says_so_when_p_reaches_no_level(smallest_p):
    words = severity([0.1, np.nan, np.nan, np.nan], [100.0, 95.0, 94.9, np.nan], smallest_p)

    assert words.tolist() == ["High", "Medium", "Low", ""]
    assert "by percentile" in severity_rule(smallest_p)
