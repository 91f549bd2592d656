"""Masked cells: what is hidden, what is seen, and the figures that come of it."""

import numpy as np
import pytest
import torch
from pydantic import Field
from sklearn.metrics import roc_auc_score

from ad_core.errors import SettingsError
from ad_core.methods.losses.cell_loss import LARGE
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.masked_cells import MaskedCellsSettings
from ad_core.types import Draw, Modality
from tests.contracts import items
from tests.contracts.checks import CHECKS, Case, trained, untrained

CLS = PRETEXTS.get("masked_cells")
EACH_ROUND = 3  # rounds in the default settings


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.TABLE, steps=300).task


class WithRetrieval(MaskedCellsSettings):
    retrieved: bool = Field(True, description="Also show what was retrieved.")


class Retrieving(CLS):
    """Not registered: the same task with other defaults, for the contract's checks."""

    Settings = WithRetrieval


@pytest.fixture(scope="module")
def retrieving() -> Case:
    return trained(Retrieving, Modality.TABLE, steps=300)


@pytest.fixture
def x():
    return items.item_set(Modality.TABLE).take(np.arange(80, 92))


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
    taught = items.item_set(Modality.TABLE).take(items.split().fit)
    from ad_core.methods.scorer import SCORE_SEED

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


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_with_retrieval_it_keeps_the_contract(retrieving, check):
    check(retrieving)


def test_with_retrieval_a_copy_is_not_filled_in_from_its_source(retrieving):
    """Training rows are left out of the bank when they are scored, so their nearly equal copies score like them."""
    row, model = items.item_set(Modality.TABLE).take(np.arange(16)), retrieving.model()

    with torch.no_grad():
        as_it_is, by_itself = model.score(row), model.score(row + 1e-3)
        apart = model.score_copies(row + 1e-3, SourceItems.each(row))

    assert (apart - as_it_is).abs().max() < 0.1 * (by_itself - as_it_is).abs().max()


def test_with_retrieval_a_guess_never_sees_the_cell_that_it_is_about(retrieving, x):
    with torch.no_grad():
        before = retrieving.task.expected(x, Draw.shared(0))
        for entries in ([0], [1], [2, 3], [4, 5, 6]):
            changed = x.clone()
            changed[:, entries] += 1.0
            after = retrieving.task.expected(changed, Draw.shared(0))

            torch.testing.assert_close(after[:, entries], before[:, entries], rtol=1e-5, atol=1e-5)


def test_with_retrieval_a_silent_network_expects_the_mean_of_what_the_kernels_fill_in(retrieving, x):
    """For numbers; of a category's levels it then knows nothing, and three levels and none are equally likely."""
    task = untrained(Retrieving, Modality.TABLE)
    task.load_state_dict(retrieving.task.state_dict())
    task.eval()
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.zeros_(task.head.bias)
    hidden = torch.tensor([[False, True, False, True]]).expand(12, -1)

    with torch.no_grad():
        outputs = task._guess(x, hidden)
        filled_in = task.retrieval(x, hidden)

    assert filled_in.shape == (12, 2, 7)
    torch.testing.assert_close(outputs[:, :4], (filled_in[:, 0] + filled_in[:, 1])[:, :4] / 2)
    assert (outputs[:, 4:] == 0).all()


def test_with_retrieval_the_network_sees_both_fillings_of_the_hidden_entries_only(retrieving, x):
    task, hidden = retrieving.task, torch.tensor([[False, True, False, False]]).expand(12, -1)
    with torch.no_grad():
        filled_in = task.retrieval(x, hidden)
        shown = task._shown(x, hidden, filled_in)

    assert shown.shape == (12, 7 + 4 + 2 * 7)
    torch.testing.assert_close(shown[:, 11 + 1], filled_in[:, 0, 1])
    torch.testing.assert_close(shown[:, 18 + 1], filled_in[:, 1, 1])
    assert (shown[:, [11, *range(13, 18), 18, *range(20, 25)]] == 0).all()


@pytest.mark.parametrize("name", ["task", "retrieving"])
def test_rows_whose_columns_contradict_each_other_score_higher(name, request):
    """In normal rows b is about -a and c about a; here both have the wrong sign."""
    found = request.getfixturevalue(name)
    task = found.task if isinstance(found, Case) else found
    usual = items.item_set(Modality.TABLE).take(np.arange(64, 96))
    odd = usual.clone()
    odd[:, 1:3] *= -1

    with torch.no_grad():
        scores = task.score(torch.cat([usual, odd]), Draw.shared(0))

    assert roc_auc_score([0] * 32 + [1] * 32, scores) > 0.85
