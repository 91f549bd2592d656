"""The scikit-learn face passes scikit-learn's own suite, and finds an outlier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from ad_core.estimator import AnomalyDetector

QUICK = {"training": {"max_steps": 30}}


@parametrize_with_checks(
    [AnomalyDetector(settings=QUICK), AnomalyDetector("autoencoder", scorer="gaussian", settings=QUICK)]
)
@pytest.mark.slow
def test_it_passes_the_suite_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def clouds() -> np.ndarray:
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(400, 2))
    return latent @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(400, 6))


def test_far_rows_are_outliers_and_most_training_rows_are_not(clouds):
    detector = AnomalyDetector(settings=QUICK, alpha=0.05).fit(clouds)

    assert (detector.predict(np.full((3, 6), 25.0)) == -1).all()
    assert (detector.predict(clouds) == 1).mean() > 0.85


def test_the_same_seed_gives_the_same_scores(clouds):
    detector = AnomalyDetector(settings=QUICK, random_state=3)

    again = clone(detector).fit(clouds).score_samples(clouds)

    np.testing.assert_array_equal(detector.fit(clouds).score_samples(clouds), again)


def test_a_share_that_is_none_is_refused(clouds):
    with pytest.raises(ValueError, match="alpha"):
        AnomalyDetector(alpha=1.5).fit(clouds)
