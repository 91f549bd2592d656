"""Random transformations: the loss and score by hand, and what the maps find."""

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretexts.random_transformations import RandomTransformations, RandomTransformationsSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained
from tests.methods.pretexts import odd_rows

DRAW = Draw.shared(0)


@pytest.fixture(scope="module")
def task():
    return trained(RandomTransformations, Modality.TABLE, steps=100).task


@pytest.fixture
def by_hand():
    """Two maps of the row's first two entries to two numbers and no network: z = x, and z = -x + (4, 0)."""
    settings, shape = RandomTransformationsSettings(transformations=2, size=2), items.shape(Modality.TABLE)
    encoder = build_encoder("flat", RandomTransformations.encoder_shape(settings, shape))
    task = RandomTransformations(settings, shape, encoder).eval()
    task.maps.zero_()
    task.maps[0, :2], task.maps[1, :2] = torch.eye(2), -torch.eye(2)
    task.shifts = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    return task


def rows(*first_two: tuple[float, float]) -> torch.Tensor:
    return torch.nn.functional.pad(torch.tensor(first_two), (0, 5))


def test_the_score_is_the_surprise_worked_out_by_hand(by_hand):
    """Eq. 2 and 5. The row (1, 1) is mapped to (1, 1) and (3, -1); squared distances to the centres (0, 0) and (2, 0)
    are 2 and 2, and 10 and 2."""
    by_hand.centres = torch.tensor([[0.0, 0.0], [2.0, 0.0]])

    score = by_hand.score(rows((1.0, 1.0)), DRAW).item()

    first = -np.log(np.exp(-2) / (np.exp(-2) + np.exp(-2)))
    second = -np.log(np.exp(-2) / (np.exp(-10) + np.exp(-2)))
    assert score == pytest.approx((first + second) / 2, rel=1e-5)


def test_the_loss_is_cross_entropy_and_a_tenth_of_the_triplet_centre_loss(by_hand):
    """Eq. 3. The rows (0, 0) and (2, 2) have copies (0, 0), (2, 2) and (4, 0), (2, -2); batch means (1, 1) and (3, -1).
    Each copy is at 2 from its own mean; (0, 0) and (4, 0) are at 10 from the other, (2, 2) and (2, -2) too, so with a
    margin of 9 every one is 1 too far. A head that knows nothing costs log 2."""
    by_hand.settings = RandomTransformationsSettings(transformations=2, size=2, margin=9.0)
    torch.nn.init.zeros_(by_hand.head[1].weight)
    torch.nn.init.zeros_(by_hand.head[1].bias)

    loss = by_hand.loss(Batch(rows((0.0, 0.0), (2.0, 2.0))), DRAW)

    torch.testing.assert_close(loss, torch.full((2,), np.log(2).item() + 0.1 * 1.0))


def test_copies_near_enough_to_their_centre_cost_nothing_more(by_hand):
    torch.nn.init.zeros_(by_hand.head[1].weight)
    torch.nn.init.zeros_(by_hand.head[1].bias)

    loss = by_hand.loss(Batch(rows((0.0, 0.0), (2.0, 2.0))), DRAW)  # the margin is 1, 8 are kept

    torch.testing.assert_close(loss, torch.full((2,), np.log(2).item()))


def test_centres_are_means_over_all_rows_however_they_are_batched(by_hand):
    x = rows((1.0, 0.0), (3.0, 0.0), (8.0, 6.0))

    by_hand.finish([Batch(x[:2]), Batch(x[2:])])

    torch.testing.assert_close(by_hand.centres, torch.tensor([[4.0, 2.0], [0.0, -2.0]]))


def test_maps_differ_and_are_kept_with_the_weights(task):
    assert {"maps", "shifts", "centres"} <= set(task.state_dict())
    assert task.maps.flatten(1).unique(dim=0).shape[0] == len(task.maps) == 64


def test_it_ranks_rows_that_break_the_pattern_over_usual_ones(task):
    """Column b is the negative of a and c follows a; in the broken rows both have the wrong sign."""
    usual, broken = odd_rows.clearly_broken()

    assert odd_rows.auroc(task, usual, broken) > 0.8


@pytest.mark.parametrize("times", [5, 10, 30])
def test_rows_far_off_score_above_nearly_all_usual_ones(task, times):
    assert odd_rows.share_above_usual(task, times) > 0.95


def test_usual_rows_are_recognised_by_more_maps_than_odd_ones(task):
    x = items.item_set(Modality.TABLE).take(np.arange(64, 96))

    with torch.no_grad():
        usual, odd = (task.extras(r, DRAW)["maps_recognised"] for r in (x, items.far_off(Modality.TABLE)))

    assert usual.mean() > 0.9 > odd.mean()


def test_maps_that_are_not_told_apart_are_said_to_be_not_learnt(by_hand, task):
    """Both copies of a row lie at (2, 0) when the row does; normal rows are told apart."""
    by_hand.centres = torch.tensor([[1.0, 0.0], [2.0, 0.0]])

    (sentence,) = by_hand.examine([Batch(rows((2.0, 0.0), (2.0, 0.0)))])

    assert "On 2 held-out rows 50% of the predictions were right, and guessing gives 50%" in sentence
    with torch.no_grad():
        assert task.examine([Batch(odd_rows.usual())]) == []
