"""Errors of rebuilt images, on paper."""

import pytest
import torch

from ad_core.methods.losses.reconstruction_error import colour_scale, smoothed, worst_mean
from ad_core.types import Batch


def test_the_scale_is_that_of_all_pixels_per_colour():
    x = torch.rand(10, 3, 6, 5) * torch.tensor([1.0, 0.5, 0.1])[:, None, None]

    centre, spread = colour_scale([Batch(x[:7]), Batch(x[7:])])

    assert centre.shape == spread.shape == (3, 1, 1)
    torch.testing.assert_close(centre.flatten(), x.mean((0, 2, 3)))
    torch.testing.assert_close(spread.flatten(), x.std((0, 2, 3), correction=0))


def test_a_colour_that_never_varies_gets_a_scale_of_a_hundredth():
    assert colour_scale([Batch(torch.full((2, 1, 4, 4), 0.5))])[1].item() == pytest.approx(0.01)


def test_smoothing_keeps_the_mean_of_a_flat_map_and_spreads_a_point():
    assert torch.equal(smoothed(torch.ones(1, 16, 16)), torch.ones(1, 16, 16))
    point = torch.zeros(1, 16, 16)
    point[0, 8, 8] = 81.0

    found = smoothed(point)[0]

    assert found[8, 8] == pytest.approx(9.0)
    assert found[8, 10] == pytest.approx(3.0)
    assert found[8, 11] == 0


def test_the_worst_are_averaged_and_one_at_least():
    errors = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[8.0, 6.0], [7.0, 5.0]]])

    assert worst_mean(errors, 0.5).tolist() == [3.5, 7.5]
    assert worst_mean(errors, 0.01).tolist() == [4.0, 8.0]
    assert worst_mean(errors, 1.0).tolist() == [2.5, 6.5]


def test_the_worst_of_a_map_is_the_mean_of_its_worst_hundredth():
    maps = torch.zeros(1, 20, 20)
    maps[0, 3, :4] = torch.tensor([1.0, 2.0, 3.0, 6.0])
    maps[0, 5, 5] = -9

    assert worst_mean(maps, 0.01).item() == pytest.approx(3.0)
