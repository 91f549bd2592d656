"""Distances of stretches, worked out by hand and against plain loops."""

import numpy as np
import pytest
import torch

from ad_core.methods.base_detectors import subsequence_neighbours
from ad_core.methods.base_detectors.subsequence_neighbours import SubsequenceNeighbours

NOT = torch.tensor([False, False])


def courses(n: int = 40, time: int = 64) -> torch.Tensor:
    random = np.random.default_rng(0)
    phase = random.random((n, 1, 1))
    x = np.sin(2 * np.pi * (4 * np.arange(time) / time + phase)) + 0.1 * random.normal(size=(n, 2, time))
    return torch.from_numpy(x).float()


def test_a_stretch_is_seen_as_sixteen_means_and_the_distance_is_the_mean_over_five_neighbours():
    bank, x = courses(), courses(3) + 0.5
    member = SubsequenceNeighbours.of(bank, NOT, span=64, whitened=False)

    means = [w.reshape(2, 16, 4).mean(2).flatten() for w in bank]
    by_hand = [
        torch.stack([(means_of - m).norm() for m in means]).sort().values[:5].mean()
        for means_of in (w.reshape(2, 16, 4).mean(2).flatten() for w in x)
    ]

    torch.testing.assert_close(member(x), torch.stack(by_hand)[:, None].expand(-1, 64), rtol=1e-5, atol=1e-5)


def test_every_sample_has_the_mean_of_the_stretches_that_cover_it():
    """A spike in the last eighth of the window is only in the last stretches of a quarter of its length."""
    member = SubsequenceNeighbours.of(courses(), NOT, span=16, whitened=False)
    x = courses(1)
    x[0, 0, -6:] += 8

    over = member(x)[0] - member(courses(1))[0]

    assert over[:40].abs().max() < 1e-4
    assert over[-4:].min() > 1


def test_channels_that_are_compared_by_shape_may_have_any_level():
    member = SubsequenceNeighbours.of(courses(), torch.tensor([True, False]), span=64, whitened=False)
    x = courses(4)
    moved = x.clone()
    moved[:, 0] += 7
    other = x.clone()
    other[:, 1] += 7

    torch.testing.assert_close(member(moved), member(x), rtol=1e-4, atol=1e-4)
    assert (member(other) > member(x) + 1).all()


def test_whitened_distances_do_not_depend_on_the_unit_of_a_channel():
    """Twice the noise in a direction counts half; the ridge of 1 % is what is left of the difference."""
    x, bank = courses(5), courses(400)
    scale = torch.tensor([1.0, 50.0])[:, None]

    plain = SubsequenceNeighbours.of(bank, NOT, 64, whitened=True)(x)
    scaled = SubsequenceNeighbours.of(bank * torch.tensor([50.0, 50.0])[:, None], NOT, 64, whitened=True)(x * 50)
    uneven = SubsequenceNeighbours.of(bank * scale, NOT, 64, whitened=False)(x * scale)

    torch.testing.assert_close(scaled, plain, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(uneven, plain, rtol=0.5)


def test_a_window_of_the_bank_is_not_its_own_neighbour():
    bank = courses()
    member = SubsequenceNeighbours.of(bank, NOT, 64, whitened=False)

    assert member(bank).min() > 0.01


def test_very_many_stretches_are_thinned_out_evenly(monkeypatch):
    monkeypatch.setattr(subsequence_neighbours, "BANK", 10)

    member = SubsequenceNeighbours.of(courses(40), NOT, 64, whitened=False)

    assert member.bank.shape == (10, 32)


@pytest.mark.parametrize("whitened", [False, True])
def test_constant_channels_and_single_windows_are_finite(whitened):
    member = SubsequenceNeighbours.of(torch.zeros(1, 2, 32), NOT, 16, whitened)

    assert member(torch.full((2, 2, 32), 20.0)).isfinite().all()


def test_the_nearest_windows_come_back_at_the_level_of_the_window():
    bank = courses()
    x = bank[:1].clone()
    x[:, 0] += 5

    found = SubsequenceNeighbours.of(bank, torch.tensor([True, True]), 64, whitened=False).nearest(x)

    assert found.shape == (1, 5, 2, 64)
    torch.testing.assert_close(found.mean((1, 3))[0], x.mean(2)[0], rtol=0.05, atol=0.05)
