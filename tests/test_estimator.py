"""The scikit-learn interface passes scikit-learn's own suite by every kind of method, and finds an outlier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from ad_core.estimator import AnomalyDetector
from ad_core.training.catalogue import DEFAULT_METHOD

QUICK = {"training": {"max_steps": 30}}


@parametrize_with_checks(
    [
        AnomalyDetector(),
        AnomalyDetector("masked_cells", settings=QUICK),
        AnomalyDetector("autoencoder", scorer="gaussian", settings=QUICK),
        AnomalyDetector("isolation_forest"),
    ]
)
@pytest.mark.slow
def test_it_passes_the_suite_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def clouds() -> np.ndarray:
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(400, 2))
    return latent @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(400, 6))


def test_the_default_is_the_one_of_training():
    assert AnomalyDetector().pretext == DEFAULT_METHOD


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("balanced", None),
        ("auto", {"pretext": {"task": "masked_cells", "steps": 30}}),
        ("masked_cells", QUICK),
        ("mahalanobis", None),
        ("nearest_neighbours", {"pretext": {"neighbours": 3}}),
    ],
)
def test_far_rows_are_outliers_and_most_training_rows_are_not(method, settings, clouds):
    detector = AnomalyDetector(method, settings=settings, alpha=0.05).fit(clouds)

    assert (detector.predict(np.full((3, 6), 25.0)) == -1).all()
    assert (detector.predict(clouds) == 1).mean() > 0.85


def test_the_same_seed_gives_the_same_scores(clouds):
    detector = AnomalyDetector("masked_cells", settings=QUICK, random_state=3)

    again = clone(detector).fit(clouds).score_samples(clouds)

    np.testing.assert_array_equal(detector.fit(clouds).score_samples(clouds), again)


def test_about_the_chosen_share_of_new_normal_rows_are_outliers(clouds):
    detector = AnomalyDetector(alpha=0.1).fit(clouds[:200])

    share = (detector.predict(clouds[200:]) == -1).mean()

    assert 0.03 <= share <= 0.17  # 0.1, and two standard errors of 200 new rows and as many for the threshold


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pretext": "ballanced"}, "There is no method 'ballanced' for table data. There is: auto, balanced"),
        ({"pretext": "rotation"}, "'rotation' does not work on table data"),
        ({"settings": QUICK}, "Leave training out, or choose a pretext task"),
        ({"scorer": "gaussian"}, "Leave the scorer out"),
        ({"pretext": "mahalanobis", "settings": {"pretext": {"no_such": 1}}}, "no setting pretext.no_such"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused_with_a_sentence(arguments, message, clouds):
    with pytest.raises(ValueError, match=message):
        AnomalyDetector(**arguments).fit(clouds)


def test_a_share_that_is_none_is_refused(clouds):
    with pytest.raises(ValueError, match="alpha"):
        AnomalyDetector(alpha=1.5).fit(clouds)


@pytest.mark.parametrize("method", ["balanced", "masked_cells", "nearest_neighbours"])
def test_a_constant_column_that_moves_and_values_far_outside_are_outliers_by_how_far_they_are(method, clouds):
    x = np.column_stack([clouds, np.full(len(clouds), 0.1 + 0.2), np.full(len(clouds), 7.0)])
    detector = AnomalyDetector(method, settings=QUICK if method == "masked_cells" else None).fit(x)
    rows = np.repeat(x[:1], 7, axis=0)
    rows[1, 6] = 0.3  # another rounding
    rows[[2, 3], 7] = [7.5, 5000]
    rows[[4, 5, 6], 0] = np.array([1e2, 1e6, 1e200]) * x[:, 0].std()

    found = detector.score_samples(rows)

    assert found[1] == pytest.approx(found[0])
    assert found[3] < found[2] < np.quantile(detector.score_samples(x), 0.02)
    assert found[6] < found[5] < found[4]
