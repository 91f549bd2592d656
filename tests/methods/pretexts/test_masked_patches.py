"""Masked patches: what is hidden, errors worked out by hand, and what is found."""

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.encoder import build_encoder
from ad_core.methods.losses.reconstruction_error import smoothed
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.pretexts.masked_patches import MaskedPatches
from ad_core.types import Batch, Draw
from tests.methods.pretexts import odd_images

CLS = PRETEXTS.get("masked_patches")


def untrained(*size: int, **settings: float) -> MaskedPatches:
    chosen, shape = CLS.Settings(**settings), odd_images.shape(*size)
    return CLS(chosen, shape, build_encoder("residual_image", CLS.encoder_shape(chosen, shape))).eval()


def blank(*size: int, **settings: float) -> MaskedPatches:
    """A task that paints 0 everywhere."""
    task = untrained(*size, **settings)
    for p in task.decoder.parameters():
        torch.nn.init.zeros_(p)
    return task


@pytest.fixture(scope="module")
def task():
    return odd_images.taught(CLS, odd_images.striped(128, 0), steps=100)


def test_sizes_double_and_leave_two_squares_across_at_least():
    assert untrained(1, 256, 256).squares == [8, 16, 32]
    assert untrained(1, 100, 60, sizes=5).squares == [2, 4, 8, 16]
    assert untrained(1, 16, 16).squares == [2, 4, 8]


def test_groups_are_of_whole_squares_and_of_one_size():
    """24 squares of 4 x 4 in three groups, and 35 where the last row and column are cut off."""
    group = untrained(1, 16, 24)._groups(4, 6, Draw.per_item(0))
    rim = untrained(1, 18, 26)._groups(4, 6, Draw.per_item(0))

    squares = group.unflatten(1, (4, 4)).unflatten(3, (6, 4))
    assert (squares == squares[:, :, :1, :, :1]).all()
    assert (group.flatten(1).sort(1).values == torch.arange(3).repeat_interleave(128)).all()
    assert not torch.equal(group[0], group[1])
    assert rim.shape == (6, 18, 26)
    assert torch.equal(rim.unique(), torch.arange(3))


def test_what_is_hidden_does_not_matter_for_what_is_painted_there():
    task, x = untrained(3, 16, 16), torch.rand(2, 3, 16, 16)
    hidden = task._groups(4, 2, Draw.per_item(0)) == 1
    other = torch.where(hidden[:, None], torch.rand_like(x), x)

    with torch.no_grad():
        assert torch.equal(task._painted(x, hidden), task._painted(other, hidden))
        assert not torch.equal(task._painted(x, hidden), task._painted(x, ~hidden))


def test_every_pixel_is_painted_while_it_is_hidden():
    """With a painter that copies what it is shown, and paints the hidden 7: all is 7."""
    task = untrained(1, 18, 26)
    task._painted = lambda x, hidden: torch.where(hidden[:, None], 7.0, x)  # type: ignore[method-assign]

    for painted in task._all_painted(torch.rand(3, 1, 18, 26), Draw.shared(0)):
        assert (painted == 7).all()


def test_a_painter_of_nothing_errs_by_the_standardised_image():
    task, x = blank(3, 16, 16, worst_share=0.25), torch.rand(6, 3, 16, 16)

    with torch.no_grad():
        task.prepare([Batch(x[:4]), Batch(x[4:])])
        z = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True, correction=0)
        errors = smoothed(z.square().mean(1))

        torch.testing.assert_close(task.part_scores(x, Draw.shared(0)), errors, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            task.score(x, Draw.shared(0)), errors.flatten(1).sort(1).values[:, -64:].mean(1), rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(task.expected(x, Draw.shared(0)), x.mean((0, 2, 3))[:, None, None].expand_as(x))


def test_the_loss_is_the_error_of_the_hidden_third_in_squares_of_any_size():
    """Of an image that is 1 in one square of 4 x 4 and else 0, a painter of nothing errs by what is hidden of it."""
    task, x = blank(1, 16, 16, sizes=2), torch.zeros(300, 1, 16, 16)
    x[:, :, 4:8, 4:8] = 1.0

    with torch.no_grad():
        loss = task.loss(Batch(x), Draw.per_item(0))

    fine, coarse = torch.arange(5) * 4, torch.tensor([0, 16])
    third = (22 * 4, 6 * 16)  # 64 and 16 squares: the first group has 22 and 6
    possible = torch.cat([fine / third[0], coarse / third[1]])
    assert (loss[:, None] - possible).abs().amin(1).max() < 1e-6
    assert loss.mean() == pytest.approx(1 / 16, abs=0.01)
    assert np.isclose(loss.numpy(), 16 / 96).mean() == pytest.approx(0.5 * 6 / 16, abs=0.07)


def test_the_network_sees_a_further_channel():
    shape = CLS.encoder_shape(CLS.Settings(), odd_images.shape(3, 16, 20))

    assert shape.size == (4, 16, 20)
    assert [shape.parts.names[part] for part in shape.parts.of_entry] == ["red", "green", "blue", "hidden"]


def test_images_with_a_blot_score_higher_and_the_map_shows_where(task):
    x = odd_images.striped(40, 1)
    odd, where = odd_images.with_blots(x)

    with torch.no_grad():
        parts = task.part_scores(odd, Draw.shared(0)).flatten(1)

    assert odd_images.auroc(task, x, odd) > 0.95
    assert where.flatten(1).gather(1, parts.argmax(1, keepdim=True)).float().mean() > 0.9


def test_what_is_expected_is_the_image_without_its_blot(task):
    x = odd_images.striped(40, 1)
    odd, where = odd_images.with_blots(x)

    with torch.no_grad():
        found = task.expected(odd, Draw.shared(0))

    off = (found - x)[where[:, None]].square().mean()
    assert off < 0.5 * (odd - x)[where[:, None]].square().mean()


def test_images_too_small_for_squares_are_refused_in_words():
    with pytest.raises(MethodError, match="3 x 16 pixels"):
        untrained(1, 3, 16)
