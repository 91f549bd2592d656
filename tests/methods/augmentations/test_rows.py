"""Views of rows: what copies borrow, and that turning is a rotation."""

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.augmentations.rows import BANK, RowAugmentations
from ad_core.types import Draw, Modality
from tests.contracts import items

SHAPE = items.shape(Modality.TABLE)


def views(ways: int = 4, corruption: float = 0.5, noise: float = 0.0) -> RowAugmentations:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return RowAugmentations(SHAPE, ways, corruption, noise)


def test_copies_borrow_whole_columns_of_other_rows():
    """A category stays a category: its entries come from one row."""
    x, found = items.item_set(Modality.TABLE).take(np.arange(32)), views()
    found.learn([x])

    copies = found.disturbed(x, Draw.per_item(0))  # (32, 4, 7)

    assert (copies[:, :, 4:].sum(2) == 1).all()
    assert 0.4 < (copies[:, :, 0] != x[:, None, 0]).float().mean() < 0.55  # a lender may have the same value
    assert all(value in x[:, 0] for value in copies[:, :, 0].flatten())


def test_the_first_way_is_none_and_the_others_are_rotations():
    turns, x = views(ways=3), torch.randn(10, 1, 7).expand(-1, 3, -1)
    turned = turns(x)

    assert torch.equal(turned[:, 0], x[:, 0])
    torch.testing.assert_close(torch.cdist(turned[:, 2], turned[:, 2]), torch.cdist(x[:, 0], x[:, 0]))
    assert (turned[:, 1] - turned[:, 2]).abs().amax() > 0.5
    assert len(turns.names) == 3


def test_the_bank_is_capped_and_not_part_of_the_bundle():
    x, found = torch.zeros(BANK, 7), views()

    found.learn([x, x])

    assert len(found.bank) == BANK
    assert not any("bank" in name for name in found.state_dict())


def test_rows_too_wide_to_be_turned_are_refused_in_words():
    with pytest.raises(MethodError, match="Leave columns out"):
        RowAugmentations(SHAPE.model_copy(update={"size": (20_000,)}), 2, 0.3, 0.0)
