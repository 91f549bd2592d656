"""Rotation, against numpy and the loss of a network that knows nothing."""

import math

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.rotation import _all_turns
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained


def test_all_turns_are_numpys():
    x = torch.randn(2, 3, 5, 5)

    turns = _all_turns(x)

    for k in range(4):
        np.testing.assert_array_equal(turns[:, k].numpy(), np.rot90(x.numpy(), k, (2, 3)))


def test_a_network_that_knows_nothing_loses_the_logarithm_of_4():
    cls, shape = PRETEXTS.get("rotation"), items.shape(Modality.IMAGE)
    task = cls(cls.Settings(), shape, build_encoder("residual_image", shape))
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.zeros_(task.head.bias)
    x = torch.rand(6, 3, 16, 16)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), torch.full((6,), math.log(4)))
        torch.testing.assert_close(task.score(x, Draw.shared(0)), torch.full((6,), math.log(4)))
        torch.testing.assert_close(task.extras(x, Draw.shared(0))["rotation_spread"], torch.zeros(6))


def test_an_image_upside_down_scores_higher():
    """All four turns of it contradict what was learnt."""
    task = trained(PRETEXTS.get("rotation"), Modality.IMAGE, steps=80).task
    x = items.item_set(Modality.IMAGE).take(np.arange(80, 92))

    with torch.no_grad():
        upright, upside_down = task.score(x, Draw.shared(0)), task.score(x.rot90(2, (2, 3)), Draw.shared(0))

    assert (upside_down > upright).all()


def test_images_that_are_not_square_are_refused_in_words():
    cls = PRETEXTS.get("rotation")
    shape = items.shape(Modality.IMAGE).model_copy(update={"size": (3, 16, 20)})

    with pytest.raises(MethodError, match="16 high and 20 wide"):
        cls(cls.Settings(), shape, build_encoder("residual_image", shape))


def test_a_run_says_where_turns_can_not_be_told_and_where_something_simple_tells_them():
    """Grey pictures look the same in every turn; pictures that are bright at the top give theirs away at once."""
    task = trained(PRETEXTS.get("rotation"), Modality.IMAGE, steps=80).task
    x = items.item_set(Modality.IMAGE).take(np.arange(80, 92))

    with torch.no_grad():
        (given_away,) = task.examine([Batch(x)])
        (not_learnt,) = task.examine([Batch(torch.full_like(x, 0.5))])

    assert given_away.startswith("After 20 training steps 100% of the predictions were right already")
    assert "On 12 held-out images 25% of the predictions were right, and guessing gives 25%" in not_learnt
