"""Segment jigsaw: segments on paper, orders that the head sees, and what a run says of recordings without a course."""

import math

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("segment_jigsaw")
DRAW = Draw.shared(0)


def built(size: tuple[int, int] = (2, 32), encoder: str = "dilated_conv", **values):
    settings = CLS.Settings(**values)
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": size})
    inner = CLS.encoder_shape(settings, shape)
    return CLS(settings, shape, build_encoder(encoder, inner, CLS.encoder_settings(settings, shape))).eval()


class Means(torch.nn.Module):
    """Embeds a segment as the mean of each channel."""

    d = 1

    def __init__(self, shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.mean(2)


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.SENSOR, steps=150).task


@pytest.mark.parametrize(
    ("time", "segments", "means"),
    [(8, 4, [0.5, 2.5, 4.5, 6.5]), (9, 4, [1, 3, 5, 7]), (7, 2, [1.5, 4.5]), (8, 3, [1, 3, 6])],
)
def test_segments_are_of_equal_length_and_leave_no_time_step_out(time, segments, means):
    """0..7 in fours: 01 23 45 67. 0..8: 012 234 456 678, every other step twice. 0..7 in threes: 012 234 567."""
    task = built((1, time), segments=segments)
    task.encoder = Means(task.encoder.shape)

    found = task.embed(torch.arange(float(time)).view(1, 1, time))

    assert found[0].tolist() == pytest.approx(means)


def test_the_head_sees_the_segments_in_each_order():
    task = built((1, 8))
    task.encoder, task.head = Means(task.encoder.shape), torch.nn.Identity()

    shown = task._answers(torch.tensor([[[0.0, 0, 1, 1, 2, 2, 3, 3]]]))

    assert torch.equal(shown[0].long(), task.orders)


@pytest.mark.parametrize(("segments", "orders"), [(4, 24), (2, 2), (5, 10)])
def test_a_network_that_knows_nothing_loses_the_logarithm_of_the_number_of_orders(segments, orders):
    task, x = built(segments=segments, orders=orders), torch.randn(6, 2, 32)
    torch.nn.init.zeros_(task.head[2].weight)
    torch.nn.init.zeros_(task.head[2].bias)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), torch.full((6,), math.log(orders)))
        torch.testing.assert_close(task.score(x, DRAW), torch.full((6,), math.log(orders)))
        torch.testing.assert_close(task.extras(x, DRAW)["jigsaw_spread"], torch.zeros(6))


def test_the_score_is_the_mean_surprise_over_all_orders_by_hand():
    """A head that answers 1, 0, -2 whatever it sees: log(e + 1 + e^-2) less 1, 0 and -2."""
    task = built(segments=3, orders=3)
    torch.nn.init.zeros_(task.head[2].weight)
    with torch.no_grad():
        task.head[2].bias.copy_(torch.tensor([1.0, 0.0, -2.0]))

        score = task.score(torch.randn(1, 2, 32), DRAW).item()

    assert score == pytest.approx(math.log(math.e + 1 + math.exp(-2)) + 1 / 3, rel=1e-5)


def test_a_window_put_together_wrongly_scores_higher(task):
    x = items.item_set(Modality.SENSOR).take(np.arange(80, 92))
    wrong = torch.cat([x[:, :, 16:24], x[:, :, :8], x[:, :, 24:], x[:, :, 8:16]], 2)

    with torch.no_grad():
        usual, odd = task.score(x, DRAW), task.score(wrong, DRAW)

    assert odd.mean() > 2 * usual.mean()


def test_a_course_can_be_put_in_order_and_noise_can_not(task):
    x = items.item_set(Modality.SENSOR).take(np.arange(64, 80))
    noise = torch.randn(64, 2, 32, generator=torch.Generator().manual_seed(0))

    with torch.no_grad():
        assert task.examine([Batch(x)]) == []
        (sentence,) = task.examine([Batch(noise)])

    assert "learnt next to nothing" in sentence
    assert "guessing gives 4%" in sentence


def test_windows_too_short_to_be_cut_are_refused_in_words():
    with pytest.raises(MethodError, match=r"Windows of 8 samples are too short for a jigsaw of 6 segments"):
        built((2, 8), segments=6)


def test_it_says_why_it_is_not_for_tables_and_images():
    assert set(CLS.not_for) == {Modality.TABLE, Modality.IMAGE}
