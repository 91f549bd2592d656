"""What names of folders and files say, and what they do not."""

import pytest

from ad_core.data.images.folder_names import image_stem, label_of, mask_word, split_of, telling


@pytest.mark.parametrize("name", ["train", "Training", "train_set", "TRAIN-2024"])
def test_names_of_training_folders(name):
    assert split_of(name) == "train"


@pytest.mark.parametrize("name", ["test", "Testing", "test_public", "validation", "val", "eval"])
def test_names_of_test_folders(name):
    assert split_of(name) == "test"


@pytest.mark.parametrize("name", ["trains", "station", "contest", "crash_test", "retest", "", "valve", "2024"])
def test_other_names_say_nothing_of_a_split(name):
    assert split_of(name) == ""


@pytest.mark.parametrize(
    "name",
    ["good", "OK", "Normal", "ok_front", "no_defect", "defect-free", "DefectFree", "non_defective", "without defects"],
)
def test_names_of_normal_folders(name):
    assert label_of(name) == 0


@pytest.mark.parametrize(
    "name",
    ["defect", "Anomaly", "bad", "ko", "NG", "not_ok", "not-good", "def_front", "logical_anomalies", "abnormal", "nok"],
)
def test_names_of_anomalous_folders(name):
    assert label_of(name) == 1


@pytest.mark.parametrize("name", ["goods", "okra", "scratch", "images", "", "42", "definition", "no", "badge", "free"])
def test_other_names_say_nothing_of_anomalies(name):
    assert label_of(name) is None


@pytest.mark.parametrize(
    ("name", "word"),
    [
        *[("ground_truth", "groundtruth"), ("Ground Truth", "groundtruth"), ("GroundTruth", "groundtruth")],
        *[("000_GT", "gt"), ("a_mask", "mask"), ("a-label-2", "label"), ("gt_000", "gt"), ("train_masks", "masks")],
        *[("masks", "masks"), ("with_mask", "mask"), ("unmasked", ""), ("labelled", ""), ("000", "")],
        ("mask_of_x", "mask"),
    ],
)  # fmt: skip
def test_words_for_masks(name, word):
    assert mask_word(name) == word


@pytest.mark.parametrize(
    ("stem", "base"),
    [
        *[("000_mask", "000"), ("000_GT", "000"), ("Part0_label", "Part0"), ("a-mask-1", "a"), ("a.gt", "a")],
        *[("gt_000", "000"), ("a_ground_truth", "a"), ("000", "000"), ("mask", "mask"), ("damask", "damask")],
    ],
)
def test_the_image_that_a_mask_is_named_after(stem, base):
    assert image_stem(stem) == base


def test_only_telling_names_of_a_path_are_compared():
    assert telling("bottle/test/Images/hole") == ("bottle", "hole")
    assert telling("ground_truth/hole") == ("hole",)
    assert telling("") == ()
