"""Anomaly maps against masks in a folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ad_core.errors import DataError
from ad_core.evaluation.mask_metrics import SIZE, mask_metrics, mask_of


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """One mask beside its kind of defect, one in the folder itself; both mark the upper left quarter."""
    marked = np.zeros((40, 60), np.uint8)
    marked[:20, :30] = 255
    (tmp_path / "hole").mkdir()
    Image.fromarray(marked).save(tmp_path / "hole" / "a_mask.png")
    Image.fromarray(marked).save(tmp_path / "b.png")
    return tmp_path


def test_masks_are_found_beside_their_kind_or_in_the_folder(masks):
    for row_id in ("test/hole/a.jpg", "b.bmp"):
        found = mask_of(masks, row_id)
        assert found.shape == (SIZE, SIZE)
        assert found[: SIZE // 2, : SIZE // 2].all()
        assert found.mean() == 0.25
    assert mask_of(masks, "test/good/c.png") is None


def test_a_map_that_marks_the_defects_is_perfect_and_an_even_one_is_chance(masks):
    perfect = np.zeros((8, 8))
    perfect[:4, :4] = 1.0
    names = ["test/hole/a.jpg", "b.bmp", "test/good/c.png"]

    found = mask_metrics(zip(names, [perfect, perfect, np.zeros((8, 8))], strict=True), masks)
    even = mask_metrics(((name, np.zeros((8, 8))) for name in names), masks)

    assert found.facts()["masks"] == 2
    assert found.pixel_auroc > 0.995  # the edge is blurred over a cell of the map
    assert found.aupro > 0.98
    assert (even.pixel_auroc, even.aupro) == (0.5, pytest.approx(0.15))


def test_the_image_whose_map_misses_its_defect_is_named_first(masks):
    perfect = np.zeros((8, 8))
    perfect[:4, :4] = 1.0

    found = mask_metrics([("test/hole/a.jpg", perfect), ("b.bmp", -perfect), ("c.png", perfect)], masks).images

    assert found["row_id"].tolist() == ["b.bmp", "test/hole/a.jpg"]
    assert found["marked"].tolist() == [0.25, 0.25]
    assert found["auroc"].tolist() == pytest.approx([0, 1], abs=0.02)


def test_a_folder_without_masks_is_said(tmp_path):
    with pytest.raises(DataError, match="No image has a mask"):
        mask_metrics([("a.png", np.zeros((4, 4)))], tmp_path)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        mask_metrics([("a.png", np.zeros((4, 4)))], tmp_path / "gone")
