"""Contrast of views: the loss and the distance worked out by hand, and what is found."""

import math

import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.simclr import Simclr, _nt_xent
from ad_core.types import Batch, Draw
from tests.methods.pretexts import odd_images

CLS = PRETEXTS.get("simclr")


def untrained(*size: int, **settings: float) -> Simclr:
    shape = odd_images.shape(*size)
    return CLS(CLS.Settings(**settings), shape, build_encoder("residual_image", shape)).eval()


def test_the_loss_by_hand():
    """Two images, views of one direction each, at right angles: e^2 for the other view, 1 for each of the strangers."""
    z = torch.tensor([[3.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 2.0]])

    assert _nt_xent(z, 0.5).tolist() == pytest.approx([math.log(math.exp(2) + 2) - 2] * 2, rel=1e-5)


def test_the_loss_is_equation_1():
    z = torch.randn(10, 4)

    found = _nt_xent(z, 0.3)

    unit = z.numpy() / np.linalg.norm(z.numpy(), axis=1, keepdims=True)
    e = np.exp(unit @ unit.T / 0.3)
    losses = [-math.log(e[i, (i + 5) % 10] / (e[i].sum() - e[i, i])) for i in range(10)]
    assert found.tolist() == pytest.approx([(losses[i] + losses[i + 5]) / 2 for i in range(5)], rel=1e-4)


def test_views_that_are_copies_find_each_other():
    """Without disturbances the other view is the image itself; at a low temperature nothing else comes near."""
    task = untrained(1, 16, 16, least_crop=1.0, colour=0.0, mirrored=0.0, temperature=0.001)
    x = torch.stack([torch.zeros(1, 16, 16), torch.eye(16)[None], torch.ones(1, 16, 16) * (torch.arange(16) % 2)])

    with torch.no_grad():
        assert task.loss(Batch(x), Draw.per_item(0)).max() < 0.01
        assert untrained(1, 16, 16).loss(Batch(x[:1]), Draw.per_item(0)).item() == 0  # there is nobody else


def test_the_score_is_the_mahalanobis_distance_of_the_images_that_taught():
    task, x = untrained(3, 16, 16), torch.rand(40, 3, 16, 16)

    with torch.no_grad():
        task.finish([Batch(x[:15]), Batch(x[15:])])
        z, score = task.embed(x).double().numpy(), task.score(x[:5], Draw.shared(0))

    assert np.linalg.norm(z, axis=1) == pytest.approx(np.ones(40), rel=1e-5)
    off = z - z.mean(0)
    inverse = np.linalg.inv(ledoit_wolf(off, assume_centered=True)[0])
    # what is added to the covariance so that it has an inverse, and single precision
    assert score.tolist() == pytest.approx(np.sqrt(np.einsum("nd,de,ne->n", off, inverse, off))[:5], rel=1e-3)


def test_a_picture_of_another_kind_scores_higher():
    """Stripes that lie instead of stand; no view is turned."""
    task, x = odd_images.taught(CLS, odd_images.striped(128, 0), steps=60), odd_images.striped(40, 1)

    assert odd_images.auroc(task, x, x.mT) > 0.95
