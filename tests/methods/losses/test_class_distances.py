"""Distances from classes, by hand."""

import torch

from ad_core.methods.losses.class_distances import ClassDistances


def test_squares_are_measured_from_the_class_turned_alike_in_its_own_spread():
    """Class 0 lies around 0, class 1 around 10; turned, both have ten times the spread (200 items each)."""
    generator = torch.Generator().manual_seed(0)
    cls = torch.arange(400) % 2
    z = torch.randn(400, 2, 2, generator=generator) * torch.tensor([1.0, 10.0])[:, None] + 10 * cls[:, None, None]
    distances = ClassDistances()
    distances.learn(cls, None, z, with_probe=True)

    found = distances.squares(torch.tensor([[[3.0, 0.0], [30.0, 0.0]]]))  # 3 standard deviations from class 0

    assert found.shape == (1, 2, 2)
    torch.testing.assert_close(found[0, 0], torch.tensor([9.0, 9.0]), rtol=0.25, atol=0)  # spreads of 200 items
    assert found[0, 1, 0] > 100  # 7 and 10 standard deviations from class 1
    assert found[0, 1, 1] < 10


def test_lengths_are_measured_in_the_spread_of_their_class():
    """Lengths 1 and 3: mean 2, standard deviation 1."""
    distances = ClassDistances()
    distances.learn(torch.zeros(4), torch.tensor([1.0, 3.0, 1.0, 3.0]), torch.randn(4, 1, 2), with_probe=False)

    torch.testing.assert_close(
        distances.squares_of_length(torch.tensor([2.0, 5.0]))[:, 0, 0], torch.tensor([0.0, 9.0]), rtol=1e-3, atol=1e-3
    )


def test_an_item_is_nearest_to_the_way_in_which_it_is_turned():
    """Turned items lie around (5, 0) where upright ones lie around 0: each question's right answer is nearest."""
    z = torch.randn(200, 2, 2, generator=torch.Generator().manual_seed(0)) * 0.5 + torch.tensor([[0.0, 0], [5, 0]])
    distances = ClassDistances()
    distances.learn(torch.arange(200) % 3, None, z, with_probe=True)

    nearest = distances.nearnesses(z).argmax(2)

    assert (nearest == torch.arange(2)).float().mean() > 0.99
