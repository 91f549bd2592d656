"""Peaks over threshold: the published equation, a tail of known shape, and too little of a tail."""

import numpy as np
import pytest
from scipy.stats import genpareto, norm

from ad_core.alerts.extreme_values import PeaksOverThreshold
from ad_core.errors import DataError


@pytest.mark.parametrize("shape", [0.3, -0.2])
def test_the_threshold_is_that_of_the_published_equation(shape):
    """z_q = t + scale / shape ((q n / N_t)^(-shape) - 1), Siffer et al. 2017, eq. 1."""
    peaks = PeaksOverThreshold(start=2.0, share=0.02, shape=shape, scale=0.5)

    by_hand = 2.0 + 0.5 / shape * ((0.001 / 0.02) ** -shape - 1)

    assert peaks.threshold(0.001) == pytest.approx(by_hand)
    assert peaks.rate([by_hand]) == pytest.approx([0.001])


def test_the_rate_at_which_usual_scores_exceed_the_threshold_is_about_the_accepted_one():
    """20 draws of 10,000 calibration scores; one may miss the rate 0.0005 by a factor of two, their mean not."""
    draws = np.random.default_rng(0).normal(size=(20, 10_000))

    rates = [norm.sf(PeaksOverThreshold.fit(usual).threshold(0.0005)) for usual in draws]

    assert np.mean(rates) == pytest.approx(0.0005, rel=0.25)


def test_a_pareto_tail_is_fitted_with_its_own_shape():
    usual = genpareto.rvs(0.25, size=50_000, random_state=1)

    assert PeaksOverThreshold.fit(usual).shape == pytest.approx(
        0.25, abs=0.1
    )  # 1,000 peaks: standard error (1 + 0.25) / sqrt(1000)


def test_a_few_hundred_scores_take_a_lower_quantile_so_that_there_are_twenty_peaks():
    peaks = PeaksOverThreshold.fit(np.random.default_rng(2).normal(size=400))

    assert peaks.share * 400 == 20


def test_scores_outside_the_tail_have_no_rate():
    peaks = PeaksOverThreshold(start=2.0, share=0.02, shape=0.1, scale=0.5)

    assert np.isnan(peaks.rate([1.0, 2.0, np.nan])).all()
    assert peaks.threshold(0.5) == np.inf


def test_beyond_the_end_of_a_bounded_tail_the_rate_is_zero():
    assert PeaksOverThreshold(start=0.0, share=0.02, shape=-0.5, scale=1.0).rate([3.0]) == [0.0]


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (np.arange(100.0), "Only 10 of 100 calibration scores lie above their 90 % quantile; a tail needs 20."),
        ([], "Only 0 of 0"),
        (np.ones(1000), "Only 0 of 1,000"),
        (np.r_[np.zeros(900), np.ones(50)], "The 50 highest calibration scores are all equal"),
    ],
)
def test_too_little_of_a_tail_is_said(scores, words):
    with pytest.raises(DataError, match=words):
        PeaksOverThreshold.fit(scores)
