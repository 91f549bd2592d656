"""The search for the smallest change, on sums that can be done by hand."""

import numpy as np
import pytest
import torch

from ad_core.explain.counterfactual.search import Breadth, Judge, Move, apply, search
from ad_core.progress import Silent


def judge(below: float, far: float = np.inf) -> Judge:
    """The score is the sum of the entries; an item is typical while no entry is below -far."""
    return Judge(
        score=lambda x: x.sum(1).double().numpy(),
        typical=lambda x: (x >= -far).all(1).numpy(),
        below=below,
        at_a_time=2,
    )


def move(part: str, value: float, cost: float = 1.0) -> Move:
    at = "abcd".index(part)
    return Move(part, (slice(at, at + 1),), torch.tensor([value]), cost, value)


X = torch.tensor([4.0, 3.0, 2.0, 1.0])


def test_one_part_is_changed_where_one_suffices_and_the_cheapest_wins():
    found = search(
        X, [move("a", 0.0, 4.0), move("a", 1.0, 3.0), move("b", 0.0, 5.0), move("c", 0.0)], judge(7.5), Silent()
    )

    assert [[m.to for m in one.moves] for one in found.normal] == [[1.0], [0.0]]
    assert [one.moves[0].part for one in found.normal] == ["a", "b"]  # one change for each set of parts
    assert found.normal[0].score == 7.0


def test_two_parts_are_changed_together_where_one_is_not_enough():
    found = search(X, [move("a", 0.0), move("b", 0.0), move("c", 0.0)], judge(4.0), Silent())

    assert [sorted(one.parts) for one in found.normal] == [["a", "b"]]
    assert found.normal[0].score == 3.0
    assert apply(X, found.normal[0].moves).tolist() == [0, 0, 2, 1]
    assert X.tolist() == [4, 3, 2, 1]


def test_three_parts_are_the_most_and_the_lowest_score_is_told_where_they_do_not_suffice():
    moves = [move(part, 0.0) for part in "abcd"]

    assert [sorted(one.parts) for one in search(X, moves, judge(1.5), Silent()).normal] == [["a", "b", "c"]]
    none = search(X, moves, judge(0.5), Silent())
    assert not none.normal
    assert none.lowest is not None
    assert none.lowest.score == 1.0


def test_a_low_score_far_from_all_that_is_normal_does_not_count():
    found = search(X, [move("a", -9.0), move("b", -1.0)], judge(8.0, far=5.0), Silent())

    assert [sorted(one.parts) for one in found.normal] == [["b"]]
    assert found.lowest is not None
    assert found.lowest.parts == {"a"}


def test_where_one_part_only_leads_far_away_two_are_tried():
    found = search(X, [move("a", -9.0), move("b", 0.0), move("c", 0.0)], judge(6.0, far=5.0), Silent())

    assert [sorted(one.parts) for one in found.normal] == [["b", "c"]]


def test_a_part_is_never_replaced_twice_in_one_change():
    found = search(X, [move("a", 3.9), move("a", 3.8), move("b", 2.9)], judge(-1.0), Silent())

    assert found.tried == 3 + 2  # each value of a, with that of b


def test_what_is_tried_is_bounded_and_every_move_is_tried_once():
    moves = [move(part, value) for part in "abcd" for value in (0.9, 0.8, 0.7)]
    found = search(X, moves, judge(-1.0), Silent(), Breadth(beam=2, wide=4, per_part=1))

    assert found.tried <= 12 + 2 * 4 + 2 * 4


def test_with_nothing_to_try_nothing_is_found():
    found = search(X, [], judge(1.0), Silent())

    assert (found.normal, found.lowest, found.tried) == ([], None, 0)


def test_a_score_that_is_no_number_is_never_normal():
    nan = Judge(lambda x: np.full(len(x), np.nan), lambda x: np.ones(len(x), dtype=bool), 1.0, 4)

    assert search(X, [move("a", 0.0)], nan, Silent()).normal == []


@pytest.mark.parametrize("size", [1, 3, 100])
def test_items_are_judged_some_at_a_time_with_the_same_result(size):
    one = Judge(lambda x: x.sum(1).double().numpy(), lambda x: (x[:, 0] < 2).numpy(), 9.0, size)
    items = [torch.tensor([float(i), 1.0]) for i in range(7)]

    assert one.scores(items, Silent()).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert one.normal(items, Silent()).tolist() == [True, True, False, False, False, False, False]
