"""The multilayer perceptron's size and its skip connections."""

import torch

from ad_core.methods.encoders.mlp import Mlp, MlpSettings
from ad_core.types import Modality
from tests.contracts import items

SHAPE = items.shape(Modality.TABLE)


def test_weights_are_as_many_as_the_formula_says():
    """In: 7 w + w. Per block: norm 2 w, two layers of w w + w. Norm: 2 w."""
    w = 10
    net = Mlp(MlpSettings(width=w, blocks=3), SHAPE)

    assert sum(p.numel() for p in net.parameters()) == (7 * w + w) + 3 * (2 * w + 2 * (w * w + w)) + 2 * w


def test_a_block_whose_last_layer_is_0_changes_nothing():
    deep, flat = Mlp(MlpSettings(blocks=2), SHAPE).eval(), Mlp(MlpSettings(blocks=0), SHAPE).eval()
    for block in deep.layers[1:3]:
        torch.nn.init.zeros_(block.change[-1].weight)
        torch.nn.init.zeros_(block.change[-1].bias)
    flat.layers[0].load_state_dict(deep.layers[0].state_dict())
    x = torch.randn(4, 7)

    torch.testing.assert_close(deep(x), flat(x))
