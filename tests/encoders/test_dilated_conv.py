"""How far the dilated convolutions look."""

import torch

from ad_core.encoders.dilated_conv import DilatedConv, DilatedConvSettings
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
