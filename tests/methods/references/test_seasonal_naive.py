"""Forecasts by the value one period ago, worked out by hand."""

import numpy as np

from ad_core.methods.references.seasonal_naive import LEAST_ERROR, SeasonalNaive, SeasonalNaiveSettings


def fitted(x: np.ndarray) -> SeasonalNaive:
    reference = SeasonalNaive(SeasonalNaiveSettings(), 0)
    reference.fit(x.astype(np.float32))
    return reference


def test_each_channel_gets_its_own_period():
    time = np.arange(48)
    x = np.stack([time % 8, time % 12])[None].repeat(5, 0)

    np.testing.assert_array_equal(fitted(x).lags, [8, 12])


def test_where_nothing_repeats_the_last_value_is_the_forecast():
    walk = np.random.default_rng(0).normal(size=(50, 1, 40)).cumsum(2)

    np.testing.assert_array_equal(fitted(walk).lags, [1])


def test_score_is_the_mean_squared_difference_by_the_usual_one():
    """Period 4, usual error 0; one of the 12 differences is 2, then the way back: 2 x 4 / 12."""
    x = np.tile([0.0, 1.0, 2.0, 1.0], 4)[None, None].repeat(3, 0)
    odd = x[:1].copy()
    odd[0, 0, 6] += 2

    score = fitted(x).score(odd.astype(np.float32))

    np.testing.assert_allclose(score, [8 / 12 / LEAST_ERROR], rtol=1e-5)
