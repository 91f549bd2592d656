"""Noise level: what is corrupted, the loss and the score worked out by hand, and that it learns to tell levels."""

import math

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.denoising_score import DenoisingScoreSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained
from tests.methods.pretexts import odd_rows

CLS = PRETEXTS.get("denoising_score")
FLAG, LEVELS = 3, slice(4, 7)


@pytest.fixture
def blank():
    """Its network says 0 whatever it is shown: the level is softplus(0) = log 2 times the row's reach."""
    shape = items.shape(Modality.TABLE)
    task = CLS(DenoisingScoreSettings(), shape, build_encoder("flat", shape))
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.zeros_(task.head.bias)
    task.prepare([Batch(x()[:20]), Batch(x()[20:])])
    return task


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.TABLE, steps=400).task


def x() -> torch.Tensor:
    return items.item_set(Modality.TABLE).take(np.arange(64))


def test_the_score_is_the_guessed_level_in_units_of_the_rows_reach(blank):
    row = torch.tensor([[3.0, -1.0, 0.0, 1.0, 0.0, 1.0, 4.0]])  # squares add up to 28, their mean is 4

    with torch.no_grad():
        assert blank.score(row, Draw.shared(0)).item() == pytest.approx(math.log(2) * math.sqrt(1 + 4))


def test_the_loss_is_the_squared_error_of_the_level(blank):
    """Nothing is corrupted here, so that the guess is known; the levels are evenly drawn from 0 to 2.5."""
    blank.noisy, blank.exchanged = torch.zeros(7, dtype=torch.bool), torch.zeros(7, dtype=torch.bool)
    rows = torch.tensor([[3.0, -1.0, 0.0, 1.0, 0.0, 1.0, 4.0], [0.0] * 7])
    level = 2.5 * Draw.per_item(3).uniform(2, 1)[:, 0]

    with torch.no_grad():
        loss = blank.loss(Batch(rows), Draw.per_item(3))

    guesses = torch.tensor([math.log(2) * math.sqrt(5), math.log(2)])
    torch.testing.assert_close(loss, (guesses - level) ** 2)


def test_numbers_get_noise_of_the_level_and_flags_stay(blank):
    rows = x().repeat(100, 1)
    level = torch.full((len(rows), 1), 0.5)

    change = blank._corrupted(rows, level, Draw.per_item(0)) - rows

    spread = change[:, :3].std(0)
    torch.testing.assert_close(spread, torch.full((3,), 0.5), rtol=0.05, atol=0)  # 6,400 draws: 1 % standard error
    assert (change[:, FLAG] == 0).all()


def test_a_category_is_exchanged_as_a_whole_the_more_often_the_higher_the_level(blank):
    rows = x().repeat(100, 1)
    shares = {}
    for level in (0.0, 0.5, 2.5):
        corrupted = blank._corrupted(rows, torch.full((len(rows), 1), level), Draw.per_item(0))[:, LEVELS]
        assert (corrupted.sum(1) == 1).all()
        shares[level] = (corrupted != rows[:, LEVELS]).any(1).float().mean().item()

    other = 1 - (x()[:, LEVELS].mean(0) ** 2).sum().item()  # a random row has another level
    assert shares[0.0] == 0
    assert shares[0.5] == pytest.approx(0.2 * other, abs=0.03)
    assert shares[2.5] == pytest.approx(other, abs=0.03)


def test_a_yes_or_no_column_without_numbers_is_exchanged_too(blank):
    rows = x()
    rows[:, 0] = (rows[:, 0] > 0).float()

    blank.prepare([Batch(rows[:20]), Batch(rows[20:])])

    assert blank.exchanged.tolist() == [True, False, False, False, True, True, True]
    assert blank.noisy.tolist() == [False, True, True, False, False, False, False]


def test_columns_are_exchanged_each_by_itself(blank):
    rows = x()
    rows[:, 0] = (rows[:, 0] > 0).float()
    blank.prepare([Batch(rows)])
    rows = rows.repeat(100, 1)

    changed = blank._corrupted(rows, torch.full((len(rows), 1), 1.25), Draw.per_item(0)) != rows

    alone = changed[:, 0] & ~changed[:, LEVELS].any(1)
    assert alone.float().mean() > 0.1  # half of the rows are exchanged, half of those look different, and so on


def test_it_learns_to_tell_how_much_noise_was_added(task):
    usual = items.item_set(Modality.TABLE).take(np.arange(64, 96)).repeat(8, 1)
    level = 2 * Draw.per_item(5).uniform(len(usual), 1)

    corrupted = task._corrupted(usual, level, Draw.per_item(6))

    with torch.no_grad():
        guesses = task.score(corrupted, Draw.shared(0))

    by_guess, by_length = np.corrcoef([level[:, 0].numpy(), guesses.numpy(), corrupted.norm(dim=1).numpy()])[0, 1:]
    assert by_guess > 0.6  # three noisy numbers tell no more
    assert by_guess > by_length + 0.1


def test_rows_whose_columns_contradict_each_other_score_higher(task):
    """In normal rows b is about -a and c about a; here both have the wrong sign."""
    usual = odd_rows.usual()

    assert odd_rows.auroc(task, usual, odd_rows.contradicting(usual)) > 0.8


def test_the_farther_off_the_higher_beyond_all_levels_of_training(task):
    assert (odd_rows.scores_farther_and_farther(task).diff() > 0).all()
