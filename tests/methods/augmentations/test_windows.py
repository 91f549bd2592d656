"""Views of windows: each way on paper, and each disturbance on its own."""

import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.augmentations.windows import WindowAugmentations
from ad_core.types import Draw, Modality
from tests.contracts import items


def views(ways: int = 4, size: tuple[int, int] = (2, 32), **disturbances: float) -> WindowAugmentations:
    quiet = {"noise": 0.0, "scaling": 0.0, "crop": 1.0, "dropout": 0.0}
    return WindowAugmentations(
        items.shape(Modality.SENSOR).model_copy(update={"size": size}), ways, **(quiet | disturbances)
    )


def test_each_way_turns_its_copy():
    """Nine steps: four segments of two, and a rim of one that stays."""
    found = views(ways=5, size=(1, 9))
    x = torch.arange(1.0, 10).view(1, 1, 1, 9).expand(1, 5, 1, 9)

    turned = dict(zip(found.names, found(x)[0, :, 0].int().tolist(), strict=True))

    assert turned == {
        "nothing done": [1, 2, 3, 4, 5, 6, 7, 8, 9],
        "time reversal": [9, 8, 7, 6, 5, 4, 3, 2, 1],
        "sign flip": [-1, -2, -3, -4, -5, -6, -7, -8, -9],
        "reversal and sign flip": [-9, -8, -7, -6, -5, -4, -3, -2, -1],
        "segments exchanged": [3, 4, 1, 2, 7, 8, 5, 6, 9],
    }


def test_without_disturbances_copies_are_the_window():
    x = torch.randn(3, 2, 32)

    torch.testing.assert_close(views().disturbed(x, Draw.per_item(0)), x[:, None].expand(-1, 4, -1, -1))


def test_a_crop_is_a_straight_piece_stretched_to_the_whole():
    """Of a ramp from 0 to 31 a crop is a ramp of 0.5 to 1 times the slope, somewhere within."""
    x = torch.arange(32.0).expand(200, 2, 32)

    copies = views(crop=0.5).disturbed(x, Draw.per_item(0))

    steps = copies.diff(dim=3)
    torch.testing.assert_close(steps, steps[..., :1].expand_as(steps), rtol=1e-3, atol=1e-4)
    assert 0.5 <= steps.min() < 0.52
    assert 0.98 < steps.max() <= 1.0001
    assert 0 <= copies.min() < 0.2
    assert 30.8 < copies.max() <= 31
    torch.testing.assert_close(copies[:, :, 0], copies[:, :, 1])  # channels keep together


def test_channels_are_scaled_one_by_one_and_dropped_now_and_then():
    x = torch.ones(400, 2, 32)

    scaled, dropped = (views(**{k: 0.1}).disturbed(x, Draw.per_item(0))[..., 0] for k in ("scaling", "dropout"))

    assert scaled.mean() == pytest.approx(1, abs=0.01)
    assert scaled.std() == pytest.approx(0.1, abs=0.01)
    assert (scaled[:, :, 0] != scaled[:, :, 1]).all()
    assert dropped.unique().tolist() == [0.0, 1.0]
    assert dropped.mean() == pytest.approx(0.9, abs=0.02)


def test_a_single_channel_is_never_dropped():
    copies = views(size=(1, 32), dropout=0.9).disturbed(torch.ones(50, 1, 32), Draw.per_item(0))

    assert (copies == 1).all()


def test_noise_is_of_the_size_asked_for():
    noise = views(noise=0.3).disturbed(torch.zeros(100, 2, 32), Draw.per_item(0))

    assert noise.std() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("time", [1, 2, 3])
def test_windows_of_few_steps_can_be_disturbed(time):
    found = views(ways=5, size=(2, time), crop=0.7, noise=0.1)

    assert found(found.disturbed(torch.randn(3, 2, time), Draw.per_item(0))).isfinite().all()


def test_more_ways_than_there_are_is_refused_in_words():
    with pytest.raises(
        MethodError, match=r"There are 5 transformations of a window, not 6\. Lower pretext\.transformations"
    ):
        views(ways=6)
