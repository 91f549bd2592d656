"""The small backbone that is trained on the images alone."""

import torch

from ad_core.members.own_features import OwnFeatures


def test_two_depths_at_a_quarter_and_an_eighth_of_the_size():
    shapes = [tuple(f.shape) for f in OwnFeatures(3, 64)(torch.rand(2, 3, 64, 64))]

    assert shapes == [(2, 48, 16, 16), (2, 64, 8, 8)]


def test_large_images_are_halved_first():
    shapes = [tuple(f.shape[2:]) for f in OwnFeatures(1, 160)(torch.rand(1, 1, 160, 160))]

    assert shapes == [(20, 20), (10, 10)]


def test_features_know_nothing_of_the_rest_of_the_batch():
    network, x = OwnFeatures(1, 32).train(), torch.rand(4, 1, 32, 32)

    alone, together = network(x[:1])[1], network(x)[1][:1]

    torch.testing.assert_close(alone, together, rtol=1e-5, atol=1e-5)
