"""Anomaly maps against masks in a folder."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ad_core.errors import DataError
from ad_core.evaluation.found_masks import SIZE, FoundMasks, labels_by_masks
from ad_core.evaluation.mask_metrics import mask_metrics


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
    names = ["test/hole/a.jpg", "b.bmp", "test/good/c.png"]
    found = FoundMasks(masks, names)

    for row_id in names[:2]:
        mask = found.of(row_id)
        assert mask.shape == (SIZE, SIZE)
        assert mask[: SIZE // 2, : SIZE // 2].all()
        assert mask.mean() == 0.25
    assert found.of("test/good/c.png") is None


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


def test_a_folder_without_masks_is_said(tmp_path, masks):
    with pytest.raises(DataError, match=r"No image has a mask in .*; the first file there is b.png"):
        mask_metrics([("c.png", np.zeros((4, 4)))], masks)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="There are no images in empty"):
        mask_metrics([("a.png", np.zeros((4, 4)))], tmp_path / "empty")


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        mask_metrics([("a.png", np.zeros((4, 4)))], tmp_path / "gone")


HEAT = np.zeros((8, 8))
HEAT[:4, :4] = 1.0


def mask(path: Path, value: int = 255, size: tuple[int, int] = (40, 60)) -> None:
    marked = np.zeros(size, np.uint8)
    marked[: size[0] // 2, : size[1] // 2] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(marked).save(path)


def test_an_anomalous_image_without_a_mask_is_left_out_and_named_never_counted_as_normal(masks):
    maps = {"test/hole/a.jpg": HEAT, "test/hole/z.jpg": HEAT, "test/good/c.png": np.zeros((8, 8))}
    labels = {"test/hole/a.jpg": 1, "test/hole/z.jpg": 1, "test/good/c.png": 0}

    found = mask_metrics(maps.items(), masks, labels)
    without = mask_metrics([item for item in maps.items() if "z" not in item[0]], masks, labels)

    assert (found.pixel_auroc, found.aupro) == (without.pixel_auroc, without.aupro)
    assert found.left_out == ("test/hole/z.jpg",)
    assert found.notes[0] == ("1 anomalous image without a mask: left out of the figures per pixel: test/hole/z.jpg.")
    assert found.facts()["left_out"] == 1


def test_an_anomalous_image_with_a_black_mask_is_left_out_and_a_normal_one_is_not(masks):
    for name in ("d", "e"):
        mask(masks / "hole" / f"{name}_mask.png", 0)
    maps = {f"hole/{name}.png": HEAT for name in "ade"}

    found = mask_metrics(maps.items(), masks, {"hole/a.png": 1, "hole/d.png": 1, "hole/e.png": 0})

    assert found.left_out == ("hole/d.png",)
    assert "1 anomalous image with a mask that marks nothing" in found.notes[0]


def test_an_image_of_which_nothing_is_known_counts_as_normal_only_where_no_mask_is_left_over(masks):
    maps = {"hole/a.png": HEAT, "x.png": HEAT}
    (masks / "b.png").unlink()

    taken = mask_metrics(maps.items(), masks)
    mask(masks / "other.png")
    left = mask_metrics(maps.items(), masks)

    assert (taken.left_out, left.left_out) == ((), ("x.png",))
    assert taken.notes == ("1 image without a label and a mask: taken for normal: x.png.",)
    assert left.notes[1] == "1 mask that fit no image, or several, not used: other.png."
    assert labels_by_masks(masks, ["hole/a.png", "x.png"]).tolist()[0] == 1
    assert np.isnan(labels_by_masks(masks, ["hole/a.png", "x.png"])[1])


def test_a_normal_image_with_a_marked_mask_is_named(masks):
    found = mask_metrics([("hole/a.png", HEAT)], masks, {"hole/a.png": 0})

    assert "1 image labelled normal although the mask marks something" in found.notes[0]


@pytest.mark.parametrize(
    ("row_id", "name"),
    [
        ("Data/Images/Anomaly/000.JPG", "Anomaly/000.png"),
        ("test/ko/0001.bmp", "ko/0001.bmp"),
        ("test/logical_anomalies/000.png", "logical_anomalies/000/000.png"),
        ("test/10.png", "10_GT.png"),
        ("dent/Part0.jpg", "dent/Part0_label.bmp"),
    ],
)
@pytest.mark.parametrize("value", [1, 3, 128, 255])
def test_masks_of_public_benchmarks_are_found_and_read(tmp_path, row_id, name, value):
    mask(tmp_path / name, value)

    found = mask_metrics([(row_id, HEAT)], tmp_path, {row_id: 1})

    assert found.facts()["masks"] == 1
    assert found.images["marked"].tolist() == [0.25]
    assert found.pixel_auroc > 0.99


def test_several_masks_of_an_image_are_added_up(tmp_path):
    for number, rows in enumerate((slice(0, 10), slice(20, 30))):
        marked = np.zeros((40, 40), np.uint8)
        marked[rows] = 255
        (tmp_path / "odd" / "000").mkdir(parents=True, exist_ok=True)
        Image.fromarray(marked).save(tmp_path / "odd" / "000" / f"{number:03}.png")

    assert FoundMasks(tmp_path, ["test/odd/000.png"]).of("test/odd/000.png").mean() == 0.5


def test_a_mark_too_thin_for_the_comparison_is_not_lost(tmp_path):
    marked = np.zeros((2000, 2000), np.uint8)
    marked[1001, 700] = 255
    Image.fromarray(marked).save(tmp_path / "a_mask.png")

    assert FoundMasks(tmp_path, ["a.png"]).of("a.png").sum() == 1


def test_photographs_are_refused_as_masks(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")

    with pytest.raises(DataError, match=r"do not look like masks, but like photographs, such as a\.png"):
        mask_metrics([("a.png", HEAT)], tmp_path)


def test_a_folder_of_images_and_masks_gives_its_masks_only(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    for name in ("train/1.png", "test/1.png"):
        mask(tmp_path / name.replace(".png", "_GT.png"), 255 if "test" in name else 0)
        Image.fromarray(noise).save(tmp_path / name)

    found = FoundMasks(tmp_path, ["train/1.png", "test/1.png"])

    assert found.of("test/1.png").any()
    assert not found.of("train/1.png").any()


def test_a_mask_that_can_not_be_read_is_named(masks):
    (masks / "b.png").write_bytes(b"no image")

    found = mask_metrics([("hole/a.png", HEAT), ("b.png", HEAT)], masks, {"hole/a.png": 1, "b.png": 1})

    assert found.left_out == ("b.png",)
    assert "1 mask that can't be read: b.png." in found.notes


def test_masks_that_mark_nearly_everything_are_questioned(tmp_path):
    Image.fromarray(np.uint8(255 - 255 * (HEAT > 0))).save(tmp_path / "a.png")

    assert "Most masks mark more than half" in mask_metrics([("a.png", HEAT)], tmp_path).notes[-1]


def test_masks_may_lie_in_a_zip(masks, tmp_path_factory):
    archive = tmp_path_factory.mktemp("zip") / "masks.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(masks / "hole" / "a_mask.png", "hole/a_mask.png")

    assert mask_metrics([("hole/a.png", HEAT)], archive).facts()["masks"] == 1
