"""Patch position: which patches are compared, maps worked out by hand, and what is found."""

import math

import pytest
import torch
from torch.nn import functional as F

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.patch_position import DIRECTIONS, PatchPosition, _neighbours, _pairs
from ad_core.types import Batch, Draw
from tests.methods.pretexts import odd_images

CLS = PRETEXTS.get("patch_position")


def untrained(*size: int, **settings: float) -> PatchPosition:
    shape = odd_images.shape(*size)
    return CLS(CLS.Settings(**settings), shape, build_encoder("residual_image", shape)).eval()


def ignorant(*size: int) -> PatchPosition:
    """A task whose answers are all alike."""
    task = untrained(*size)
    for p in task.answer.parameters():
        torch.nn.init.zeros_(p)
    return task


def numbered(b: int, high: int, wide: int) -> torch.Tensor:
    """(b, 2, high, wide): the row and the column of each pixel."""
    rows, columns = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")
    return torch.stack([rows, columns]).float().expand(b, -1, -1, -1)


@pytest.fixture(scope="module")
def task():
    return odd_images.taught(CLS, odd_images.striped(128, 0), steps=60)


def test_neighbours_lie_where_they_are_said_to_with_a_gap_of_a_quarter_at_most():
    pairs = _neighbours(numbered(40, 30, 24), 8, 3, Draw.per_item(0))

    assert pairs.shape == (40, 3, 8, 2, 2, 8, 8)
    corner = pairs[..., 0, 0]  # (b, rounds, 8, 2, 2): row and column
    inside = pairs - corner[..., None, None]
    assert (inside == numbered(1, 8, 8).view(1, 1, 1, 1, 2, 8, 8)).all()
    apart = corner[:, :, :, 1] - corner[:, :, :, 0]
    for way, (down, across) in enumerate(DIRECTIONS):
        assert (apart[:, :, way].sign() == torch.tensor([down, across])).all()
    far = apart.abs().flatten()
    assert sorted(far[far > 0].unique().tolist()) == [8, 9, 10]
    assert corner[..., 0].unique().tolist() == list(range(23))
    assert corner[..., 1].unique().tolist() == list(range(17))


def test_where_no_gap_fits_neighbours_touch():
    pairs = _neighbours(numbered(5, 16, 40), 8, 1, Draw.per_item(0))

    assert (pairs[:, 0, 0, 0, :, 0, 0] - pairs[:, 0, 0, 1, :, 0, 0] == 8).all()  # the neighbour above on the left


def test_pairs_by_hand():
    places = list(range(5))

    for by, here, there in ((0, places, places), (2, [0, 1, 2], [2, 3, 4]), (-2, [2, 3, 4], [0, 1, 2])):
        assert [places[s] for s in _pairs(5, by)] == [here, there]


def test_a_network_that_knows_nothing_loses_the_logarithm_of_8():
    task, x = ignorant(3, 16, 24), torch.rand(4, 3, 16, 24)

    with torch.no_grad():
        torch.testing.assert_close(task.loss(Batch(x), Draw.per_item(0)), torch.full((4,), math.log(8)))
        torch.testing.assert_close(task._surprise(x), torch.full((4, 4, 7), math.log(8)))


def test_the_map_is_the_mean_over_all_questions_about_a_patch():
    """To all questions the answer is "to the right", by a logit of 5: any other direction costs 5 more."""
    task, x = ignorant(1, 30, 30), torch.rand(1, 1, 30, 30)
    with torch.no_grad():
        task.answer.bias[DIRECTIONS.index((0, 1))] = 5.0

        found = task._surprise(x)[0]

    low = math.log(7 + math.exp(5)) - 5
    assert found.shape == (9, 9)
    # the corner has 3 neighbours, so 6 questions, of which that about the one on the right (or from the left) is right
    assert found[0, 0] == pytest.approx(low + 5 * 5 / 6, rel=1e-5)
    assert found[0, 8] == pytest.approx(low + 5 * 5 / 6, rel=1e-5)
    assert found[4, 4] == pytest.approx(low + 5 * 14 / 16, rel=1e-5)


def test_what_is_usual_at_a_place_is_taken_off():
    task, x = untrained(1, 24, 24), torch.rand(10, 1, 24, 24)

    with torch.no_grad():
        task.finish([Batch(x[:7]), Batch(x[7:])])
        parts, score = task.part_scores(x, Draw.shared(0)), task.score(x, Draw.shared(0))
        raw = task._surprise(x)

    torch.testing.assert_close(parts, raw - raw.mean(0), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(score, parts.flatten(1).amax(1))  # a hundredth of 49 places is one


def test_patches_are_embedded_on_the_encoders_grid():
    """Each patch on its own: a change in one corner is not seen in the other."""
    task, x = untrained(1, 48, 64), torch.rand(1, 1, 48, 64)
    changed = x.clone()
    changed[:, :, :6, :6] = 0

    with torch.no_grad():
        before, after = (task.embed_parts(i).unflatten(1, (6, 8)) for i in (x, changed))

    assert task.embed_parts(x).shape == (1, 48, task.encoder.d)
    assert not torch.allclose(before[0, 0, 0], after[0, 0, 0])
    assert torch.equal(before[0, 3:], after[0, 3:])
    assert torch.equal(before[0, :, 4:], after[0, :, 4:])


def test_images_with_a_blot_score_higher_and_the_map_shows_where(task):
    x = odd_images.striped(40, 1)
    odd, where = odd_images.with_blots(x)

    with torch.no_grad():
        parts = F.interpolate(task.part_scores(odd, Draw.shared(0))[:, None], x.shape[2:])[:, 0]

    assert odd_images.auroc(task, x, odd) > 0.95
    assert parts[where].mean() > parts[~where].mean() + 0.2  # upright stripes tell left and right only


def test_a_run_says_where_patches_betray_nothing():
    (sentence,) = untrained(1, 16, 16).examine([Batch(torch.full((5, 1, 16, 16), 0.5))])

    assert "On 5 held-out images 12% of the predictions were right, and guessing gives 12%" in sentence


def test_images_too_small_for_patches_are_refused_in_words():
    with pytest.raises(MethodError, match="15 x 40 pixels"):
        untrained(1, 15, 40)


@pytest.mark.parametrize("size", [(1, 16, 16), (1, 17, 33), (1, 50, 21)])
@pytest.mark.parametrize("patch", [0.03, 0.125, 0.35])
def test_every_patch_has_neighbours(size, patch):
    with torch.no_grad():
        assert untrained(*size, patch=patch)._surprise(torch.rand(2, *size)).isfinite().all()
