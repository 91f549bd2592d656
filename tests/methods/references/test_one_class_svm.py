"""The kernel sum of one support vector, and the cap on the rows."""

import numpy as np

from ad_core.methods.references.one_class_svm import OneClassSvm, OneClassSvmSettings


def test_two_rows_that_both_support_give_the_sum_of_their_kernels():
    """Their weights add up to nu * 2 = 1, and are equal; gamma = 1 / (1 entry * variance 1)."""
    reference = OneClassSvm(OneClassSvmSettings(), 0)
    reference.fit(np.array([[-1.0], [1.0]], dtype=np.float32))

    by_hand = -np.array([2 * np.exp(-1.0), 1 + np.exp(-4.0)]) / 2
    np.testing.assert_allclose(reference.score(np.array([[0.0], [1.0]], dtype=np.float32)), by_hand, rtol=1e-6)


def test_no_more_rows_are_fitted_than_the_setting_says():
    reference = OneClassSvm(OneClassSvmSettings(rows=50, nu=0.9), 0)
    reference.fit(np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32))

    assert 45 <= len(reference.machine.support_) <= 50
