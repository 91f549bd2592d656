"""Losses per column, worked out by hand."""

import math

import pytest
import torch

from ad_core.methods.losses.cell_loss import CellLoss
from ad_core.types import Batch, PartKind, Parts

NUMBER, CATEGORY = PartKind.NUMBER, PartKind.CATEGORY


@pytest.fixture
def cells() -> CellLoss:
    """A number; a category of two levels; a number with a missing flag. Outputs: 3 numbers, then none and 2 levels."""
    parts = Parts(names=("n", "k", "m"), of_entry=(0, 1, 1, 2, 2), kinds=(NUMBER, CATEGORY, NUMBER), units=(None,) * 3)
    return CellLoss(parts)


def test_numbers_cost_their_squared_error_and_categories_their_cross_entropy(cells):
    x = torch.tensor([[2.0, 1.0, 0.0, 3.0, 1.0]])
    outputs = torch.tensor([[0.5, 1.0, 0.0, 0.0, math.log(2), 0.0]])  # levels: 1/4, 2/4, 1/4

    losses = cells(outputs, x)

    torch.testing.assert_close(losses, torch.tensor([[1.5**2, math.log(2), (2.0**2 + 1.0**2) / 2]]))


def test_a_level_that_is_none_of_the_known_costs_the_probability_of_none(cells):
    x = torch.zeros(1, 5)
    outputs = torch.tensor([[0.0, 0.0, 0.0, -2.0, 2.0, 2.0]])

    surprise = cells(outputs, x)[0, 1].item()

    assert surprise == pytest.approx(2 + math.log(2 * math.exp(2) + math.exp(-2)))


def test_levels_are_recognised_in_any_scaling(cells):
    """The reader may standardise a one-hot block: -0.5 and 2 here stand for absent and present."""
    scaled = torch.tensor([[0.0, -0.5, 2.0, 0.0, 0.0], [0.0, 2.0, -0.5, 0.0, 0.0]])
    cells.learn([Batch(scaled)])
    outputs = torch.tensor([[0.0, 0.0, 0.0, -50.0, 0.0, math.log(3)]]).expand(2, -1)  # levels: 1/4, 3/4

    torch.testing.assert_close(cells(outputs, scaled)[:, 1], torch.tensor([math.log(4 / 3), math.log(4)]))
    torch.testing.assert_close(cells.expected(outputs)[0], torch.tensor([0.0, 0.125, 1.375, 0.0, 0.0]))


def test_on_the_way_from_one_level_to_another_the_loss_changes_evenly(cells):
    """What integrated gradients need: the slope along the way is the difference of the two surprises."""
    x = torch.tensor([[0.0, 0.5, 0.5, 0.0, 0.0]]).requires_grad_()
    outputs = torch.tensor([[0.0, 0.0, 0.0, -50.0, 0.0, math.log(3)]])

    (slope,) = torch.autograd.grad(cells(outputs, x).sum(), x)

    assert (slope[0, 2] - slope[0, 1]).item() == pytest.approx(math.log(4 / 3) - math.log(4), rel=1e-4)


def test_tables_of_one_kind_only_work():
    numbers = Parts(names=("a", "b"), of_entry=(0, 1), kinds=(NUMBER, NUMBER), units=(None, None))
    levels = Parts(names=("k", "l"), of_entry=(0, 0, 1), kinds=(CATEGORY, CATEGORY), units=(None, None))

    assert CellLoss(numbers)(torch.zeros(3, 2), torch.ones(3, 2)).tolist() == [[1.0, 1.0]] * 3
    surprise = CellLoss(levels)(torch.zeros(1, 5), torch.tensor([[0.0, 1.0, 1.0]]))
    torch.testing.assert_close(surprise, torch.tensor([[math.log(3), math.log(2)]]))


def test_where_every_column_is_one_number_the_short_way_says_the_same():
    parts = Parts(names=tuple("abc"), of_entry=(0, 1, 2), kinds=(NUMBER,) * 3, units=(None,) * 3)
    short, long = CellLoss(parts), CellLoss(parts)
    long.plain = False
    outputs, x = torch.randn(2, 7, 3)

    assert short.plain
    assert not CellLoss(parts.model_copy(update={"of_entry": (0, 2, 1)})).plain
    torch.testing.assert_close(short(outputs, x), long(outputs, x))
