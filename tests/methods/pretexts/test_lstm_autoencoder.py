"""Recurrent autoencoder: one state, backwards, and errors as multiples of what is usual."""

import math

import numpy as np
import pytest
import torch

from ad_core.methods.encoder import build_encoder
from ad_core.methods.losses.channel_errors import tempered
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.lstm_autoencoder import LstmAutoencoder, LstmAutoencoderSettings
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items
from tests.contracts.checks import trained

CLS = PRETEXTS.get("lstm_autoencoder")


def untrained(channels: int = 2, time: int = 32, **settings: int) -> LstmAutoencoder:
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (channels, time)})
    chosen = LstmAutoencoderSettings(**settings)
    encoder = build_encoder("lstm", CLS.encoder_shape(chosen, shape), CLS.encoder_settings(chosen, shape))
    return CLS(chosen, shape, encoder).eval()


@pytest.fixture(scope="module")
def task():
    return trained(CLS, Modality.SENSOR, steps=300).task


@pytest.fixture
def x():
    return items.item_set(Modality.SENSOR).take(np.arange(80, 92))


def test_the_window_is_told_from_its_last_state_alone():
    """Two windows whose last states are made equal are told alike, however different they are."""
    task, x = untrained(), torch.randn(2, 2, 32)
    torch.nn.init.zeros_(task.encoder.layers.weight_ih_l0)  # the encoder no longer sees the window

    with torch.no_grad():
        told = task.expected(x, Draw.shared(0))

    torch.testing.assert_close(told[0], told[1])
    assert told[0].std() > 1e-3


def test_two_steps_by_hand():
    """The state is 0, so the last sample is told as the bias 0.5. The decoder's gates are half open and its new content
    is tanh of what it told: c = tanh(0.5) / 2, h = tanh(c) / 2, and the sample before is told as 0.5 + h.
    """
    task = untrained(channels=1, time=2, width=2)
    for p in task.parameters():
        torch.nn.init.zeros_(p)
    with torch.no_grad():
        task.out.bias.fill_(0.5)
        task.out.weight[0, 0] = 1.0
        task.cell.weight_ih[4, 0] = 1.0  # input, forget, content, output: two units each

        told = task.expected(torch.tensor([[[3.0, -1.0]]]), Draw.shared(0))[0, 0]

    assert told.tolist() == pytest.approx([0.5 + math.tanh(math.tanh(0.5) / 2) / 2, 0.5], rel=1e-5)


@pytest.mark.parametrize("time", [1, 2, 9, 30, 32])
def test_patches_lead_back_to_the_samples(time):
    """A patch of two channels holds a sample's channels side by side, and 0 where the window has ended."""
    task = untrained(time=time)
    x = torch.arange(2.0 * time).view(1, 2, time) + 1

    patches = task._patches(x)

    back = patches.mT.unflatten(2, (task.patch, 2)).flatten(1, 2).mT
    assert patches.shape == (1, 2 * task.patch, task.steps)
    assert torch.equal(back[:, :, :time], x)
    assert not back[:, :, time:].any()
    with torch.no_grad():
        assert task.part_scores(x, Draw.shared(0)).shape == (1, 2, time)


def test_score_and_loss_by_hand():
    """Everything is told as 1: squares of 1 and 9, normal ones of 1 and 4."""
    task, x = untrained(), torch.tensor([2.0, 4.0])[None, :, None].expand(1, 2, 32)
    torch.nn.init.zeros_(task.out.weight)
    torch.nn.init.ones_(task.out.bias)
    task.errors.learn([torch.tensor([[[1.0], [4.0]]])])

    with torch.no_grad():
        score, loss = task.score(x, Draw.shared(0)), task.loss(Batch(x), Draw.per_item(0))

    expected = tempered(torch.tensor([1 / 1.01, 9 / 4.01])).mean()
    assert score.item() == pytest.approx(expected.item(), rel=1e-5)
    assert loss.item() == pytest.approx(5.0)


def test_it_learns_to_tell_usual_windows(task, x):
    with torch.no_grad():
        assert (task.expected(x, Draw.shared(0)) - x).square().mean() < 0.3 * x.var()


def test_the_broken_channel_is_the_surprising_one(task, x):
    broken = x.clone()
    broken[:, 1, 8:24] *= -1

    with torch.no_grad():
        usual, parts = task.score(x, Draw.shared(0)), task.part_scores(broken, Draw.shared(0))

    assert (parts.mean((1, 2)) > usual).all()
    assert parts[:, 1].mean() > parts[:, 0].mean()
