"""Distances to a bank of normal items, worked out by hand."""

import pytest
import torch

from ad_core.methods.pretext import Pretext
from ad_core.methods.scorers.nearest_normals import NearestNormals, NearestNormalsSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items


class Identity(Pretext):
    """The item is its own embedding; each pixel of an image is a patch."""

    modalities = frozenset(Modality)

    def loss(self, batch, draw):
        return batch.x.flatten(1).mean(1)

    def score(self, x, draw):
        return x.flatten(1).mean(1)

    def embed(self, x):
        return x.flatten(1)

    def embed_parts(self, x):
        return x.flatten(2).mT if self.shape.modality is Modality.IMAGE else None


class Grid(torch.nn.Module):
    grid = (2, 2)


def identity(modality: Modality) -> Identity:
    return Identity(None, items.shape(modality), Grid())


def fitted(rows: torch.Tensor, modality: Modality = Modality.TABLE, **settings) -> NearestNormals:
    scorer = NearestNormals(NearestNormalsSettings(**settings))
    scorer.fit(identity(modality), [Batch(part) for part in rows.split(2)])
    return scorer


BANK = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
"""Standard deviations: sqrt(1/2) and sqrt(2)."""


def test_score_is_the_mean_distance_in_standard_deviations():
    scorer = fitted(BANK, neighbours=2)

    score = scorer(identity(Modality.TABLE), torch.tensor([[3.0, 0.0]]), Draw.shared(0))

    near, next_nearest = 2 / 0.5**0.5, (18 + 2) ** 0.5  # to (1, 0), and to (0, 2) or (0, -2)
    assert score.item() == pytest.approx((near + next_nearest) / 2, rel=1e-5)


def test_fewer_normal_items_than_neighbours_are_all_used():
    score = fitted(BANK, neighbours=50)(identity(Modality.TABLE), torch.zeros(1, 2), Draw.shared(0))

    assert score.item() == pytest.approx(2**0.5, rel=1e-5)


def test_a_dimension_that_never_varies_counts_as_it_is():
    bank = torch.tensor([[1.0, 5.0], [-1.0, 5.0]])

    score = fitted(bank, neighbours=1)(identity(Modality.TABLE), torch.tensor([[1.0, 8.0]]), Draw.shared(0))

    assert score.item() == pytest.approx(3.0)


def test_gradient_points_away_from_the_neighbours():
    x = torch.tensor([[3.0, 0.0]], requires_grad=True)

    fitted(BANK, neighbours=1)(identity(Modality.TABLE), x, Draw.shared(0)).sum().backward()

    torch.testing.assert_close(x.grad, torch.tensor([[2**0.5, 0.0]]))


def test_images_are_compared_patch_by_patch_and_the_worst_one_counts():
    images = torch.zeros(2, 1, 2, 2)
    images[1] = 2.0  # patches are 0 or 2: standard deviation 1
    odd = torch.zeros(1, 1, 2, 2)
    odd[0, 0, 1, 0] = 7.0
    scorer = fitted(images, Modality.IMAGE, neighbours=1)

    maps = scorer.part_scores(identity(Modality.IMAGE), odd, Draw.shared(0))

    torch.testing.assert_close(maps, torch.tensor([[[0.0, 0.0], [5.0, 0.0]]]), rtol=0, atol=1e-5)
    assert scorer(identity(Modality.IMAGE), odd, Draw.shared(0)).item() == pytest.approx(5.0)


def test_whole_images_are_compared_if_asked_for():
    scorer = fitted(torch.rand(8, 1, 2, 2), Modality.IMAGE, patches=False)

    assert scorer.part_scores(identity(Modality.IMAGE), torch.rand(1, 1, 2, 2), Draw.shared(0)) is None
    assert scorer.normal.bank.shape == (8, 4)


def test_the_bank_is_no_larger_than_set_and_many_queries_are_cut_into_pieces():
    scorer = fitted(torch.randn(500, 2), bank=100)
    x = torch.randn(3000, 2)

    scores = scorer(identity(Modality.TABLE), x, Draw.shared(0))

    assert scorer.normal.bank.shape == (100, 2)
    exact = (
        torch.cdist(x.double() / scorer.normal.spread.double(), scorer.normal.bank.double())
        .sort(1)
        .values[:, :5]
        .mean(1)
    )
    torch.testing.assert_close(scores.double(), exact, rtol=1e-4, atol=1e-5)
