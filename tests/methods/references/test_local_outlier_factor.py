"""Factors worked out by hand on a line."""

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor as Factor

from ad_core.methods.references.local_outlier_factor import LocalOutlierFactor, LocalOutlierFactorSettings

LINE = np.array([[0.0], [1.0], [3.0]], dtype=np.float32)


def test_score_is_the_ratio_of_densities():
    """With one neighbour: 0 and 1 are each other's, 3's is 1. Reachability 1, 1, 2; densities 1, 1, 1/2."""
    reference = LocalOutlierFactor(LocalOutlierFactorSettings(neighbours=1), 0)
    reference.fit(LINE)

    np.testing.assert_allclose(reference.score(LINE), [1.0, 1.0, 2.0], rtol=1e-6)
    assert reference.score(np.array([[5.0]], dtype=np.float32))[0] == pytest.approx(1.0)  # 2 from 3, as 3 is from 1


def test_a_fitted_row_gets_the_factor_that_leaves_itself_out():
    x = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    reference = LocalOutlierFactor(LocalOutlierFactorSettings(), 0)
    reference.fit(x)

    np.testing.assert_allclose(
        reference.score(x), -Factor(n_neighbors=20).fit(x.astype(float)).negative_outlier_factor_
    )


@pytest.mark.parametrize("copies", [21, 60, 400])
def test_many_equal_rows_do_not_hide_an_outlier(copies):
    """More equal rows than neighbours have an infinite density, so that rows beside them would score billions."""
    x = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    x[:copies] = x[0]
    x[-1] = [6, 6, -6, 6]
    reference = LocalOutlierFactor(LocalOutlierFactorSettings(), 0)
    reference.fit(x)

    scores = reference.score(x)

    assert scores.argmax() == len(x) - 1
    assert scores.max() < 100
    assert np.ptp(scores[:copies]) == 0
    assert scores[0] < np.median(scores) + 1  # its copies are still there without it


def test_nothing_but_equal_rows_is_scored_by_the_distance_from_them():
    reference = LocalOutlierFactor(LocalOutlierFactorSettings(), 0)
    reference.fit(np.ones((50, 2), dtype=np.float32))

    np.testing.assert_allclose(reference.score(np.array([[1, 1], [1, 4]], dtype=np.float32)), [0, 3])
