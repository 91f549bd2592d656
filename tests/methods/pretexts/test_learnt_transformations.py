"""Learnt transformations: the loss by hand, and what they find."""

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretexts.learnt_transformations import LearntTransformations, LearntTransformationsSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained
from tests.methods.pretexts import odd_rows

DRAW = Draw.shared(0)


@pytest.fixture(scope="module")
def task():
    return trained(LearntTransformations, Modality.TABLE, steps=150).task


def untrained(**settings):
    settings, shape = LearntTransformationsSettings(**settings), items.shape(Modality.TABLE)
    return LearntTransformations(settings, shape, build_encoder("flat", shape)).eval()


def by_hand(form: str) -> LearntTransformations:
    """Two transformations, no network: views are compared by their first two entries."""
    task = untrained(transformations=2, hidden=2, size=2, temperature=0.5, form=form)
    for weights in (task.head.weight, task.changes.inwards, task.changes.outwards):
        torch.nn.init.zeros_(weights)
    with torch.no_grad():
        task.head.weight[:, :2] = torch.eye(2)
        task.changes.inwards[0, 0, 0] = task.changes.inwards[1, 0, 1] = 1  # both read the first entry
    return task


def test_the_loss_is_the_deterministic_contrastive_loss_worked_out_by_hand():
    """Eq. 2. The row (1, 0) becomes (1, 1) and (0, 1): cosines 1/sqrt 2 and 0 to the row, 1/sqrt 2 to each other."""
    task = by_hand("residual")
    with torch.no_grad():
        task.changes.outwards[0, 0, 1] = 1
        task.changes.outwards[1, 1, 0], task.changes.outwards[1, 1, 1] = -1, 1
    x = torch.tensor([[1.0, 0, 0, 0, 0, 0, 0]])

    score, loss = task.score(x, DRAW).item(), task.loss(Batch(x), DRAW).item()

    like = {
        "first, row": np.exp(0.5**0.5 / 0.5),
        "second, row": np.exp(0 / 0.5),
        "first, second": np.exp(0.5**0.5 / 0.5),
    }
    first = -np.log(like["first, row"] / (like["first, row"] + like["first, second"]))
    second = -np.log(like["second, row"] / (like["second, row"] + like["first, second"]))
    assert score == loss == pytest.approx(first + second, rel=1e-5)


def test_a_mask_multiplies_each_entry_by_a_number_between_0_and_1():
    task = by_hand("mask")
    with torch.no_grad():
        task.changes.outwards[0, 0, 0], task.changes.outwards[0, 0, 1] = np.log(3), -np.log(3)
    x = torch.tensor([[1.0, 2, 0, 0, 0, 0, 0]])

    with torch.no_grad():
        masked = task._transformed(x)

    torch.testing.assert_close(masked[0, :, :2], torch.tensor([[0.75, 0.5], [0.5, 1.0]]))


def test_equal_views_cost_the_logarithm_of_how_many_there_are():
    """Views that can't be told apart: every likeness is the same, one of k counts."""
    task = untrained(transformations=5)
    torch.nn.init.zeros_(task.changes.outwards)

    with torch.no_grad():
        score = task.score(items.item_set(Modality.TABLE).take(np.arange(4)), DRAW)

    torch.testing.assert_close(score, torch.full((4,), 5 * np.log(5).item()))


def test_training_makes_transformations_that_can_be_told_apart(task):
    """Chance is as above; below half of it the views differ and are yet like the row."""
    x = items.item_set(Modality.TABLE).take(np.arange(64, 96))

    with torch.no_grad():
        assert task.score(x, DRAW).mean() < 0.5 * 11 * np.log(11)


def test_it_ranks_rows_that_break_the_pattern_over_usual_ones(task):
    """Column b is the negative of a and c follows a; in the broken rows both have the wrong sign."""
    usual, broken = odd_rows.clearly_broken()

    assert odd_rows.auroc(task, usual, broken) > 0.8


@pytest.mark.parametrize("times", [5, 10, 30])
def test_rows_far_off_score_above_nearly_all_usual_ones(task, times):
    assert odd_rows.share_above_usual(task, times) > 0.9
