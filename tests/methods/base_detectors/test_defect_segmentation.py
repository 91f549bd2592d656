"""The map of damage: how features are joined, how a map is shown."""

import pytest
import torch
from torch.nn import functional as F

from ad_core.methods.base_detectors.defect_segmentation import DefectSegmentation, as_shown
from ad_core.methods.networks.imagenet_features import on_one_grid


def features(n: int = 4) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    fine, coarse = (n, 5, 8, 8), (n, 7, 4, 4)
    return [
        torch.randn(fine, generator=generator),
        3 + 2 * torch.randn(coarse, generator=generator),
        torch.randn(coarse, generator=generator),
    ]


def test_features_of_all_depths_are_standardised():
    model = DefectSegmentation.for_features(features()).learn_scale(features(200))

    found = model.standardised(features(200))

    assert model.grid == (8, 8)
    assert [tuple(part.shape) for part in found] == [(200, 5, 8, 8), (200, 7, 4, 4), (200, 7, 4, 4)]
    for part in found:
        assert part.mean().abs() < 1e-4
        assert part.std().item() == pytest.approx(1, abs=1e-3)


def test_channels_are_mixed_on_the_coarse_grid_as_if_it_were_the_fine_one():
    model, found = DefectSegmentation.for_features(features()).eval(), features()
    whole = torch.cat([mix.weight for mix in model.inwards], 1)

    with torch.no_grad():
        logits, expected = model.judged(found), model.head(F.conv2d(on_one_grid(found), whole))[:, 0]

    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_shown_map_has_the_items_size_and_peaks_where_the_damage_is():
    maps = torch.zeros(2, 8, 8)
    maps[0, 6, 1] = 5.0

    shown = as_shown(maps, (64, 64))

    assert shown.shape == (2, 64, 64)
    assert divmod(int(shown[0].argmax()), 64) == pytest.approx((52, 12), abs=2)
    assert not shown[1].any()


def test_a_map_of_a_tiny_item_can_be_shown():
    assert as_shown(torch.ones(1, 2, 2), (16, 16)).shape == (1, 16, 16)
