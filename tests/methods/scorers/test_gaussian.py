"""The Mahalanobis distance against its definition."""

import numpy as np
import torch
from sklearn.covariance import LedoitWolf

from ad_core.methods.scorers.gaussian import Gaussian, GaussianSettings
from ad_core.types import Batch, Draw, Modality
from tests.methods.scorers.test_nearest_normals import identity

TASK = identity(Modality.TABLE)


def fitted(rows: torch.Tensor) -> Gaussian:
    scorer = Gaussian(GaussianSettings())
    scorer.fit(TASK, [Batch(part) for part in rows.split(100)])
    return scorer


def test_score_is_the_mahalanobis_distance_with_ledoit_wolf_covariance():
    rows = torch.randn(300, 4, generator=torch.Generator().manual_seed(0)) @ torch.diag(
        torch.tensor([1.0, 2.0, 5.0, 0.1])
    )
    x = torch.randn(5, 4)
    wanted = LedoitWolf().fit(rows.double().numpy())

    scores = fitted(rows)(TASK, x, Draw.shared(0))

    np.testing.assert_allclose(scores.numpy(), np.sqrt(wanted.mahalanobis(x.double().numpy())), rtol=1e-4)


def test_the_mean_scores_0_and_the_distance_grows_evenly_along_a_line():
    scorer = fitted(torch.randn(200, 3, generator=torch.Generator().manual_seed(1)))
    step = torch.tensor([[0.3, -0.2, 0.5]])

    scores = scorer(TASK, torch.cat([scorer.normal.mean + k * step for k in range(4)]), Draw.shared(0))

    np.testing.assert_allclose(scores.numpy() / scores[1].item(), [0, 1, 2, 3], atol=1e-3)


def test_identical_normal_items_still_give_finite_scores_that_grow_with_distance():
    scorer = fitted(torch.ones(20, 3))

    scores = scorer(TASK, torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 1.1], [1.0, 1.0, 2.0]]), Draw.shared(0))

    assert scores.isfinite().all()
    assert scores[0] < scores[1] < scores[2]
