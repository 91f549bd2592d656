"""Distances to a bank: by hand, without the row itself, without hidden entries, and exact enough to rank."""

import pytest
import torch

from ad_core.methods.nearest_neighbours import NeighbourDistances
from ad_core.methods.perturbed_copies import SourceItems


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None]


def test_a_new_row_is_compared_with_the_nearest_of_the_bank():
    """2 lies 1 from 1, 1 from 3, 2 from 0."""
    near = NeighbourDistances(column(2.0), column(0.0, 1.0, 3.0, 7.0))

    torch.testing.assert_close(near.mean_distance(2), torch.tensor([1.0]))
    torch.testing.assert_close(near.mean_distance(3), torch.tensor([4 / 3]))


def test_a_row_of_the_bank_is_not_its_own_neighbour():
    bank = column(0.0, 1.0, 3.0, 7.0)

    torch.testing.assert_close(NeighbourDistances(bank, bank).mean_distance(1), torch.tensor([1.0, 1.0, 2.0, 4.0]))


def test_of_equal_rows_in_the_bank_only_one_does_not_count():
    """0 stands there twice: the other one is its nearest row, 4 the second nearest."""
    near = NeighbourDistances(column(0.0), column(0.0, 0.0, 4.0))

    d2, at = near.nearest(2)

    assert d2.tolist() == [[0.0, 16.0]]
    assert at[0, 1] == 2
    torch.testing.assert_close(near.mean_distance(2), torch.tensor([2.0]))  # a root of 1e-12 in place of 0


def test_a_bank_of_one_row_is_all_there_is_to_compare_with():
    assert NeighbourDistances(column(3.0), column(3.0)).mean_distance(5).item() == pytest.approx(0, abs=1e-5)
    assert NeighbourDistances(column(5.0), column(3.0)).mean_distance(5).item() == pytest.approx(2)


def test_a_bank_smaller_than_asked_for_gives_all_others():
    bank = column(0.0, 1.0, 5.0)

    torch.testing.assert_close(NeighbourDistances(bank, bank).mean_distance(20), torch.tensor([3.0, 2.5, 4.5]))


@pytest.mark.parametrize(("hidden", "d2", "first"), [([0], 0.01, 0), ([1], 0.04, 1), ([], 9.01, 0)])
def test_entries_that_do_not_count_change_neither_distance_nor_order_of_the_rest(hidden, d2, first):
    near = NeighbourDistances(torch.zeros(1, 2), torch.tensor([[3.0, 0.1], [0.2, 5.0]]))

    found, at = near.nearest(1, without=torch.tensor(hidden, dtype=torch.long))  # one of two: the other may be itself

    torch.testing.assert_close(found.float(), torch.tensor([[d2]]))
    assert at.item() == first


def test_a_row_of_the_bank_stays_left_out_when_entries_are_hidden():
    bank = torch.tensor([[0.0, 0.0], [1.0, 9.0], [4.0, 9.0]])

    d2, at = NeighbourDistances(bank[:1], bank).nearest(1, without=torch.tensor([1]))

    assert (d2.item(), at.item()) == (1.0, 1)


def test_small_differences_of_rows_far_from_the_origin_are_told_apart():
    """Sums of squares near 45,000, differences of 0.01: float32 alone would be wrong by as much."""
    bank = torch.full((4, 50), 30.0)
    bank[:, 0] += torch.tensor([0.0, 0.1, 0.3, 0.6])
    x = torch.full((1, 50), 30.0)
    x[:, 0] += 0.22

    d2, at = NeighbourDistances(x, bank).nearest(3)

    assert at.tolist() == [[2, 1, 0]]
    torch.testing.assert_close(d2.float(), torch.tensor([[0.08, 0.12, 0.22]]).square(), rtol=1e-3, atol=0)


def test_the_distance_has_a_finite_gradient_even_at_a_row_of_the_bank():
    bank = torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0]])
    x = torch.tensor([[0.0, 0.0], [6.0, 8.0]], requires_grad=True)

    NeighbourDistances(x, bank).mean_distance(1).sum().backward()

    torch.testing.assert_close(x.grad, torch.tensor([[0.0, 0.0], [0.6, 0.8]]))


@pytest.mark.parametrize("hidden", [None, [1], [0, 2]])
def test_the_slope_is_that_of_the_distances_spelt_out(hidden):
    random = torch.Generator().manual_seed(0)
    x, bank = (torch.rand(n, 3, generator=random, dtype=torch.float64) for n in (4, 9))
    without = None if hidden is None else torch.tensor(hidden)
    upstream = torch.rand(4, 2, generator=random, dtype=torch.float64)

    rows = x.clone().requires_grad_()
    d2, at = NeighbourDistances(rows, bank).nearest(2, without)
    (slope,) = torch.autograd.grad((d2 * upstream).sum(), rows)

    rows = x.clone().requires_grad_()
    counts = torch.ones(3, dtype=torch.float64).index_fill(0, torch.tensor(hidden or [], dtype=torch.long), 0.0)
    spelt_out = ((rows[:, None] - bank[at]).square() * counts).sum(2)
    (expected,) = torch.autograd.grad((spelt_out * upstream).sum(), rows)
    torch.testing.assert_close(d2, spelt_out)
    torch.testing.assert_close(slope, expected)


def test_asking_again_leaves_what_was_found_before_alone():
    """Large matrices share memory; answers don't."""
    random = torch.Generator().manual_seed(1)
    near = NeighbourDistances(torch.rand(3, 4, generator=random), torch.rand(8, 4, generator=random))
    first, at = (found.clone() for found in near.nearest(2, torch.tensor([0])))

    near.nearest(2, torch.tensor([1, 2]))
    again, at_again = near.nearest(2, torch.tensor([0]))

    torch.testing.assert_close((again, at_again), (first, at))


def test_a_changed_copy_is_not_compared_with_its_original_but_with_all_others():
    bank = column(0.0, 1.0, 3.0, 7.0)
    copies = column(0.5, 3.0, 4.5, 4.5)
    made_of = SourceItems(column(1.0, 9.0, 3.0), torch.tensor([0, 0, 1, 2]))  # 9 is not in the bank

    d2, rows = NeighbourDistances(copies, bank, made_of).nearest(1)

    assert rows[:, 0].tolist() == [0, 2, 2, 3]
    # a copy that has become another row of the bank lies right on it
    torch.testing.assert_close(d2[:, 0], torch.tensor([0.25, 0.0, 2.25, 6.25], dtype=torch.float64))


def test_an_item_seen_as_several_rows_keeps_each_beside_its_own():
    items = torch.arange(12.0).view(2, 3, 2)
    made_of = SourceItems(items, torch.tensor([1, 0, 1]))

    seen = made_of.seen(lambda x: x.flatten(0, 1))

    assert seen.of.tolist() == [3, 4, 5, 0, 1, 2, 3, 4, 5]
    torch.testing.assert_close(seen.items, items.view(6, 2))
    assert [part.of.tolist() for part in seen.split(4)] == [[3, 4, 5, 0], [1, 2, 3, 4], [5]]
    assert SourceItems.of_one(items[:1], 3).of.tolist() == [0, 0, 0]
