"""Masked window: what is hidden, what is seen, and the figures that come of it."""

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.scorer import SCORE_SEED
from ad_core.types import Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained


@pytest.fixture(scope="module")
def task():
    return trained(PRETEXTS.get("masked_window"), Modality.SENSOR, steps=150).task


@pytest.fixture
def x():
    return items.item_set(Modality.SENSOR).take(np.arange(80, 92))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_guess_never_sees_the_value_that_it_is_about(task, x, seed):
    """Every value is hidden with its patch: change one, and what is expected in its place must not move."""
    with torch.no_grad():
        before = task.expected(x, Draw.shared(seed))
        for channel, time in ((0, 0), (1, 13), (0, 31)):
            changed = x.clone()
            changed[:, channel, time] += 5.0
            after = task.expected(changed, Draw.shared(seed))

            torch.testing.assert_close(after[:, channel, time], before[:, channel, time], rtol=1e-5, atol=1e-5)
            assert (after - before).abs().amax() > 0.01


def test_a_guess_of_a_zero_network_costs_the_square_of_every_value():
    """So every value is hidden, and counted, exactly as often as any other."""
    cls, shape = PRETEXTS.get("masked_window"), items.shape(Modality.SENSOR)
    settings = cls.Settings()
    task = cls(settings, shape, build_encoder("dilated_conv", cls.encoder_shape(settings, shape)))
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.constant_(task.head.bias, 1.0)
    x = torch.randn(3, 2, 32)

    with torch.no_grad():
        torch.testing.assert_close(task.part_scores(x, Draw.shared(0)), (x - 1).square() / 1.01)
        torch.testing.assert_close(task.expected(x, Draw.shared(0)), torch.ones_like(x))


def test_over_the_windows_that_taught_each_channel_scores_about_1(task):
    taught = items.item_set(Modality.SENSOR).take(items.split().fit)

    with torch.no_grad():
        parts = task.part_scores(taught, Draw.shared(SCORE_SEED)).mean((0, 2))

    torch.testing.assert_close(parts, task.usual[:, 0] / (task.usual[:, 0] + 0.01), rtol=1e-4, atol=1e-4)


def test_the_broken_channel_and_span_are_the_surprising_ones(task, x):
    broken = x.clone()
    broken[:, 1, 12:20] += 4.0

    with torch.no_grad():
        parts = task.part_scores(broken, Draw.shared(0))

    assert (parts[:, 1].mean(1) > parts[:, 0].mean(1)).all()
    assert (parts[:, 1, 12:20].mean(1) > parts[:, 1, :12].mean(1)).all()


def test_windows_shorter_than_a_patch_work():
    cls = PRETEXTS.get("masked_window")
    for time in (1, 2, 5, 9):
        shape = items.shape(Modality.SENSOR).model_copy(update={"size": (2, time)})
        settings = cls.Settings()
        task = cls(settings, shape, build_encoder("dilated_conv", cls.encoder_shape(settings, shape)))

        with torch.no_grad():
            assert task.part_scores(torch.randn(3, 2, time), Draw.shared(0)).shape == (3, 2, time)
