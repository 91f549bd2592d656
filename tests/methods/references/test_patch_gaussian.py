"""Gaussian patches: every place has a mean and a covariance of its own."""

import numpy as np
import pytest

from ad_core.methods.reference import REFERENCES

CLS = REFERENCES.get("patch_gaussian")


def test_the_distance_is_mahalanobis_at_each_place_with_the_ridge_of_the_source():
    random = np.random.default_rng(0)
    taught = random.normal(size=(50, 1, 2, 3)).astype(np.float16)
    reference = CLS(CLS.Settings(features=3), 0)
    reference.fit(taught)
    odd = random.normal(size=(1, 1, 2, 3)).astype(np.float16)

    found = reference.part_scores(odd)[0]

    for column in range(2):
        rows = taught[:, 0, column].astype(float)
        covariance = np.cov(rows.T) + 0.01 * np.eye(3)
        off = odd[0, 0, column].astype(float) - rows.mean(axis=0)
        assert found[0, column] == pytest.approx(np.sqrt(off @ np.linalg.inv(covariance) @ off), rel=1e-3)


def test_what_is_usual_at_one_place_is_odd_at_another():
    taught = np.zeros((20, 1, 2, 1), dtype=np.float16)
    taught[:, 0, 1] = 9
    taught += np.random.default_rng(1).normal(0, 0.1, taught.shape).astype(np.float16)
    reference = CLS(CLS.Settings(features=1), 0)
    reference.fit(taught)

    swapped = reference.score(taught[:1, :, ::-1])

    assert swapped[0] > 10 * reference.score(taught).max()


def test_fine_grids_are_averaged_down():
    reference = CLS(CLS.Settings(features=2), 0)
    reference.fit(np.random.default_rng(0).random((4, 48, 50, 5)).astype(np.float16))

    assert reference.part_scores(np.ones((2, 48, 50, 5), np.float16)).shape == (2, 24, 25)
