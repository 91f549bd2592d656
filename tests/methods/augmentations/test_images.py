"""Views of images: pieces and mirror images on paper, and each change of light on its own."""

import pytest
import torch

from ad_core.methods.augmentations.images import ImageAugmentations
from ad_core.types import Draw, Modality
from tests.contracts import items


def views(size: tuple[int, int, int] = (3, 16, 16), **changes: float) -> ImageAugmentations:
    quiet = {"least_crop": 1.0, "colour": 0.0, "grey": 0.0, "mirrored": 0.0}
    return ImageAugmentations(items.shape(Modality.IMAGE).model_copy(update={"size": size}), **(quiet | changes))


class Fixed(Draw):
    """Chosen numbers, for every item the same."""

    def __init__(self, *numbers: float) -> None:
        super().__init__(torch.Generator(), False, "cpu")
        self.numbers = torch.tensor(numbers)

    def uniform(self, b: int, *shape: int) -> torch.Tensor:
        return self.numbers[: shape[0]].expand(b, *shape) if shape else self.numbers[:1].expand(b)


@pytest.mark.parametrize("size", [(1, 16, 16), (3, 17, 24)])
def test_without_disturbances_a_copy_is_the_image(size):
    x = torch.rand(5, *size)

    torch.testing.assert_close(views(size).disturbed(x, Draw.per_item(0)), x, rtol=1e-4, atol=1e-5)


def test_some_copies_are_mirrored():
    x = torch.rand(200, 1, 4, 6)

    copies = views((1, 4, 6), mirrored=0.3).disturbed(x, Draw.per_item(0))

    turned = torch.tensor([torch.allclose(c, i.flip(2), atol=1e-5) for c, i in zip(copies, x, strict=True)])
    assert turned.float().mean() == pytest.approx(0.3, abs=0.1)
    torch.testing.assert_close(copies[~turned], x[~turned], rtol=1e-4, atol=1e-5)


def test_a_piece_by_hand():
    """The left half and the upper half (of 8 x 8 pixels, a quarter of the area): a ramp from left to right keeps its
    first half, at half the slope; at the rim the first pixel is all that is known.
    """
    x = torch.arange(8.0).expand(1, 1, 8, 8) / 8

    found = views((1, 8, 8), least_crop=0.25).disturbed(x, Fixed(0.0, 0.5, 0.0, 0.0, 0.9))

    ramp = torch.tensor([0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25]) / 8
    torch.testing.assert_close(found[0, 0], ramp.expand(8, 8))
    torch.testing.assert_close(
        views((1, 8, 8), least_crop=0.25).disturbed(x.mT, Fixed(0.0, 0.5, 0.0, 0.0, 0.9))[0, 0], ramp.expand(8, 8).mT
    )


def test_every_image_gets_its_own_piece_of_the_least_size_or_more():
    """Of a ramp along both axes a piece has a smaller ramp: the product of both slopes is the share of the area."""
    side = torch.arange(32.0) / 32
    x = torch.stack([side.expand(32, 32), side.expand(32, 32).mT]).expand(300, 2, 32, 32)

    copies = views((2, 32, 32), least_crop=0.3).disturbed(x, Draw.per_item(0))

    slopes = copies[:, 0, 16, 17] - copies[:, 0, 16, 16], copies[:, 1, 17, 16] - copies[:, 1, 16, 16]
    area = slopes[0] * slopes[1] * 32**2
    assert area.min() == pytest.approx(0.3, abs=0.02)
    assert area.median() == pytest.approx(0.65, abs=0.05)
    assert area.max() < 1.001
    assert (slopes[0] / slopes[1]).min() == pytest.approx(3 / 4, abs=0.02)
    assert (slopes[0] / slopes[1]).max() == pytest.approx(4 / 3, abs=0.04)
    assert copies.min() >= 0
    assert copies.max() <= 1


def test_light_by_hand():
    """Strength 0.5 and the numbers 1 and 0.5: 1.4 times as bright; contrast, saturation and hue as they are."""
    x = torch.tensor([0.2, 0.4, 0.6])[None, :, None, None].expand(1, 3, 4, 4)

    copies = views((3, 4, 4), colour=0.5).lit(x, Fixed(1.0, 0.5, 0.5))
    assert torch.equal(copies, x)  # the last number decides too: 1 is no share of the copies
    brighter = views((3, 4, 4), colour=0.5).lit(x, _Light(1.0, 0.5, 0.5))
    torch.testing.assert_close(brighter, 1.4 * x)


class _Light(Fixed):
    """Every copy is changed, its hue is not."""

    def uniform(self, b: int, *shape: int) -> torch.Tensor:
        return super().uniform(b, *shape) if shape == (3,) else torch.full((b, *shape), 0.5)


def test_light_changes_whole_images_one_by_one_and_spares_some():
    x = torch.full((400, 1, 4, 4), 0.4)

    copies = views((1, 4, 4), colour=0.5).disturbed(x, Draw.per_item(0))

    torch.testing.assert_close(copies, copies[:, :, :1, :1].expand_as(copies))
    factor = copies[:, 0, 0, 0] / 0.4
    assert ((factor - 1).abs() < 1e-5).float().mean() == pytest.approx(0.2, abs=0.05)
    assert factor.min() == pytest.approx(0.6, abs=0.02)
    assert factor.max() == pytest.approx(1.4, abs=0.02)


def test_some_copies_of_colour_images_lose_their_colours():
    x = torch.rand(300, 3, 4, 4)

    copies = views((3, 4, 4), grey=0.2).disturbed(x, Draw.per_item(0))

    lost = (copies - copies[:, :1]).abs().flatten(1).amax(1) < 1e-6
    assert lost.float().mean() == pytest.approx(0.2, abs=0.06)
    luma = (copies[lost][:, 0] - (torch.tensor([0.299, 0.587, 0.114])[:, None, None] * x[lost]).sum(1)).abs()
    assert luma.max() < 1e-4


@pytest.mark.parametrize("size", [(1, 16, 20), (3, 16, 16)])
def test_copies_stay_images_in_half_precision_too(size):
    x, found = torch.rand(20, *size), views(size, least_crop=0.1, colour=1.0, grey=0.2, mirrored=0.5)

    copies = found.disturbed(x, Draw.per_item(0))
    with torch.autocast("cpu", torch.bfloat16):
        again = found.disturbed(x, Draw.per_item(0))

    assert copies.shape == x.shape
    assert 0 <= copies.min() < copies.max() <= 1
    assert torch.equal(copies, again)


def test_one_row_of_random_numbers_makes_all_copies_alike():
    x = torch.rand(1, 3, 16, 16).expand(4, -1, -1, -1)

    copies = views(least_crop=0.3, colour=1.0).disturbed(x, Draw.shared(0))

    torch.testing.assert_close(copies, copies[:1].expand_as(copies))
