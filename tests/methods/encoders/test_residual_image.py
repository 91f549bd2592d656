"""The image network's grid and reach."""

import pytest
import torch

from ad_core.methods.encoders.residual_image import ResidualImage, ResidualImageSettings
from ad_core.types import Modality
from tests.contracts import items


@pytest.mark.parametrize(("side", "grid"), [(128, 16), (100, 13), (8, 1), (1, 1)])
def test_there_is_one_position_per_8_pixels(side, grid):
    shape = items.shape(Modality.IMAGE).model_copy(update={"size": (3, side, side)})

    net = ResidualImage(ResidualImageSettings(), shape)

    assert net.grid == (grid, grid)
    assert net.parts(torch.zeros(1, 3, side, side)).shape == (1, 64, grid, grid)


def test_a_position_answers_to_its_own_place_most():
    """Change one 8 x 8 block: the embedding at its place must move more than any other."""
    shape = items.shape(Modality.IMAGE).model_copy(update={"size": (1, 64, 64)})
    torch.manual_seed(0)
    net, x = ResidualImage(ResidualImageSettings(), shape).eval(), torch.rand(1, 1, 64, 64)
    changed = x.clone()
    changed[:, :, 40:48, 16:24] += 3

    with torch.no_grad():
        move = (net.parts(changed) - net.parts(x)).norm(dim=1)[0]

    y, x_ = divmod(int(move.argmax()), 8)
    assert abs(y - 5) <= 1
    assert abs(x_ - 2) <= 1
