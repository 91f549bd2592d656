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
