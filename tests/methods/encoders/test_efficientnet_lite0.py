"""ImageNet features as an encoder: their grid, their place, and that a task learns upon them."""

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.encoder import EncoderChoice, build_encoder
from ad_core.methods.networks.imagenet_features import ImagenetFeatures, on_one_grid
from ad_core.training.fit import build_model
from ad_core.types import Batch, Draw, Modality
from tests.contracts import items

NAME = "efficientnet_lite0"


def shape(*size: int):
    return items.shape(Modality.IMAGE).model_copy(update={"size": size})


@pytest.mark.parametrize(
    ("size", "grid"),
    [((128, 128), (16, 16)), ((48, 96), (6, 12)), ((40, 50), (5, 7)), ((16, 16), (4, 4)), ((20, 33), (4, 7))],
)
def test_there_is_one_position_per_8_pixels_of_images_that_are_enlarged_to_32(size, grid):
    net = build_encoder(NAME, shape(1, *size))

    assert net.grid == grid
    assert net.parts(torch.rand(1, 1, *size)).shape == (1, 120, *grid)


def test_parts_are_the_features_of_depths_4_and_7():
    x = torch.rand(2, 3, 64, 48)

    parts = build_encoder(NAME, shape(3, 64, 48)).parts(x)

    torch.testing.assert_close(parts, on_one_grid(ImagenetFeatures([4, 7])(x)))


def test_a_position_answers_to_its_own_place_most():
    net, x = build_encoder(NAME, shape(3, 128, 128)), torch.full((1, 3, 128, 128), 0.5)
    changed = x.clone()
    changed[:, :, 80:88, 32:40] = 1.0

    move = (net.parts(changed) - net.parts(x)).norm(dim=1)[0]

    y, x_ = divmod(int(move.argmax()), 16)
    assert abs(y - 10) <= 1
    assert abs(x_ - 4) <= 1


def test_the_head_of_a_task_is_trained_and_the_network_is_not():
    model = build_model("rotation", "own_score", items.shape(Modality.IMAGE), {}, {}, EncoderChoice(name=NAME))
    x = items.item_set(Modality.IMAGE).take(np.arange(64))
    held = [p.clone() for p in model.task.encoder.parameters()]
    optimiser = torch.optim.AdamW([p for p in model.task.parameters() if p.requires_grad], 3e-2)
    draw, losses = Draw.per_item(0), []

    for _ in range(30):
        loss = model.task.train().loss(Batch(x), draw).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())

    assert losses[-1] < 0.5 * losses[0]
    assert all(torch.equal(a, b) for a, b in zip(held, model.task.encoder.parameters(), strict=True))


def test_images_of_other_than_1_or_3_channels_are_refused_in_words():
    with pytest.raises(MethodError, match=r"4 channels\. Choose another encoder"):
        build_encoder(NAME, shape(4, 32, 32))


def test_it_says_that_its_weights_are_not_from_the_users_data():
    net = build_encoder(NAME, shape(3, 32, 32))

    assert "from ImageNet (a million photographs), not from your data" in net.about
    assert "ImageNet, not from these data" in net.origin
