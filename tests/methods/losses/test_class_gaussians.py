"""Gaussians per class, against scikit-learn and known spreads."""

import numpy as np

from ad_core.methods.losses.class_gaussians import gaussians, shared_whitening


def test_distances_are_those_of_ledoit_and_wolf():
    from sklearn.covariance import LedoitWolf

    random = np.random.default_rng(0)
    z, cls = random.normal(size=(200, 1, 4)) * [1, 2, 3, 0.1], np.zeros(200)

    mean, whiten = gaussians(z, cls)
    found = (((z[:, 0] - mean[0, 0]) @ whiten[0, 0]) ** 2).sum(1)

    np.testing.assert_allclose(found, LedoitWolf().fit(z[:, 0]).mahalanobis(z[:, 0]), rtol=1e-3)


def test_a_class_of_few_rows_takes_the_covariance_within_all_classes():
    """Spread 1 and 5 in classes of 60 rows at distance 100, spread 1 and 5 in classes of 10 rows."""
    random, cls = np.random.default_rng(0), np.repeat([-1.0, 0, 1, 2], [60, 60, 10, 10])
    z = random.normal(size=(140, 2, 3)) * np.where(cls % 2, 1, 5)[:, None, None] + 100 * cls[:, None, None]

    _, whiten = gaussians(z, cls)
    precision = (whiten**2).sum((1, 2, 3)) / 6  # of one dimension; Ledoit and Wolf shrink, so not exactly

    np.testing.assert_allclose(precision[:2], [1, 1 / 25], rtol=0.3)
    np.testing.assert_array_equal(whiten[2], whiten[3])
    np.testing.assert_allclose(precision[2], 1 / 13, rtol=0.3)  # half the rows have variance 1, half 25


def test_the_shared_whitening_knows_neither_class_nor_way():
    """Spread 2 around four centres far apart: two classes in two ways."""
    random, cls = np.random.default_rng(0), np.arange(4000) % 2
    z = 2 * random.normal(size=(4000, 2, 3)) + 100 * cls[:, None, None] + np.array([[0.0], [30.0]])

    whiten = shared_whitening(z, cls.astype(float))

    np.testing.assert_allclose(whiten @ whiten.T, np.eye(3) / 4, atol=0.02)
