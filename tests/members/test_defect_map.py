"""The map of damage: what is usual at a place, what an image's score is made of, how a map is shown."""

import pytest
import torch

from ad_core.members.defect_map import DefectMap, as_shown, worst_of


def features(n: int = 4) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, 5, 8, 8, generator=generator), 3 + 2 * torch.randn(n, 7, 4, 4, generator=generator)]


def test_features_of_all_depths_are_standardised_on_the_finest_grid():
    model = DefectMap.for_features(features()).learn_scale(features(200))

    x = model.standardised(features(200))

    assert model.grid == (8, 8)
    assert x.shape == (200, 12, 8, 8)
    assert x[:, :5].mean().abs() < 0.02
    assert x[:, 5:].mean().abs() < 0.05
    assert x[:, :5].std() == pytest.approx(1, abs=0.02)


def test_what_is_usual_at_a_place_comes_from_many_images_and_from_everywhere_where_there_are_few():
    """One image says 11 / 11 of nothing: 1 / 11 of its own place and 10 / 11 of the mean over all places."""
    model, logits = DefectMap([1], (1, 2)), torch.tensor([[[2.0, 0.0]]])

    model.learn_usual(logits)

    assert model.usual.flatten().tolist() == pytest.approx([2 / 11 + 10 / 11, 10 / 11])
    model.learn_usual(logits.repeat(10_000, 1, 1))
    assert model.usual.flatten().tolist() == pytest.approx([2, 0], abs=0.01)
    assert model.usual_spread.flatten().tolist() == pytest.approx([0.1, 0.1], abs=0.05)


def test_the_score_is_the_mean_of_the_worst_hundredth():
    maps = torch.zeros(1, 20, 20)
    maps[0, 3, :4] = torch.tensor([1.0, 2.0, 3.0, 6.0])
    maps[0, 5, 5] = -9

    assert worst_of(maps).item() == pytest.approx(3.0)


def test_a_shown_map_has_the_items_size_and_peaks_where_the_damage_is():
    maps = torch.zeros(2, 8, 8)
    maps[0, 6, 1] = 5.0

    shown = as_shown(maps, (64, 64))

    assert shown.shape == (2, 64, 64)
    assert divmod(int(shown[0].argmax()), 64) == pytest.approx((52, 12), abs=2)
    assert not shown[1].any()


def test_a_map_of_a_tiny_item_can_be_shown():
    assert as_shown(torch.ones(1, 2, 2), (16, 16)).shape == (1, 16, 16)
