"""How far the dilated convolutions look."""

import torch

from ad_core.methods.encoders.dilated_conv import DilatedConv, DilatedConvSettings
from ad_core.types import Modality
from tests.contracts import items


def test_layer_i_looks_2_to_the_i_steps_to_either_side():
    """Three layers: 1 + 2 + 4 = 7 steps each way."""
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (2, 40)})
    net, x = DilatedConv(DilatedConvSettings(layers=3), shape), torch.randn(1, 2, 40)
    changed = x.clone()
    changed[:, :, 20] += 1

    with torch.no_grad():
        moved = (net.parts(changed) - net.parts(x)).abs().amax(1)[0] > 1e-6

    assert moved.nonzero().flatten().tolist() == list(range(13, 28))


def test_a_stride_joins_steps_and_the_decoder_takes_them_apart_again():
    """Ten steps in fours: 1-4, 5-8, 9-10 and the last one twice more."""
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (1, 10)})
    net = DilatedConv(DilatedConvSettings(layers=1, stride=4), shape)
    x = torch.arange(10.0).view(1, 1, 10)

    with torch.no_grad():
        padded = torch.tensor([[[0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9]]])
        torch.testing.assert_close(net.parts(x), net.layers(padded))

        assert net.grid == (3,)
        assert net.parts(x).shape == (1, 48, 3)
        assert net.decoder(shape)(net.parts(x)).shape == (1, 1, 10)


def test_a_causal_one_sees_nothing_that_comes_later():
    """Three layers of 3 taps: 2 + 4 + 8 = 14 steps back."""
    shape = items.shape(Modality.SENSOR).model_copy(update={"size": (2, 40)})
    net, x = DilatedConv(DilatedConvSettings(layers=3, causal=True), shape), torch.randn(1, 2, 40)
    changed = x.clone()
    changed[:, :, 20] += 1

    decoder = net.decoder(shape)

    with torch.no_grad():
        parts, changed_parts = net.parts(x), net.parts(changed)
        rebuilt, changed_rebuilt = decoder(parts), decoder(changed_parts)

    assert ((changed_parts - parts).abs().amax(1)[0] > 1e-6).nonzero().flatten().tolist() == list(range(20, 35))
    assert torch.equal(changed_rebuilt[:, :, :20], rebuilt[:, :, :20])
