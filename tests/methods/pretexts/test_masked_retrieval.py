"""Masked retrieval: what is filled in, from which rows, and the figures that come of it."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ad_core.methods.encoder import build_encoder
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.pretexts.masked_retrieval import MaskedRetrieval, MaskedRetrievalSettings
from ad_core.types import Batch, Draw, ItemShape, Modality, PartKind, Parts


def task_on(rows: Tensor, **settings: int) -> MaskedRetrieval:
    """Fitted on rows whose entries are number columns of their own."""
    d = rows.shape[1]
    parts = Parts(
        names=tuple("abcdefgh"[:d]), of_entry=tuple(range(d)), kinds=(PartKind.NUMBER,) * d, units=(None,) * d
    )
    shape = ItemShape(modality=Modality.TABLE, size=(d,), parts=parts)
    task = MaskedRetrieval(MaskedRetrievalSettings(**settings), shape, build_encoder("flat", shape))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        task.prepare([Batch(rows[:5]), Batch(rows[5:])])
        task.finish([Batch(rows[:5]), Batch(rows[5:])])
    return task.eval()


def line(n: int = 40) -> Tensor:
    """b = 2 a, c = -a."""
    a = torch.linspace(-1, 1, n)
    return torch.stack([a, 2 * a, -a], 1)


def test_a_hidden_cell_is_the_weighted_mean_of_the_nearest_rows_in_the_others():
    """Two columns, two neighbours, worked out by hand. Hidden b of (0, 1): rows with a = 0.1 and -0.3 are nearest, d2 =
    0.01 and 0.09, mean 0.05, weights 1/(0.2 + 0.1) : 1/(1.8 + 0.1), so 0.8636 * 1 + 0.1364 * 3. Hidden a by b: rows
    with b = 1 and b = 3, d2 = 0 and 4, weights 1/0.1 : 1/2.1.
    """
    bank = torch.tensor([[0.1, 1.0], [-0.3, 3.0], [2.0, 9.0], [4.0, 7.0], [5.0, -5.0], [-4.0, -4.0]])
    task = task_on(bank, neighbours=2, rounds=1)
    x = torch.tensor([[0.0, 1.0]])
    near, far = 1 / 0.3 / (1 / 0.3 + 1 / 1.9), 10 / (10 + 1 / 2.1)

    expected = task.expected(x, Draw.shared(0))

    by_hand = torch.tensor([[far * 0.1 - (1 - far) * 0.3, near * 1.0 + (1 - near) * 3.0]])
    torch.testing.assert_close(expected, by_hand, rtol=1e-5, atol=1e-5)
    losses = (x - by_hand).square()
    surprise = task.part_scores(x, Draw.shared(0))
    torch.testing.assert_close(surprise, (losses - task.usual) / (task.spread + 0.01), rtol=1e-4, atol=1e-4)


def test_a_copy_is_not_filled_in_from_its_source():
    rows = line()
    task, row = task_on(rows, neighbours=1, rounds=1), rows[10:11]

    as_it_is, by_itself = (task.score(one, Draw.shared(0)) for one in (row, row + 1e-3))
    apart = task.score_copies(row + 1e-3, Draw.shared(0), SourceItems.each(row))

    assert (apart - as_it_is).abs() < 0.1 * (by_itself - as_it_is).abs()


def test_a_row_of_the_bank_is_not_its_own_neighbour():
    rows = line()
    task = task_on(rows, neighbours=1, rounds=1)

    expected = task.expected(rows[10:11], Draw.shared(0))

    assert not torch.isclose(expected, rows[10:11]).any()
    torch.testing.assert_close(expected, rows[10:11], rtol=0, atol=0.12)  # the row before or after it


def test_a_guess_never_sees_the_cell_that_it_is_about():
    task, x = task_on(line()), 0.97 * line(7) + 0.013  # none of the bank's own rows
    before = task.expected(x, Draw.shared(0))
    for column in range(3):
        changed = x.clone()
        changed[:, column] += 0.3
        after = task.expected(changed, Draw.shared(0))

        torch.testing.assert_close(after[:, column], before[:, column], rtol=1e-4, atol=1e-4)


def test_the_cell_that_breaks_the_rule_is_the_surprise_and_its_range_is_told():
    task = task_on(line(200))
    usual, broken = torch.tensor([[0.502, 1.004, -0.502]]), torch.tensor([[0.502, 1.004, 0.7]])

    assert task.part_scores(broken, Draw.shared(0)).argmax() == 2
    low, high = task.expected_range(broken, Draw.shared(0))
    assert high[0, 2] < 0.7
    low, high = task.expected_range(usual, Draw.shared(0))
    assert (low <= usual).all()
    assert (usual <= high).all()


def test_the_range_is_of_weighted_quantiles():
    """All rows alike in a: 20 neighbours of equal weight, whose b runs from 1 to 20."""
    bank = torch.stack([torch.zeros(20), torch.arange(1.0, 21.0)], 1)
    task = task_on(bank, neighbours=20, rounds=1)

    low, high = task.expected_range(torch.tensor([[0.0, 30.0]]), Draw.shared(0))

    assert (low[0, 1].item(), high[0, 1].item()) in {(1.0, 19.0), (2.0, 20.0), (1.0, 20.0), (2.0, 19.0)}


def test_rows_that_are_farther_off_score_higher():
    task = task_on(line(200))
    x = torch.tensor([[0.5, 1.0, -0.5]])

    scores = [
        task.score(x + distance * torch.tensor([[0.0, 1.0, 0.0]]), Draw.shared(0)).item() for distance in (0, 3, 10, 30)
    ]

    assert scores == sorted(scores)
    assert scores[-1] > scores[-2] > scores[1]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_very_few_rows_give_finite_scores(rows):
    task = task_on(line(40)[:rows])

    assert task.score(line(5), Draw.shared(0)).isfinite().all()


def test_one_column_alone_is_compared_with_the_mean():
    task = task_on(torch.tensor([[0.0], [1.0], [2.0], [5.0]]))

    torch.testing.assert_close(task.expected(torch.tensor([[9.0]]), Draw.shared(0)), torch.tensor([[2.0]]))


def test_small_bags_see_through_a_group_of_equal_anomalies():
    """A tenth of the rows are one tight wrong cluster. With all rows at hand they explain each other; bags of 16 hold
    one or two of them.
    """
    random = np.random.default_rng(0)
    good = random.normal(size=(180, 1)) @ np.ones((1, 4)) + 0.1 * random.normal(size=(180, 4))
    wrong = np.array([1.0, -1.0, 1.0, -1.0]) + 0.05 * random.normal(size=(20, 4))
    rows = torch.from_numpy(np.concatenate([good, wrong])).float()

    def caught(**settings: int) -> float:
        scores = task_on(rows, **settings).score(rows, Draw.shared(0))
        return (scores.argsort(descending=True)[:20] >= 180).float().mean().item()

    assert caught(bags=16, bank_rows=16, neighbours=3, rounds=1) > caught() + 0.3
