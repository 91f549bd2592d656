"""Long short-term memory: which way it reads, and one unit worked out by hand."""

import math

import pytest
import torch

from ad_core.methods.encoders.lstm import Lstm, LstmSettings
from ad_core.types import Modality
from tests.contracts import items


def lstm(channels: int, time: int, **settings: int) -> Lstm:
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (channels, time)})
    return Lstm(LstmSettings(**settings), shape)


def test_a_time_step_knows_itself_and_all_that_came_before():
    net, x = lstm(2, 20), torch.randn(1, 2, 20)
    changed = x.clone()
    changed[:, :, 12] += 1

    with torch.no_grad():
        moved = (net.parts(changed) - net.parts(x)).abs().amax(1)[0] > 1e-7

    assert moved.nonzero().flatten().tolist() == list(range(12, 20))


def test_one_unit_by_hand():
    """All gates half open, the new content is tanh(x): c = c/2 + tanh(x)/2, h = tanh(c)/2."""
    net = lstm(1, 3, width=2, layers=1)
    for p in net.parameters():
        torch.nn.init.zeros_(p)
    with torch.no_grad():
        net.layers.weight_ih_l0[4] = 1.0  # input, forget, content, output: two units each

        found = net.parts(torch.tensor([[[1.0, 0.0, -2.0]]]))[0, 0]

    c, expected = 0.0, []
    for x in (1.0, 0.0, -2.0):
        c = c / 2 + math.tanh(x) / 2
        expected.append(math.tanh(c) / 2)
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_the_decoder_reads_from_the_end_to_the_begin():
    decoder = lstm(2, 10).decoder(items.shape(Modality.SENSOR))
    parts = torch.randn(1, 48, 10)
    changed = parts.clone()
    changed[:, :, 6] += 1

    with torch.no_grad():
        moved = (decoder(changed) - decoder(parts)).abs().amax(1)[0] > 1e-7

    assert moved.nonzero().flatten().tolist() == list(range(7))
