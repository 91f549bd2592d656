"""Compactness: the centre, the loss and the score, worked out by hand, and what keeps it from collapsing."""

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.deep_svdd import DeepSvddSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained
from tests.methods.pretexts import odd_rows

CLS = PRETEXTS.get("deep_svdd")


def rows(*pairs: tuple[float, float]) -> torch.Tensor:
    """Rows of which only the first two entries matter."""
    return torch.tensor([[a, b, 0, 0, 0, 0, 0] for a, b in pairs])


@pytest.fixture
def plain():
    """Without a network: an item is mapped to its first two entries."""
    shape = items.shape(Modality.TABLE)
    task = CLS(DeepSvddSettings(size=2, least_spread=0.5, spread_weight=3.0), shape, build_encoder("flat", shape))
    with torch.no_grad():
        task.head.weight.copy_(torch.eye(2, 7))
    return task


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.TABLE, steps=300).task


def test_the_centre_is_the_mean_embedding_of_all_batches(plain):
    with torch.no_grad():
        plain.prepare([Batch(rows((1.0, -4.0), (2.0, -2.0))), Batch(rows((6.0, 0.0)))])

    torch.testing.assert_close(plain.centre, torch.tensor([3.0, -2.0]))
    torch.testing.assert_close(plain.spread, torch.tensor([(14 / 3) ** 0.5, (8 / 3) ** 0.5]))


def test_no_coordinate_of_the_centre_is_too_easy_to_reach(plain):
    with torch.no_grad():
        plain.prepare([Batch(rows((0.02, -0.03), (0.04, -0.05)))])

    torch.testing.assert_close(plain.centre, torch.tensor([0.1, -0.1]))


def test_the_loss_is_the_squared_distance_and_what_the_spread_lacks(plain):
    """Spread before training 2 and 1, so at least 1 and 0.5; now it is 0.5 and 1: lacking is half of the first."""
    plain.centre, plain.spread = torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0])

    with torch.no_grad():
        loss = plain.loss(Batch(rows((1.0, 3.0), (2.0, 5.0))), Draw.per_item(0))

    torch.testing.assert_close(loss, torch.tensor([1.0, 10.0]) / 5 + 3 * (0.5 + 0) / 2)


def test_the_score_is_in_units_of_the_usual_distance_and_counts_what_lies_beyond_6(plain):
    plain.centre = torch.tensor([1.0, 2.0])
    with torch.no_grad():
        plain.finish([Batch(rows((1.0, 3.0))), Batch(rows((2.0, 2.0), (3.0, 2.0)))])  # 1, 1 and 4: 2 on average

        score = plain.score(rows((3.0, 4.0), (10.0, 2.0), (0.0, -9.0)), Draw.shared(0))

    torch.testing.assert_close(score, torch.tensor([8 / 2, 25 / 2 + 16, 65 / 2 + 9]))


@pytest.mark.parametrize("modality", Modality)
def test_it_does_not_collapse(modality):
    """Trained for long without the floor, all items are mapped to a point."""
    task = trained(CLS, modality, steps=200).task
    x = items.item_set(modality).take(np.arange(64))

    with torch.no_grad():
        kept = task.embed(x).std(0) / task.spread

    assert kept.median() > 0.5 * task.settings.least_spread


def test_without_the_floor_it_would_collapse():
    class Unprotected(DeepSvddSettings):
        spread_weight: float = 0.0

    class Collapsing(CLS):
        Settings = Unprotected

    task = trained(Collapsing, Modality.TABLE, steps=600).task

    with torch.no_grad():
        kept = task.embed(items.item_set(Modality.TABLE).take(np.arange(64))).std(0) / task.spread

    assert kept.median() < 0.5 * task.settings.least_spread


def test_rows_that_are_unlike_the_bulk_score_higher(task):
    """In normal rows b is about -a and c about a; here both have the wrong sign."""
    usual = odd_rows.usual()

    assert odd_rows.auroc(task, usual, odd_rows.contradicting(usual)) > 0.7


def test_the_farther_off_the_higher(task):
    assert (odd_rows.scores_farther_and_farther(task).diff() > 0).all()
