"""Views of images by quarter turns: turns against numpy, mirrored copies, and large images made smaller."""

import numpy as np
import pytest
import torch

from ad_core.errors import MethodError
from ad_core.methods.augmentations.rotated_images import RotatedImages
from ad_core.types import Draw, Modality
from tests.contracts import items


def views(ways: int = 4, size: tuple[int, ...] = (1, 8, 8), pixels: int = 64, crop: float = 1.0) -> RotatedImages:
    shape = items.shape(Modality.IMAGE).model_copy(update={"size": size})
    return RotatedImages(shape, ways, pixels, crop, colour=0.0)


def test_copy_r_is_turned_by_r_quarter_turns_as_numpy_does():
    x = torch.rand(2, 3, 1, 8, 8)

    turned = views(ways=3)(x)

    for r in range(3):
        np.testing.assert_array_equal(turned[:, r].numpy(), np.rot90(x[:, r].numpy(), r, (2, 3)))


def test_mirrored_copies_keep_their_turn():
    """Horizontal flips of copies with an even number of quarter turns, vertical ones of the others: the label stays."""
    x = torch.rand(1, 1, 8, 8)
    found = views()

    turned = found(found.disturbed(x.expand(60, -1, -1, -1), Draw.per_item(0)))

    for r in range(4):
        plain = x[0].rot90(r, (1, 2))
        mirrored = plain.flip(2 if r % 2 == 0 else 1)
        is_plain = (turned[:, r] - plain).abs().amax((1, 2, 3)) < 1e-5
        is_mirrored = (turned[:, r] - mirrored).abs().amax((1, 2, 3)) < 1e-5
        assert (is_plain | is_mirrored).all()
        assert 15 < is_mirrored.sum() < 45


def test_every_copy_is_a_piece_of_its_own():
    copies = views(crop=0.3).disturbed(torch.rand(3, 1, 8, 8), Draw.per_item(0)).flatten(0, 1)

    assert copies.shape == (12, 1, 8, 8)
    assert len(copies.flatten(1).unique(dim=0)) == 12


def test_large_images_are_seen_as_means_over_areas():
    x = torch.rand(2, 1, 96, 96)
    found = views(size=(1, 96, 96), pixels=32)

    turned = found(x[:, None].expand(-1, 4, -1, -1, -1))

    torch.testing.assert_close(turned[:, 0], x.unfold(2, 3, 3).unfold(3, 3, 3).mean((4, 5)))
    assert found.disturbed(x, Draw.per_item(0)).shape == (2, 4, 1, 32, 32)


def test_what_can_not_be_turned_is_refused_in_words():
    with pytest.raises(MethodError, match="16 high and 20 wide"):
        views(size=(3, 16, 20))
    with pytest.raises(MethodError, match=r"There are 4 turns of an image, not 5\. Lower pretext\.transformations"):
        views(ways=5)
