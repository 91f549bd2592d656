"""Masks and images of public benchmarks find each other by their names."""

import pytest

from ad_core.data.images.mask_pairs import pair_masks

LAYOUTS = {
    "MVTec AD": (["train/good/000.png", "test/good/000.png", "test/hole/000.png", "test/cut/000.png"],
                 {"ground_truth/hole/000_mask.png": "test/hole/000.png",
                  "ground_truth/cut/000_mask.png": "test/cut/000.png"}),
    "MVTec AD, masks alone": (["hole/000.png", "cut/000.png"], {"hole/000_mask.png": "hole/000.png"}),
    "LOCO": (["test/logical_anomalies/000.png", "test/structural_anomalies/000.png", "test/good/000.png"],
             {"ground_truth/logical_anomalies/000/000.png": "test/logical_anomalies/000.png",
              "ground_truth/logical_anomalies/000/001.png": "test/logical_anomalies/000.png"}),
    "VisA": (["candle/Data/Images/Normal/000.JPG", "candle/Data/Images/Anomaly/000.JPG"],
             {"candle/Data/Masks/Anomaly/000.png": "candle/Data/Images/Anomaly/000.JPG"}),
    "VisA, masks alone": (["Data/Images/Normal/000.JPG", "Data/Images/Anomaly/000.JPG"],
                          {"Anomaly/000.png": "Data/Images/Anomaly/000.JPG"}),
    "BTAD": (["01/train/ok/0001.bmp", "01/test/ok/0001.bmp", "01/test/ko/0001.bmp"],
             {"01/ground_truth/ko/0001.bmp": "01/test/ko/0001.bmp"}),
    "KolektorSDD": (["kos01/Part0.jpg", "kos02/Part0.jpg"], {"kos02/Part0_label.bmp": "kos02/Part0.jpg"}),
    "KolektorSDD2": (["train/10.png", "test/10.png"],
                     {"train/10_GT.png": "train/10.png", "test/10_GT.png": "test/10.png"}),
    "flat": (["images/a.jpg", "images/b.jpg"], {"masks/b.png": "images/b.jpg"}),
    "beside": (["a.jpg", "b.jpg"], {"b.png": "b.jpg"}),
    "another case": (["A.JPG"], {"a_MASK.PNG": "A.JPG"}),
    "several categories": (["x/test/hole/1.png", "y/test/hole/1.png"],
                           {"y/ground_truth/hole/1_mask.png": "y/test/hole/1.png"}),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_mask_finds_its_image_and_no_other(name):
    images, expected = LAYOUTS[name]

    found = pair_masks(images, list(expected))

    assert {mask: image for image, masks in found.of_image.items() for mask in masks} == expected
    assert (found.unused, found.unclear) == ([], [])


def test_a_mask_of_another_kind_of_defect_is_no_mask_of_the_image():
    found = pair_masks(["test/hole/000.png"], ["ground_truth/cut/000_mask.png"])

    assert found.of_image == {}
    assert found.unused == ["ground_truth/cut/000_mask.png"]


def test_masks_of_several_kinds_that_fit_one_image_are_unclear():
    """The image was opened without the folder that says which kind it is."""
    found = pair_masks(["000.png"], ["hole/000_mask.png", "cut/000_mask.png"])

    assert found.of_image == {}
    assert found.unclear == ["hole/000_mask.png", "cut/000_mask.png"]


def test_masks_in_a_folder_of_the_image_s_name_are_not_those_of_images_with_their_number():
    found = pair_masks(["000.png", "001.png"], ["000/000.png", "000/001.png", "001/000.png"])

    assert found.of_image == {"000.png": ["000/000.png", "000/001.png"], "001.png": ["001/000.png"]}


def test_a_mask_that_fits_images_in_two_folders_is_unclear():
    found = pair_masks(["test/hole/000.png", "test/cut/000.png"], ["masks/000.png"])

    assert found.of_image == {}
    assert found.unclear == ["masks/000.png"]
