"""Densities against those of a single Gaussian, and of two clouds."""

import numpy as np

from ad_core.methods.references.gaussian_mixture import GaussianMixture, GaussianMixtureSettings


def test_one_cloud_is_a_gaussian():
    x = np.random.default_rng(0).normal(3, 2, size=(500, 1)).astype(np.float32)
    reference = GaussianMixture(GaussianMixtureSettings(clouds=1), 0)
    reference.fit(x)
    variance = x.astype(float).var() + 1e-2

    by_hand = 0.5 * np.log(2 * np.pi * variance) + (np.array([0.0, 3.0]) - x.mean()) ** 2 / (2 * variance)
    np.testing.assert_allclose(reference.score(np.array([[0.0], [3.0]], dtype=np.float32)), by_hand, rtol=1e-4)


def test_between_two_clouds_is_odder_than_within_one():
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(-5, 1, (100, 2)), random.normal(5, 1, (100, 2))]).astype(np.float32)
    reference = GaussianMixture(GaussianMixtureSettings(), 0)
    reference.fit(x)

    between, within = reference.score(np.array([[0.0, 0.0], [5.0, 5.0]], dtype=np.float32))
    assert between > within + 5
