"""What is usual at each place: Gaussians of features, and of maps, worked out by hand."""

import numpy as np
import pytest
import torch

from ad_core.methods.base_detectors.patch_gaussians import RIDGE, PatchGaussians, PositionStatistics


def test_the_distance_is_mahalanobis_with_a_covariance_drawn_towards_that_of_all_places():
    generator = torch.Generator().manual_seed(0)
    taught = torch.randn(40, 3, 1, 2, generator=generator) * torch.tensor([1.0, 2.0])[None, None, None]
    model = PatchGaussians.of([taught], batch=40)
    odd = torch.tensor([1.0, -2.0, 0.5])[None, :, None, None].expand(1, 3, 1, 2)

    found = model([odd])[0, 0]

    z = (taught / taught.std((0, 2, 3), correction=0)[:, None, None]).numpy()
    covariances = [np.cov(z[:, :, 0, place].T, bias=True) for place in range(2)]
    for place in range(2):
        covariance = 40 / 43 * covariances[place] + 3 / 43 * np.mean(covariances, axis=0) + RIDGE * np.eye(3)
        off = odd[0, :, 0, 0].numpy() / taught.std((0, 2, 3), correction=0).numpy() - z[:, :, 0, place].mean(axis=0)
        assert found[place].item() == pytest.approx(np.sqrt(off @ np.linalg.inv(covariance) @ off / 3), rel=1e-3)


def test_batches_make_no_difference_but_for_the_scale():
    taught = torch.randn(64, 5, 2, 2, generator=torch.Generator().manual_seed(1))

    one, many = PatchGaussians.of([taught], batch=64)([taught]), PatchGaussians.of([taught], batch=16)([taught])

    torch.testing.assert_close(one, many, rtol=0.03, atol=0.03)


def test_the_distance_has_a_gradient_even_at_the_mean():
    model = PatchGaussians.of([torch.zeros(4, 2, 1, 1)])
    x = torch.zeros(1, 2, 1, 1, requires_grad=True)

    model([x]).sum().backward()

    assert x.grad.isfinite().all()


def test_a_file_restores_it_whatever_its_sizes():
    taught = torch.randn(20, 3, 2, 2, generator=torch.Generator().manual_seed(2))
    model, other = PatchGaussians.of([taught]), PatchGaussians()

    other.load_state_dict(model.state_dict())

    assert torch.equal(other([taught]), model([taught]))


def test_what_is_usual_comes_from_the_place_and_from_everywhere_where_there_are_few_images():
    """One image says 11 / 11 of nothing: 1 / 11 of its own place and 10 / 11 of the mean over all places."""
    usual, maps = PositionStatistics((1, 2)), torch.tensor([[[2.0, 0.0]]])

    usual.learn(maps)

    assert usual.mean.flatten().tolist() == pytest.approx([2 / 11 + 10 / 11, 10 / 11])
    usual.learn(maps.repeat(10_000, 1, 1))
    assert usual.mean.flatten().tolist() == pytest.approx([2, 0], abs=0.01)
    assert usual(maps).flatten().tolist() == pytest.approx([0, 0], abs=0.05)
