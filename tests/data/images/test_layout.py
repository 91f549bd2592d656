"""Folders of public benchmarks, and of one's own, are recognised; the user can say otherwise; nothing is silent."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ad_core.data.opening import as_used, open_as, open_dataset
from ad_core.errors import DataError

RNG = np.random.default_rng(3)


def photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(path)


def mask(path: Path, value: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros((12, 16), np.uint8)
    values[:4, :4] = value
    Image.fromarray(values).save(path)


@pytest.fixture
def tree(tmp_path):
    """Write images and masks: `tree("good/{}.png", "hole/{}.png", masks=["gt/{}.png"])`, two of each."""

    def written(*photos: str, masks: tuple[str, ...] = (), black: tuple[str, ...] = ()) -> Path:
        for name in photos:
            for number in range(2):
                photo(tmp_path / "data" / name.format(f"{number:03}"))
        for name in (*masks, *black):
            for number in range(2):
                mask(tmp_path / "data" / name.format(f"{number:03}"), 0 if name in black else 255)
        return tmp_path / "data"

    return written


def uses(folder: Path, **declared) -> dict[str, str]:
    found = open_dataset(folder, **declared).folders
    return dict(zip(found["folder"], found["use"], strict=True))


BENCHMARKS = {
    "MVTec AD": (
        ("train/good/{}.png", "test/good/{}.png", "test/hole/{}.png"), ("ground_truth/hole/{}_mask.png",),
        {"train/good": "train", "test/good": "normal", "test/hole": "anomaly", "ground_truth/hole": "mask"},
    ),
    "MVTec AD 2": (
        ("train/good/{}.png", "validation/good/{}.png", "test_public/bad/{}.png", "test_private/{}.png"),
        ("test_public/ground_truth/bad/{}_mask.png",),
        {"train/good": "train", "validation/good": "normal", "test_public/bad": "anomaly", "test_private": "unknown",
         "test_public/ground_truth/bad": "mask"},
    ),
    "LOCO": (
        ("train/good/{}.png", "validation/good/{}.png", "test/logical_anomalies/{}.png"),
        ("ground_truth/logical_anomalies/{}/000.png", "ground_truth/logical_anomalies/{}/001.png"),
        {"train/good": "train", "validation/good": "normal", "test/logical_anomalies": "anomaly",
         "ground_truth/logical_anomalies/000": "mask", "ground_truth/logical_anomalies/001": "mask"},
    ),
    "VisA": (
        ("Data/Images/Normal/{}.JPG", "Data/Images/Anomaly/{}.JPG"), ("Data/Masks/Anomaly/{}.png",),
        {"Data/Images/Normal": "train", "Data/Images/Anomaly": "anomaly", "Data/Masks/Anomaly": "mask"},
    ),
    "BTAD": (
        ("train/ok/{}.bmp", "test/ok/{}.bmp", "test/ko/{}.bmp"), ("ground_truth/ko/{}.bmp",),
        {"train/ok": "train", "test/ok": "normal", "test/ko": "anomaly", "ground_truth/ko": "mask"},
    ),
    "good and defect": (("good/{}.png", "defect/{}.png"), (), {"good": "train", "defect": "anomaly"}),
    "good and kinds": (("good/{}.png", "dent/{}.png", "cut/{}.png"), (),
                       {"good": "train", "dent": "anomaly", "cut": "anomaly"}),
    "casting": (("ok_front/{}.jpg", "def_front/{}.jpg"), (), {"ok_front": "train", "def_front": "anomaly"}),
    "anomalies in train": (("train/good/{}.png", "train/bad/{}.png"), (),
                           {"train/good": "train", "train/bad": "anomaly"}),
    "masks beside": (("good/{}.jpg", "dent/{}.jpg"), ("dent/{}_label.bmp",), {"good": "train", "dent": "anomaly/mask"}),
    "masks by _GT": (("good/{}.png", "dent/{}.png"), ("dent/{}_GT.png",), {"good": "train", "dent": "anomaly/mask"}),
    "PNG masks beside JPEG": (("MT_Free/Imgs/{}.jpg", "MT_Crack/Imgs/{}.jpg"), ("MT_Crack/Imgs/{}.png",),
                              {"MT_Free/Imgs": "train", "MT_Crack/Imgs": "anomaly/mask"}),
    "folder_GT": (("good/{}.png", "dent/{}.png"), ("dent_GT/{}.png",),
                  {"good": "train", "dent": "anomaly", "dent_GT": "mask"}),
    "classes": (("train/cat/{}.png", "train/dog/{}.png", "test/cat/{}.png"), (),
                {"train/cat": "train", "train/dog": "train", "test/cat": "unknown"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BENCHMARKS)
def test_known_layouts_are_recognised_and_said(tree, name):
    photos, masks, expected = BENCHMARKS[name]
    folder = tree(*photos, masks=masks)

    dataset = open_dataset(folder)

    assert uses(folder) == expected
    of_folder = dataset.data["folder"].map(expected)
    assert dataset.is_training.tolist() == (of_folder == "train").tolist()
    assert len(dataset) == 2 * len(photos)
    said = " ".join(dataset.notices)
    assert f"{2 * len(photos[0:1])} of {2 * len(photos)} images are training images" in said or name == "classes"
    assert ("images are masks of defects, neither trained on nor scored" in said) == bool(masks)
    assert "--folder" in said


def test_a_zip_is_recognised_like_its_folder(tree, tmp_path):
    folder = tree("train/good/{}.png", "test/hole/{}.png", masks=("ground_truth/hole/{}_mask.png",))
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder).as_posix())

    assert uses(tmp_path / "data.zip") == uses(folder)


def test_several_folders_are_recognised_by_their_names(tree):
    folder = tree("train/good/{}.png", "test/hole/{}.png")

    dataset = open_dataset([folder / "train", folder / "test"])

    assert dataset.is_training.tolist() == [True, True, False, False]
    assert dataset.rows["label"].tolist() == [0, 0, 1, 1]


def test_where_no_folder_says_anything_the_masks_tell_which_images_are_anomalous(tree):
    """KolektorSDD2: every image has a mask, and most of them are black."""
    folder = tree("train/{}.png", masks=("train/{}_GT.png",))
    for name in ("100", "101"):
        photo(folder / "train" / f"{name}.png")
        mask(folder / "train" / f"{name}_GT.png", 0)

    dataset = open_dataset(folder)

    assert dataset.rows["label"].tolist() == [1, 1, 0, 0]
    assert dataset.is_training.tolist() == [False, False, True, True]
    assert "Labels by their masks, used for evaluation only: 2 anomalies (train), 2 normal (train)." in dataset.notices


@pytest.mark.parametrize(
    ("photos", "expected"),
    [
        (("holiday/{}.png", "party/{}.png"), {"holiday": "train", "party": "train"}),
        (("with_mask/{}.png", "without_mask/{}.png"), {"with_mask": "train", "without_mask": "train"}),
        (("mask/{}.png", "no_mask/{}.png"), {"mask": "train", "no_mask": "train"}),
        (("ground_truth/{}.png",), {"ground_truth": "train"}),
        (("test/{}.png",), {"test": "train"}),
        (("{}.png", "{}.jpg"), {"": "train"}),
        (("shelf/{}.png", "shelf/{}_label.png"), {"shelf": "train"}),
        (("contest/{}.png", "goods/{}.png"), {"contest": "train", "goods": "train"}),
    ],
)
def test_photographs_in_folders_with_such_names_stay_training_images(tree, photos, expected):
    dataset = open_dataset(folder := tree(*photos))

    assert uses(folder) == expected
    assert dataset.is_training.all()
    assert "label" not in dataset.rows
    if any("mask" in name or "truth" in name for name in expected):
        assert "is used as images although the name says mask" in dataset.notices[0]


def test_a_folder_called_test_or_good_in_a_tree_of_ones_own_leaves_nothing_out_in_silence(tree):
    dataset = open_dataset(tree("holiday/{}.png", "test/{}.png", "x/good/{}.png"))

    assert len(dataset) == 6
    said = " ".join(dataset.notices)
    assert "4 of 6 images are training images (holiday, x/good); 2 are only scored (test)." in said
    assert "2 normal (x/good), 4 not known (holiday, test)" in said


def test_data_without_a_training_image_say_why(tree):
    dataset = open_dataset(tree("defect/{}.png"))

    assert not dataset.is_training.any()
    assert "none of the 2 images is a training image: they are anomalies" in " ".join(dataset.notices)


def test_the_user_may_say_what_a_folder_is(tree):
    folder = tree("good/{}.png", "matt/{}.png", "odd/{}.png", masks=("masks/{}_x.png",))

    said = {"matt": "train", "odd": "unknown", "masks": "anomaly"}
    dataset = open_dataset(folder, folders=said)

    assert uses(folder, folders=said) == {"good": "train", "matt": "train", "odd": "unknown", "masks": "anomaly"}
    labels = dict(zip(dataset.data["folder"], dataset.rows["label"].fillna(-1), strict=True))
    assert labels == {"good": 0, "masks": 1, "matt": -1, "odd": -1}
    assert "To change" not in " ".join(dataset.notices)


def test_all_images_can_be_training_images(tree):
    folder = tree("train/good/{}.png", "test/hole/{}.png", masks=("ground_truth/hole/{}_mask.png",))

    dataset = open_dataset(folder, folders={"*": "train", "ground_truth": "mask"})

    assert dataset.is_training.all()
    assert len(dataset) == 4


def test_the_longer_name_counts_and_a_leading_slash_means_that_very_folder(tree):
    folder = tree("good/{}.png", "x/good/{}.png", "x/good/late/{}.png")

    found = uses(folder, folders={"/good": "unknown", "x/good": "train", "x/good/late": "anomaly"})

    assert found == {"good": "unknown", "x/good": "train", "x/good/late": "anomaly"}


def test_a_condition_of_the_user_chooses_the_training_images_alone(tree):
    dataset = open_dataset(tree("good/{}.png", "dent/{}.png"), only=["folder=dent"])

    assert dataset.is_training.tolist() == [True, True, False, False]
    assert dataset.folders["use"].tolist() == ["train", "normal"]
    assert "training images" not in " ".join(dataset.notices)


def test_where_folders_are_classes_they_are_no_labels(tree):
    dataset = open_dataset(tree("good/{}.png", "defect/{}.png"), class_column="folder")

    assert dataset.is_training.all()
    assert "label" not in dataset.rows


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"gone": "train"}, r"There is no folder 'gone' among the images. The folders are: good, hole"),
        ({"good": "training"}, r"The folder 'good' can't be 'training'. It can be train, normal, anomaly"),
        ({"*": "mask"}, r"All images were said to be masks"),
    ],
)
def test_what_can_not_be_said_of_a_folder_is_refused(tree, said, what):
    with pytest.raises(DataError, match=what):
        open_dataset(tree("good/{}.png", "hole/{}.png"), folders=said)


def test_folders_of_anything_but_images_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")

    with pytest.raises(DataError, match="Only folders of images"):
        open_dataset(tmp_path / "a.csv", folders={"a": "train"})


def test_new_images_are_recognised_anew_and_what_was_said_is_kept_where_it_fits(tree, tmp_path):
    train = open_dataset(tree("train/good/{}.png", "shadow/{}.png"), folders={"shadow": "train"})
    for name in ("good", "dent", "shadow"):
        photo(tmp_path / "new" / name / "a.png")
    mask(tmp_path / "new" / "ground_truth" / "dent" / "a_mask.png")

    new = open_as(as_used(train), tmp_path / "new")
    other = open_as(as_used(train), tmp_path / "new" / "good")

    assert new.rows["row_id"].tolist() == ["dent/a.png", "good/a.png", "shadow/a.png"]
    assert new.rows["label"].fillna(-1).tolist() == [1, 0, -1]
    assert "training images" not in " ".join(new.notices), "nothing is trained on them"
    assert len(other) == 1


def test_the_label_as_before_takes_every_other_folder_for_an_anomaly_but_training_folders(tree):
    folder = tree("train/{}.png", "test/good/{}.png", "test/dent/{}.png", "more/{}.png")

    dataset = open_dataset(folder, label="folder")

    labels = dict(zip(dataset.data["folder"], dataset.rows["label"].fillna(-1), strict=True))
    assert labels == {"train": -1, "test/good": 0, "test/dent": 1, "more": 1}
