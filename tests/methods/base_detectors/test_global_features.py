"""Distances to the most similar normal images, by hand."""

import pytest
import torch

from ad_core.methods.base_detectors.global_features import GlobalFeatures, pooled


def test_the_score_is_one_minus_the_mean_cosine_to_the_nearest(monkeypatch):
    monkeypatch.setattr("ad_core.methods.base_detectors.global_features.NEIGHBOURS", 2)
    bank = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])

    found = GlobalFeatures.of(bank)(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))

    assert found.tolist() == pytest.approx([1 - (1 + 0.6) / 2, 1 - (0 - 0.6) / 2])


def test_a_lonely_image_is_compared_with_the_only_one():
    assert GlobalFeatures.of(torch.tensor([[1.0, 0.0]]))(torch.tensor([[0.0, 1.0]])).tolist() == [1.0]


def test_every_depth_counts_the_same_whatever_its_scale():
    small, large = torch.rand(2, 3, 4, 4), torch.rand(2, 5, 2, 2)

    found, louder = pooled([small, large]), pooled([small, 100 * large])

    assert found.shape == (2, 8)
    torch.testing.assert_close(found, louder)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
