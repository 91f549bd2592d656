"""Masked cells: what is hidden, what is seen, and the figures that come of it."""

import numpy as np
import pytest
import torch

from ad_core.errors import SettingsError
from ad_core.pretext import PRETEXTS
from ad_core.pretexts.masked_cells import LARGE, MaskedCellsSettings
from ad_core.types import Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

EACH_ROUND = 3  # rounds in the default settings


@pytest.fixture(scope="module")
def task():
    return trained(PRETEXTS.get("masked_cells"), Modality.TABLE, steps=300).task


@pytest.fixture
def x():
    return items.frame(Modality.TABLE).take(np.arange(80, 92))


def test_in_scoring_every_column_is_hidden_once_a_round_and_all_rows_alike(task, x):
    with torch.no_grad():
        _, hidden = task._guesses(x, Draw.shared(0))

    assert hidden.shape == (12, EACH_ROUND * 4, 4)
    assert (hidden.sum(1) == EACH_ROUND).all()
    assert (hidden == hidden[:1]).all()


def test_a_guess_never_sees_the_cell_that_it_is_about(task, x):
    """Change a column of every row: what is expected of that column must not move, and of others it must."""
    columns = ([0], [1], [2, 3], [4, 5, 6])
    with torch.no_grad():
        before = task.expected(x, Draw.shared(0))
        for entries in columns:
            changed = x.clone()
            changed[:, entries] += 1.0
            after = task.expected(changed, Draw.shared(0))

            torch.testing.assert_close(after[:, entries], before[:, entries], rtol=1e-5, atol=1e-5)
            assert (after - before).abs().amax() > 0.01


def test_it_learns_that_one_column_is_the_negative_of_another(task, x):
    with torch.no_grad():
        expected = task.expected(x, Draw.shared(0))

    assert torch.corrcoef(torch.stack([expected[:, 1], x[:, 1]]))[0, 1] > 0.95
    assert (expected[:, 4:].sum(1) - 1).abs().amax() < 0.05  # a category's expectation is a probability per level


def test_the_cell_that_contradicts_the_others_is_the_surprising_one(task, x):
    odd = x[:4].clone()
    odd[:, 4:] = torch.roll(odd[:, 4:], 1, dims=1)  # another category than the numbers ask for

    with torch.no_grad():
        parts = task.part_scores(odd, Draw.shared(0))

    assert (parts.argmax(1) == 3).all()


def test_over_the_rows_that_taught_surprises_have_mean_0_and_spread_1(task):
    taught = items.frame(Modality.TABLE).take(items.split().fit)
    from ad_core.scorer import SCORE_SEED

    with torch.no_grad():
        parts = task.part_scores(taught, Draw.shared(SCORE_SEED))

    torch.testing.assert_close(parts.mean(0), torch.zeros(4), rtol=0, atol=1e-4)
    assert (parts.std(0, correction=0) > 0.3).all()  # below 1 by the 0.01 that is added to the spread
    assert (parts.std(0, correction=0) <= 1.001).all()


def test_absurd_cells_are_damped_but_stay_in_order(task, x):
    rows = x[:1].repeat(3, 1)
    rows[:, 0] = torch.tensor([5.0, 20.0, 29.0])

    with torch.no_grad():
        losses = task._cell_losses(rows, Draw.shared(0))[:, 0]

    assert losses[0] < losses[1] < losses[2] < LARGE + 10


def test_shares_in_the_wrong_order_are_refused_in_words():
    with pytest.raises(SettingsError, match="mask_from"):
        MaskedCellsSettings.parse({"mask_from": 0.7, "mask_to": 0.3}, "pretext")
