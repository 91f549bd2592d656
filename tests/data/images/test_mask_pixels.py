"""Masks in every usual form mark the same pixels."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from ad_core.data.images.mask_pixels import looks_like_mask, marked_pixels

MARKED = np.zeros((24, 32), bool)
MARKED[4:10, 6:20] = True


def palette(background: tuple, defect: tuple, index: np.ndarray = MARKED) -> Image.Image:
    image = Image.fromarray(index.astype(np.uint8)).convert("P")
    image.putpalette([*background, *defect, *([0] * 762)])
    return image


FORMS = {
    "white.png": Image.fromarray(MARKED.astype(np.uint8) * 255),
    "one.png": Image.fromarray(MARKED.astype(np.uint8)),
    "kinds.png": Image.fromarray((MARKED * (1 + np.arange(32) % 5)).astype(np.uint8)),  # VisA: the number of the kind
    "bits.png": Image.fromarray(MARKED),
    "white.bmp": Image.fromarray(MARKED.astype(np.uint8) * 255),
    "colour.bmp": Image.fromarray(np.dstack([MARKED * 0, MARKED * 0, MARKED * 128]).astype(np.uint8)),
    "deep.png": Image.fromarray(MARKED.astype(np.uint16) * 65_535),
    "deep_one.png": Image.fromarray(MARKED.astype(np.uint16)),
    "dark_red.png": palette((0, 0, 0), (128, 0, 0)),
    "grey_palette.png": palette((90, 90, 90), (200, 30, 30)),
    "transparent.png": Image.fromarray(np.dstack([np.full((24, 32, 3), 200), MARKED * 255]).astype(np.uint8)),
    "many.jpg": Image.fromarray(MARKED.astype(np.uint8) * 255),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_marked_is_the_same_in_every_form(tmp_path, name):
    FORMS[name].save(tmp_path / name)

    found = marked_pixels(str(tmp_path / name))

    if name.endswith("jpg"):  # blocks of 8 px blur the edge
        assert (found != MARKED).mean() < 0.02
    else:
        assert np.array_equal(found, MARKED)
    assert looks_like_mask(str(tmp_path / name))


def test_numbers_that_pillow_wraps_are_marked_too(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", MARKED.astype(np.uint32) * 4_000_000_000)

    assert np.array_equal(marked_pixels(str(tmp_path / "a.tif")), MARKED)


def test_soft_edges_are_cut_at_half(tmp_path):
    soft = np.clip(np.arange(256, dtype=np.uint8)[None].repeat(8, 0), 0, 255)
    Image.fromarray(soft).save(tmp_path / "a.png")

    assert marked_pixels(str(tmp_path / "a.png"))[0].sum() == 128


def test_an_empty_mask_marks_nothing(tmp_path):
    for name in ("a.png", "a.jpg"):
        Image.fromarray(np.zeros((24, 32), np.uint8)).save(tmp_path / name)

        assert not marked_pixels(str(tmp_path / name)).any()


def test_a_photograph_does_not_look_like_a_mask(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    for name, values in (("a.png", noise), ("b.jpg", noise), ("c.png", noise[..., 0])):
        Image.fromarray(values).save(tmp_path / name)

        assert not looks_like_mask(str(tmp_path / name))
