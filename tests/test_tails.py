"""Scores on one scale: hand-computed values, and what must hold for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ad_core.tails import Tail


def test_within_the_tail_it_is_the_log_of_how_many_are_as_high_and_beyond_it_the_excess():
    """0..10: the 90 % quantile is 9, the only excess is 10 - 9 = 1."""
    tail = Tail(np.arange(11.0))

    assert tail(np.array([5.0])) == pytest.approx(-np.log(6.5 / 12))
    assert tail(np.array([9.0])) == pytest.approx(-np.log(2.5 / 12))
    np.testing.assert_allclose(tail(np.array([10.0, 12.0])), -np.log(0.1) + np.array([1.0, 3.0]))


@given(arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e6, 1e6)))
def test_it_keeps_the_order_and_stays_finite(usual):
    at = np.sort(np.concatenate([usual, usual + 0.5, [1e7]]))

    values = Tail(usual)(at)

    assert np.isfinite(values).all()
    assert (np.diff(values) >= -1e-9).all()


def test_the_unit_of_a_score_does_not_matter():
    usual, new = np.random.default_rng(0).normal(size=(2, 200))

    np.testing.assert_allclose(Tail(1000 * usual - 7)(1000 * new - 7), Tail(usual)(new), rtol=1e-6)
