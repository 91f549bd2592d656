"""Orders of a puzzle's pieces, counted."""

import torch

from ad_core.methods.augmentations.permutations import far_apart


def test_four_pieces_have_24_orders_and_the_usual_one_comes_first():
    orders = far_apart(4, 24)

    assert orders[0].tolist() == [0, 1, 2, 3]
    assert len({tuple(order) for order in orders.tolist()}) == 24


def test_few_orders_are_far_apart():
    """Four orders of four pieces can differ in all places, a Latin square; of nine pieces, 24 can in nearly all."""
    for pieces, most, least in ((4, 4, 4), (9, 24, 7)):
        orders = far_apart(pieces, most)
        different = (orders[:, None] != orders).sum(2) + pieces * torch.eye(most, dtype=torch.long)
        assert different.min() >= least
        assert torch.equal(orders.sort(1).values, torch.arange(pieces).expand(most, -1))
