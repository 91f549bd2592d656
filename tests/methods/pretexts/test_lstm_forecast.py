"""Recurrent forecast: never from the future, judged at each place by multiples of the error that is usual there."""

import math

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.losses.channel_errors import tempered
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.lstm_forecast import LstmForecast, LstmForecastSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("lstm_forecast")


def constant(guess: float, time: int = 32) -> LstmForecast:
    """A task that forecasts the same of everything."""
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (2, time)})
    settings = LstmForecastSettings(noise=2.0)
    task = CLS(settings, shape, build_encoder("lstm", shape, CLS.encoder_settings(settings, shape))).eval()
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.constant_(task.head.bias, guess)
    return task


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
        before, after = task.expected(x, Draw.shared(0)), task.expected(changed, Draw.shared(0))

    assert torch.equal(after[:, :, :13], before[:, :, :13])
    assert ((after - before)[:, :, 13:].abs().amax((1, 2)) > 0.01).all()


def test_score_by_hand():
    """Errors of 1 and 3, normal ones of 1 and 4; at the first place of channel 0 an error of 3.99 is usual."""
    task, x = constant(1.0), torch.tensor([2.0, 4.0])[None, :, None].expand(1, 2, 32)
    usual = torch.tensor([1.0, 4.0])[None, :, None].repeat(1, 1, 32)
    usual[0, 0, 0] = 3.99
    task.errors.learn([usual])

    with torch.no_grad():
        parts, score = task.part_scores(x, Draw.shared(0)), task.score(x, Draw.shared(0))

    later = tempered(torch.tensor([1 / 1.01, 9 / 4.01]))
    torch.testing.assert_close(parts[0, :, 4], later)
    assert parts[0, 0, 0].item() == pytest.approx(4 * math.log(1 + 0.25 / 4), rel=1e-5)
    assert score.item() == pytest.approx(parts.mean().item(), rel=1e-5)


def test_the_loss_is_the_squared_error_of_the_clean_window():
    task, x = constant(0.5), torch.randn(3, 2, 32)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), (x - 0.5).square().mean((1, 2)))


def test_the_first_forecasts_are_worse_and_still_score_as_usual(task):
    """What is known of a window at its first sample is nothing, but no window can help that."""
    taught = items.item_set(Modality.SENSOR).take(items.split().fit)

    with torch.no_grad():
        parts = task.part_scores(taught, Draw.shared(0)).mean((0, 1))

    usual = task.errors.usual.mean(0)
    assert usual[0] > 2 * usual[8:].mean()
    assert parts[0] < 1 < usual[0] / (usual[8:].mean() + 0.01)  # as a multiple of the later ones it would stand out


def test_the_broken_channel_and_span_are_the_surprising_ones(task, x):
    broken = x.clone()
    broken[:, 1, 12:20] *= -1

    with torch.no_grad():
        parts = task.part_scores(broken, Draw.shared(0))

    assert parts[:, 1, 12:20].mean() > 2 * parts[:, 1, 4:12].mean()
    assert parts[:, 1].mean() > parts[:, 0].mean()


def test_most_usual_values_are_in_the_expected_range(task, x):
    with torch.no_grad():
        low, high = task.expected_range(x, Draw.shared(0))

    assert ((x >= low) & (x <= high)).float().mean() > 0.8
    assert (high - low)[:, :, 8:].mean() < 0.5 * (x.amax() - x.amin())


def test_windows_of_any_length_can_be_judged():
    for time in (1, 2, 9):
        with torch.no_grad():
            assert constant(0.0, time).score(torch.randn(3, 2, time), Draw.shared(0)).isfinite().all()
