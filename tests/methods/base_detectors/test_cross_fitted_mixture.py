"""Gaussian mixtures per fold: the densities of scikit-learn, and none of a row by a mixture that it shaped."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from ad_core.methods.base_detectors.cross_fitted_mixture import FOLDS, CrossFittedMixture
from ad_core.methods.references.gaussian_mixture import GaussianMixture as Reference
from ad_core.methods.references.gaussian_mixture import GaussianMixtureSettings

SEED = 3


def two_groups(n: int = 100, d: int = 3) -> np.ndarray:
    random = np.random.default_rng(0)
    x = random.normal(size=(n, d)) @ random.normal(size=(d, d))
    x[: n // 2] += 5
    return x.astype(np.float32)


def folds(n: int) -> list[np.ndarray]:
    return np.array_split(np.random.default_rng(SEED).permutation(n), FOLDS)


def test_a_row_has_the_density_of_a_mixture_of_the_other_folds_and_a_new_row_the_mean_of_all():
    """100 rows: 75 in each fit, so 3 clouds of at least 20 rows."""
    x, new = two_groups(), np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
    wanted, of_new = np.zeros(100), []
    for fold in folds(100):
        mixture = GaussianMixture(3, reg_covar=1e-2, random_state=SEED, max_iter=50).fit(
            np.delete(x, fold, 0).astype(np.float64)
        )
        wanted[fold] = -mixture.score_samples(x[fold])
        of_new.append(-mixture.score_samples(new))

    member, left_out = CrossFittedMixture.of(x, SEED)

    np.testing.assert_allclose(left_out, wanted, rtol=1e-4, atol=1e-3)  # float32 against float64
    np.testing.assert_allclose(member(torch.from_numpy(new)), np.mean(of_new, 0), rtol=1e-4, atol=1e-3)


def test_a_lone_row_is_scored_as_it_would_be_had_it_not_taught():
    """Three of the four mixtures have a cloud near it; the one that counts has not."""
    x = two_groups()
    x[60] = 40

    member, left_out = CrossFittedMixture.of(x, SEED)

    by_all = member(torch.from_numpy(x[60:61])).item()
    assert left_out[60] > 2 * by_all
    assert left_out.argmax() == 60


def test_wide_rows_have_the_density_of_the_reference_on_their_leading_directions():
    x = two_groups(80, 110)
    wanted = np.zeros(80)
    for fold in folds(80):
        reference = Reference(GaussianMixtureSettings(), SEED)
        reference.fit(np.delete(x, fold, 0))
        wanted[fold] = reference.score(x[fold])

    _, left_out = CrossFittedMixture.of(x, SEED)

    np.testing.assert_allclose(left_out, wanted, rtol=1e-3)  # float32 against float64 over 110 entries


@pytest.mark.parametrize("n", [1, 2, 5])
def test_very_few_rows_give_finite_scores_that_rise_with_distance(n):
    member, left_out = CrossFittedMixture.of(two_groups()[:n], SEED)

    assert np.isfinite(left_out).all()
    assert (member(torch.tensor([[10.0], [30.0], [100.0]]).expand(3, 3)).diff() > 0).all()


def test_it_is_restored_from_its_state():
    member, other = CrossFittedMixture.of(two_groups(80, 110), SEED)[0], CrossFittedMixture()
    other.load_state_dict(member.state_dict())

    x = torch.from_numpy(two_groups(8, 110)) + 0.3
    torch.testing.assert_close(other(x), member(x))
