"""Forecast: never from the future, in nats, and with no channel above the others."""

import math

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.forecast import Forecast, ForecastSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("forecast")


def untrained(channels: int = 2, time: int = 32, **settings: float) -> Forecast:
    """Forecasts 0 with a variance of 1 + least_deviation^2 of everything."""
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (channels, time)})
    chosen = ForecastSettings(**settings)
    return CLS(chosen, shape, build_encoder("dilated_conv", shape, CLS.encoder_settings(chosen, shape))).eval()


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.SENSOR, steps=150).task


@pytest.fixture
def x():
    return items.item_set(Modality.SENSOR).take(np.arange(80, 92))


def test_a_forecast_knows_nothing_of_its_own_and_later_samples(task, x):
    """Change what comes at sample 12: only what is expected after it may move."""
    changed = x.clone()
    changed[:, 0, 12] += 3.0

    with torch.no_grad():
        (low, high), (low_after, high_after) = (task.expected_range(w, Draw.shared(0)) for w in (x, changed))

    assert torch.equal(low_after[:, :, :13], low[:, :, :13])
    assert torch.equal(high_after[:, :, :13], high[:, :, :13])
    assert ((low_after - low)[:, :, 13].abs() > 1e-4).all()


def test_surprise_by_hand():
    """Mean 1 and variance 4 in channel 0, mean 0 and variance 1 in channel 1; the floor adds 0.1^2."""
    task = untrained(least_deviation=0.1)
    with torch.no_grad():
        task.head.bias.copy_(torch.tensor([1.0, 0.0, math.log(4), 0.0]))
        x = torch.tensor([3.0, -2.0])[None, :, None].expand(1, 2, 32)

        parts, score = task.part_scores(x, Draw.shared(0)), task.score(x, Draw.shared(0))

    first, second = (2 * math.log(1 + 4 / v / 4) + math.log(v) / 2 for v in (4.01, 1.01))
    torch.testing.assert_close(parts[0, :, 5], torch.tensor([first, second]))
    assert score.item() == pytest.approx((first + second) / 2, rel=1e-5)


def test_the_loss_is_the_likelihood_of_the_clean_window():
    task, x = untrained(noise=2.0, least_deviation=0.1), torch.randn(3, 2, 32)

    with torch.no_grad():
        found = task.loss(Batch(x), Draw.per_item(0))

    torch.testing.assert_close(found, (x.square() / 1.01 + math.log(1.01)).mean((1, 2)) / 2)


def test_over_the_windows_that_taught_each_channel_scores_0(task):
    taught = items.item_set(Modality.SENSOR).take(items.split().fit)

    with torch.no_grad():
        parts = task.part_scores(taught, Draw.shared(0))

    torch.testing.assert_close(parts.mean((0, 2)), torch.zeros(2), rtol=0, atol=1e-4)


def test_forecasts_become_sharper_as_the_past_grows(task, x):
    """The first has no past: it is the same for every window, and vague."""
    with torch.no_grad():
        low, high = task.expected_range(x, Draw.shared(0))

    width = (high - low).mean((0, 1))
    assert torch.equal(low[:, :, 0], low[:1, :, 0].expand(12, 2))
    assert width[0] > 2 * width[16:].mean()


def test_no_forecast_is_sharper_than_the_floor():
    task = untrained(least_deviation=0.25)
    torch.nn.init.constant_(task.head.bias, -50.0)

    with torch.no_grad():
        low, high = task.expected_range(torch.randn(1, 2, 32), Draw.shared(0))

    torch.testing.assert_close(high - low, torch.full((1, 2, 32), 2 * 1.645 * 0.25))


def test_a_channel_that_was_constant_in_training_cannot_drown_the_others():
    """Its forecasts are as sharp as may be. At the clipping limit it is 400 deviations off, which counts for 18."""
    task = untrained(noise=0.0)
    with torch.no_grad():
        task.head.bias[3] = -50.0  # channel 1
        x = torch.zeros(1, 2, 32)
        x[:, 1] = 20.0

        surprise = task.part_scores(x, Draw.shared(0))[0, 1, 4].item()

    assert surprise == pytest.approx(2 * math.log(1 + 160_000 / 4) + math.log(0.05), rel=1e-4)


def test_the_broken_channel_and_span_are_the_surprising_ones(task, x):
    broken = x.clone()
    broken[:, 1, 12:20] *= -1

    with torch.no_grad():
        parts = task.part_scores(broken, Draw.shared(0))

    assert (parts[:, 1, 12:20].mean(1) > parts[:, 1, :12].mean(1)).all()
    assert parts[:, 1].mean() > parts[:, 0].mean()


def test_windows_of_any_length_can_be_judged():
    for time in (1, 2, 5):
        with torch.no_grad():
            assert untrained(time=time).score(torch.randn(3, 2, time), Draw.shared(0)).isfinite().all()
