"""Scores on one scale: hand-computed values, and what must hold for any."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ad_core.methods.score_normalisation import TailNormalisation, surprise_among


def of(usual: np.ndarray, at: np.ndarray) -> np.ndarray:
    return TailNormalisation.of(usual)(torch.from_numpy(np.asarray(at, dtype=np.float32))).numpy()


def test_within_the_tail_it_is_the_log_of_how_many_are_as_high_and_beyond_it_the_excess():
    """0..10: the 90 % quantile is 9, the only excess is 10 - 9 = 1."""
    found = of(np.arange(11.0), [-3.0, 0.0, 5.0, 5.5, 9.0, 10.0, 12.0])

    five, six, lowest = -np.log(6.5 / 12), -np.log(5.5 / 12), -np.log(11.5 / 12)
    tail = -np.log(0.1)
    np.testing.assert_allclose(found, [lowest, lowest, five, (five + six) / 2, tail, tail + 1, tail + 3], rtol=1e-5)


@given(arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e3, 1e3)))
def test_it_keeps_the_order_and_stays_finite(usual):
    values = of(usual, np.sort(np.concatenate([usual, usual + 0.5, [1e4]])))

    assert np.isfinite(values).all()
    assert (np.diff(values) >= -1e-4).all()


def test_the_unit_of_a_score_does_not_matter():
    usual = np.random.default_rng(0).normal(size=200)

    np.testing.assert_allclose(surprise_among(1000 * usual - 7), surprise_among(usual), rtol=1e-4)


def test_it_has_a_slope_wherever_scores_differ():
    usual = np.random.default_rng(0).normal(size=200)
    x = torch.tensor([-1.0, 0.0, 1.0, 5.0], requires_grad=True)

    TailNormalisation.of(usual)(x).sum().backward()

    assert (x.grad > 0).all()


def test_it_is_restored_from_its_state():
    tail, other = TailNormalisation.of(np.arange(30.0)), TailNormalisation()
    other.load_state_dict(tail.state_dict())

    x = torch.linspace(-5, 50, 20)
    torch.testing.assert_close(other(x), tail(x))
