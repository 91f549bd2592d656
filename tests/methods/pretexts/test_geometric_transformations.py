"""Geometric transformations on paper, and the loss of a network that knows nothing."""

import math

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.geometric_transformations import GeometricTransformations, _transformed
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained
from tests.methods.pretexts import odd_images

CLS = PRETEXTS.get("geometric_transformations")


def untrained(*size: int, **settings: float) -> GeometricTransformations:
    shape = odd_images.shape(*size)
    return CLS(CLS.Settings(**settings), shape, build_encoder("residual_image", shape)).eval()


def image(rows: list[list[int]]) -> torch.Tensor:
    return torch.tensor(rows)[None, None].float()


@pytest.mark.parametrize(
    ("shift", "mirrored", "turns", "found"),
    [
        ((0, 0), False, 0, [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        ((0, 0), True, 0, [[3, 2, 1], [6, 5, 4], [9, 8, 7]]),
        ((0, 0), False, 1, [[3, 6, 9], [2, 5, 8], [1, 4, 7]]),
        ((0, 1), False, 0, [[2, 1, 2], [5, 4, 5], [8, 7, 8]]),
        ((0, -1), False, 0, [[2, 3, 2], [5, 6, 5], [8, 9, 8]]),
        ((1, 0), False, 0, [[4, 5, 6], [1, 2, 3], [4, 5, 6]]),
        ((-1, 0), False, 0, [[4, 5, 6], [7, 8, 9], [4, 5, 6]]),
        # mirrored 321 654 987, down by one 654 321 654, to the left 545 212 545, and upside down as before
        ((1, -1), True, 2, [[5, 4, 5], [2, 1, 2], [5, 4, 5]]),
    ],
)
def test_transformations_by_hand(shift, mirrored, turns, found):
    x = image([[1, 2, 3], [4, 5, 6], [7, 8, 9]])

    assert torch.equal(_transformed(x, shift, mirrored, turns), image(found))


@pytest.mark.parametrize("number", [8, 24, 40, 72])
def test_all_are_different_and_the_first_is_none(number):
    task, x = untrained(1, 16, 16, transformations=number), torch.rand(1, 1, 16, 16)

    found = {_transformed(x, *way).numpy().tobytes() for way in task.ways}

    assert len(found) == number
    assert torch.equal(_transformed(x, *task.ways[0]), x)


@pytest.mark.parametrize("number", [8, 24])
def test_a_network_that_knows_nothing_loses_the_logarithm_of_their_number(number):
    task, x = untrained(3, 16, 16, transformations=number), torch.rand(6, 3, 16, 16)
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.zeros_(task.head.bias)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), torch.full((6,), math.log(number)))
        torch.testing.assert_close(task.score(x, Draw.shared(0)), torch.full((6,), math.log(number)))
        torch.testing.assert_close(task.extras(x, Draw.shared(0))["transformation_spread"], torch.zeros(6))


def test_every_image_of_a_batch_is_asked_about_what_was_done_to_it():
    """The loss of the whole batch is that of each image, transformed on its own."""
    task, x = untrained(1, 16, 16, transformations=72), torch.rand(20, 1, 16, 16)
    which = Draw.per_item(4).integers(72, 20)

    with torch.no_grad():
        loss = task.loss(Batch(x), Draw.per_item(4))
        alone = [
            -task.head(task.encoder(_transformed(i[None], *task.ways[w]))).log_softmax(1)[0, w]
            for i, w in zip(x, which.tolist(), strict=True)
        ]

    torch.testing.assert_close(loss, torch.stack(alone), rtol=1e-4, atol=1e-5)


def test_the_score_is_the_mean_surprise_over_all():
    """The head answers the same to all questions: cross-entropies by numpy."""
    task = untrained(1, 16, 16)
    torch.nn.init.zeros_(task.head.weight)
    with torch.no_grad():
        task.head.bias.copy_(torch.arange(8.0))

        score = task.score(torch.rand(1, 1, 16, 16), Draw.shared(0)).item()

    logits = np.arange(8.0)
    assert score == pytest.approx((np.log(np.exp(logits).sum()) - logits).mean(), rel=1e-5)


def test_an_image_upside_down_scores_higher():
    """All transformations of it contradict what was learnt."""
    task = trained(CLS, Modality.IMAGE, steps=100).task
    x = items.item_set(Modality.IMAGE).take(np.arange(80, 92))

    with torch.no_grad():
        upright, upside_down = task.score(x, Draw.shared(0)), task.score(x.flip(2), Draw.shared(0))

    assert (upside_down > upright).all()


def test_images_that_are_not_square_are_refused_in_words():
    with pytest.raises(MethodError, match="16 high and 20 wide"):
        untrained(1, 16, 20)


def test_pictures_that_look_the_same_in_every_way_are_said_to_teach_nothing():
    with torch.no_grad():
        (sentence,) = untrained(1, 16, 16).examine([Batch(torch.full((5, 1, 16, 16), 0.5))])

    assert "On 5 held-out images 12% of the predictions were right, and guessing gives 12%" in sentence
