"""Jigsaw: tiles on paper, orders counted, and the loss of a network that knows nothing."""

import math

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.jigsaw import JigsawSettings, _put_together
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("jigsaw")


def image(rows: list[list[int]]) -> torch.Tensor:
    return torch.tensor(rows)[None, None].float()


def test_each_place_shows_the_tile_that_the_order_names():
    x = image([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]])

    moved = _put_together(x, torch.tensor([[3, 0, 1, 2]]))

    assert torch.equal(moved, image([[11, 12, 1, 2], [15, 16, 5, 6], [3, 4, 9, 10], [7, 8, 13, 14]]))


def test_every_image_of_a_batch_is_put_together_by_its_own_order():
    x = torch.randn(2, 3, 6, 9)

    moved = _put_together(x, torch.tensor([list(range(9)), [8, 1, 2, 3, 4, 5, 6, 7, 0]]))

    assert torch.equal(moved[0], x[0])
    assert torch.equal(moved[1, :, :2, :3], x[1, :, 4:, 6:])
    assert torch.equal(moved[1, :, 4:, 6:], x[1, :, :2, :3])
    assert torch.equal(moved[1, :, 2:4], x[1, :, 2:4])


def test_a_rim_that_fills_no_tile_stays():
    x = torch.randn(1, 1, 5, 5)

    moved = _put_together(x, torch.tensor([[3, 2, 1, 0]]))

    assert torch.equal(moved[..., 4, :], x[..., 4, :])
    assert torch.equal(moved[..., :, 4], x[..., :, 4])
    assert torch.equal(moved[..., :2, :2], x[..., 2:4, 2:4])


@pytest.mark.parametrize(("grid", "orders"), [(2, 24), (3, 10)])
def test_a_network_that_knows_nothing_loses_the_logarithm_of_the_number_of_orders(grid, orders):
    shape = items.shape(Modality.IMAGE)
    task = CLS(JigsawSettings(grid=grid, orders=orders), shape, build_encoder("residual_image", shape))
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.zeros_(task.head.bias)
    x = torch.rand(6, 3, 16, 16)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), torch.full((6,), math.log(orders)))
        torch.testing.assert_close(task.score(x, Draw.shared(0)), torch.full((6,), math.log(orders)))
        torch.testing.assert_close(task.extras(x, Draw.shared(0))["jigsaw_spread"], torch.zeros(6))


def test_the_score_is_the_mean_surprise_over_all_orders():
    """The head tells images by their mean brightness only, which no order changes: cross-entropies by numpy."""
    shape = items.shape(Modality.IMAGE)
    task = CLS(JigsawSettings(orders=3), shape, build_encoder("residual_image", shape))
    torch.nn.init.zeros_(task.head.weight)
    with torch.no_grad():
        task.head.bias.copy_(torch.tensor([1.0, 0.0, -2.0]))

        score = task.score(torch.rand(1, 3, 16, 16), Draw.shared(0)).item()

    logits = np.array([1.0, 0.0, -2.0])
    assert score == pytest.approx((np.log(np.exp(logits).sum()) - logits).mean(), rel=1e-5)


def test_an_image_put_together_wrongly_scores_higher():
    """Upper and lower half exchanged: all orders of it contradict what was learnt."""
    task = trained(CLS, Modality.IMAGE, steps=150).task
    x = items.item_set(Modality.IMAGE).take(np.arange(80, 92))

    with torch.no_grad():
        usual = task.score(x, Draw.shared(0))
        exchanged = task.score(_put_together(x, torch.tensor([[2, 3, 0, 1]]).expand(12, -1)), Draw.shared(0))

    assert (exchanged > usual).all()


def test_images_too_small_to_be_cut_are_refused_in_words():
    shape = items.shape(Modality.IMAGE).model_copy(update={"size": (3, 16, 5)})

    with pytest.raises(MethodError, match="16 x 5 pixels"):
        CLS(JigsawSettings(grid=3), shape, build_encoder("residual_image", shape))


def test_it_says_why_it_is_not_for_tables():
    assert "order" in CLS.not_for[Modality.TABLE]
    assert Modality.TABLE not in CLS.modalities


def test_pictures_whose_tiles_are_all_alike_are_said_to_teach_nothing():
    shape = items.shape(Modality.IMAGE)
    task = CLS(JigsawSettings(), shape, build_encoder("residual_image", shape))

    with torch.no_grad():
        (sentence,) = task.examine([Batch(torch.full((5, 3, 16, 16), 0.5))])

    assert "On 5 held-out images 4% of the predictions were right, and guessing gives 4%" in sentence
