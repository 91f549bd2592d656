"""Distances against the covariance written out."""

import numpy as np

from ad_core.methods.references.mahalanobis import Mahalanobis, MahalanobisSettings


def test_score_is_the_distance_in_units_of_the_spread():
    """Ten thousand rows: the shrinkage is all but gone, so the plain covariance gives the same to 1 %."""
    x = np.random.default_rng(0).normal(size=(10_000, 2)) @ np.array([[2.0, 0.0], [1.0, 0.5]])
    reference = Mahalanobis(MahalanobisSettings(), 0)
    reference.fit(x.astype(np.float32))
    points = np.array([[0.0, 0.0], [2.0, 1.0], [2.0, -1.0]], dtype=np.float32)

    away = points - x.mean(axis=0)
    by_hand = np.sqrt(np.einsum("ij,jk,ik->i", away, np.linalg.inv(np.cov(x.T)), away))
    np.testing.assert_allclose(reference.score(points), by_hand, rtol=0.01, atol=0.01)


def test_a_row_odd_in_a_direction_in_which_nothing_varied_is_odd_in_wide_rows_too():
    random = np.random.default_rng(1)
    x = np.zeros((200, 40), dtype=np.float32)
    x[:, :5] = random.normal(size=(200, 5))
    reference = Mahalanobis(MahalanobisSettings(directions=10), 0)
    reference.fit(x)
    odd = x[:1].copy()
    odd[0, 30] = 5.0

    assert reference.score(odd)[0] > 3 * reference.score(x).max()
