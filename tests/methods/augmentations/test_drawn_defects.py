"""Synthetic defects: where the mask is the image looks different, elsewhere it does not."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from ad_core.methods.augmentations.drawn_defects import KINDS, VISIBLE, with_defects


def picture(seed: int, channels: int = 1, size: tuple[int, int] = (96, 96)) -> np.ndarray:
    """Stripes with some noise."""
    random = np.random.default_rng(seed)
    stripes = 0.5 + 0.3 * np.sin(np.arange(size[1]) / 4)
    return (stripes + random.normal(0, 0.03, (channels, *size))).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("channels", "size"), [(1, (96, 96)), (3, (64, 120))])
def test_the_mask_covers_what_changed_and_little_else(kind, channels, size):
    image, other = picture(0, channels, size), picture(1, channels, size)
    shown = 0
    for seed in range(12):
        damaged, mask = with_defects(image, other, np.random.default_rng(seed), (kind,))
        changed = np.abs(damaged - image).max(0) > VISIBLE

        assert damaged.shape == image.shape
        assert damaged.dtype == np.float32
        assert damaged.min() >= 0
        assert damaged.max() <= 1
        assert not (mask & ~binary_dilation(changed, iterations=4)).any()
        assert (changed & mask).sum() >= 0.5 * changed.sum() or changed.sum() < 12  # single pixels are blurred away
        shown += mask.any()

    assert shown >= 10


def test_the_same_random_numbers_make_the_same_defect():
    image, other = picture(0), picture(1)

    first, second = (with_defects(image, other, np.random.default_rng(5)) for _ in range(2))

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_an_image_in_black_and_white_is_often_damaged_in_black_and_white():
    """Else a network would learn that greys are the defect."""
    image = (picture(0) > 0.5).astype(np.float32)
    binary = 0
    for seed in range(60):
        damaged, _ = with_defects(image, image[:, ::-1].copy(), np.random.default_rng(seed), ("stain",))
        binary += (np.abs(damaged - image).max() > VISIBLE) and np.isin(damaged, (0, 1)).all()

    assert binary >= 5  # a quarter has one tone and hard edges, and some of these change nothing


def test_the_image_itself_is_left_alone():
    image = picture(0)
    before = image.copy()

    with_defects(image, picture(1), np.random.default_rng(0))

    assert np.array_equal(image, before)


def test_tiny_images_can_be_damaged():
    image = picture(0, 3, (16, 16))

    masks = [with_defects(image, image, np.random.default_rng(seed))[1] for seed in range(10)]

    assert np.mean([mask.any() for mask in masks]) > 0.5
