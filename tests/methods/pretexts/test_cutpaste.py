"""Cut and paste: pieces moved on paper, their sizes counted, and what is found."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.cutpaste import Cutpaste, _moved
from ad_core.types import Batch, Draw
from tests.methods.pretexts import odd_images

CLS = PRETEXTS.get("cutpaste")


def untrained(*size: int, **settings: float) -> Cutpaste:
    shape = odd_images.shape(*size)
    return CLS(CLS.Settings(**settings), shape, build_encoder("residual_image", shape)).eval()


def numbered(b: int, *size: int) -> torch.Tensor:
    """Images in which no two pixels are alike."""
    n = math.prod(size)
    return torch.randperm(n, generator=torch.Generator().manual_seed(0)).view(1, *size).expand(b, -1, -1, -1) / n


@pytest.fixture(scope="module")
def task():
    return odd_images.taught(CLS, odd_images.striped(128, 0), steps=60)


def test_a_rectangle_by_hand():
    """Of 2 x 3 pixels, its first corner from (1, 0) to (3, 4); the second image's from (0, 5) to (0, 0)."""
    x = numbered(2, 1, 6, 8)
    size, turn = torch.tensor([[2.0, 3.0]] * 2), torch.zeros(2)
    start, end = torch.tensor([[1.5, 1.0], [0.5, 6.0]]), torch.tensor([[3.5, 5.0], [0.5, 1.0]])

    moved, inside = _moved(x, size, start, end, turn)

    corners = torch.zeros(2, 6, 8, dtype=torch.bool)
    corners[0, 3:5, 4:7], corners[1, 0:2, 0:3] = True, True
    assert torch.equal(inside, corners)
    assert torch.equal(moved[0, :, 3:5, 4:7], x[0, :, 1:3, 0:3])
    assert torch.equal(moved[1, :, 0:2, 0:3], x[1, :, 0:2, 5:8])


def test_a_turned_piece_by_hand():
    """A strip of 4 pixels, upright, lies after a quarter turn; its first pixel becomes the last or stays the first."""
    x = numbered(1, 1, 9, 9)

    moved, inside = _moved(
        x,
        torch.tensor([[4.0, 1.0]]),
        torch.tensor([[2.5, 1.0]]),
        torch.tensor([[6.0, 4.5]]),
        torch.tensor([math.pi / 2]),
    )

    assert inside.sum() == 4
    assert inside[0, 6, 3:7].all()
    found, strip = moved[0, 0, 6, 3:7], x[0, 0, 1:5, 1]
    assert torch.equal(found, strip.flip(0))


def test_rectangles_are_of_the_sizes_asked_for_and_everywhere():
    task, x = untrained(1, 40, 60, least_area=0.02, most_area=0.15, light=0.0), numbered(400, 1, 40, 60)

    changed = (task._with_rectangle(x, Draw.per_item(0)) != x)[:, 0]

    area = changed.sum((1, 2)) / 2400
    assert 0.015 < area[area > 0].min() < 0.03
    assert 0.13 < area.max() < 0.16
    reached = changed.any(0)
    assert reached.float().mean() > 0.98  # the very corners are rare
    assert all(side.any() for side in (reached[0], reached[-1], reached[:, 0], reached[:, -1]))
    changed = changed[area > 0]  # a piece may be pasted where it was
    high, wide = changed.any(2).sum(1), changed.any(1).sum(1)
    assert ((high / wide) > 2.5).any()
    assert ((wide / high) > 2.5).any()
    assert (high / wide).max() < 3.8  # 3.3, and what rounding adds


def test_scars_are_thin_and_turned_either_way():
    task, x = untrained(3, 64, 64, light=0.0), numbered(400, 3, 64, 64)

    found = task._with_scar(x, Draw.per_item(0))

    changed = (found != x).any(1)
    assert changed.sum((1, 2)).min() >= 2
    assert changed.sum((1, 2)).max() <= 6 * 4 + 12  # 25 x 16 of 256 pixels in 64, and its rim
    place = [c.nonzero().float() for c in changed if c.sum() >= 4]
    slant = torch.stack([torch.corrcoef(p.T)[0, 1] for p in place]).nan_to_num()
    assert (slant > 0.5).any()
    assert (slant < -0.5).any()
    pixels = found.transpose(0, 1).flatten(1).unsqueeze(2)
    assert torch.isin(pixels, x[0]).all()  # none is blurred


def test_a_pasted_piece_may_be_lit_differently_and_the_rest_is_not():
    task = untrained(1, 32, 32, light=0.4)

    found = task._with_rectangle(torch.full((300, 1, 32, 32), 0.5), Draw.per_item(0))

    values = found[found != 0.5]
    assert 0.3 - 1e-5 <= values.min() < 0.32
    assert 0.68 < values.max() <= 0.7 + 1e-5
    assert (found == 0.5).float().mean() > 0.85


def test_a_network_that_knows_nothing_loses_the_logarithm_of_3():
    task, x = untrained(3, 16, 24), torch.rand(5, 3, 16, 24)
    torch.nn.init.zeros_(task.head.weight)
    torch.nn.init.zeros_(task.head.bias)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), torch.full((5,), math.log(3)))
        torch.testing.assert_close(task.score(x, Draw.shared(0)), torch.full((5,), math.log(3)))
        torch.testing.assert_close(task.part_scores(x, Draw.shared(0)), torch.full((5, 2, 3), math.log(3)))


def test_the_score_is_the_surprise_that_the_image_is_as_it_is():
    task, x = untrained(1, 16, 16), torch.rand(4, 1, 16, 16)

    with torch.no_grad():
        answers = task.head(task.encoder(x)).numpy()
        score = task.score(x, Draw.shared(0))

    assert score.tolist() == pytest.approx(np.log(np.exp(answers).sum(1)) - answers[:, 0], rel=1e-5)


def test_images_with_a_blot_score_higher_and_the_map_shows_where(task):
    x = odd_images.striped(40, 1)
    odd, where = odd_images.with_blots(x)

    with torch.no_grad():
        parts = F.interpolate(task.part_scores(odd, Draw.shared(0))[:, None], x.shape[2:])[:, 0]

    assert odd_images.auroc(task, x, odd) > 0.95
    assert parts[where].mean() > parts[~where].mean() + 0.5


def test_a_run_says_where_pieces_can_not_be_seen(task):
    """In even images a piece in the same light is as what was there."""
    task.light.colour = 0.0

    (sentence,) = task.examine([Batch(torch.full((6, 1, 32, 32), 0.5))])

    assert "On 6 held-out images 33% of the predictions were right, and guessing gives 33%" in sentence


def test_images_too_small_and_areas_that_contradict_are_refused_in_words():
    with pytest.raises(MethodError, match="7 x 16 pixels"):
        untrained(1, 7, 16)
    with pytest.raises(MethodError, match=r"Raise pretext\.most_area"):
        untrained(1, 16, 16, least_area=0.2)
