"""The samples that ship: complete, readable, labelled as declared, and made again by their scripts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "sample_data"
SAMPLES = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
PLATES = FOLDER / "machined_plates_synthetic"
MASKS = sorted((PLATES / "masks").rglob("*.png"))


def names(sample: dict) -> str:
    return sample["name"]


def tabular() -> list[dict]:
    return [sample for sample in SAMPLES if sample["modality"] != "image"]


def test_home_gets_one_sample_of_each_modality():
    assert [sample["modality"] for sample in SAMPLES[:3]] == ["table", "image", "sensor"]


def test_the_samples_stay_small():
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts)

    assert size < 8e6  # bytes


@pytest.mark.parametrize("sample", SAMPLES, ids=names)
def test_a_sample_says_where_it_comes_from_and_is_in_the_readme(sample):
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert all(sample[fact] for fact in ("title", "about", "anomalous", "origin", "licence", "units"))
    assert f"`{sample['name']}`" in readme
    assert all((FOLDER / path).exists() for path in [*sample["train"], *sample["new"]])


@pytest.mark.parametrize("sample", tabular(), ids=names)
def test_files_have_the_declared_columns_and_rows(sample):
    train = pd.concat(pd.read_csv(FOLDER / path) for path in sample["train"])
    new = pd.concat(pd.read_csv(FOLDER / path) for path in sample["new"])
    declared = sample["declared"]

    assert len(train) == sample["rows"]
    assert list(new.columns) == list(train.columns)
    assert {declared[role] for role in ("id", "label", "time") if role in declared} <= set(train.columns)
    assert set(declared.get("ignore", ())) <= set(train.columns)


@pytest.mark.parametrize("sample", [s for s in tabular() if "label" in s["declared"]], ids=names)
def test_normal_rows_teach_mostly_and_the_new_file_has_both_kinds(sample):
    label = sample["declared"]["label"]
    train = pd.concat(pd.read_csv(FOLDER / path) for path in sample["train"])[label]
    new = pd.concat(pd.read_csv(FOLDER / path) for path in sample["new"])[label]

    assert set(new) == {0, 1}
    assert train.mean() < 0.06


@pytest.mark.parametrize("part", ["train", "new"])
def test_the_walk_is_sampled_evenly(part):
    time = pd.read_csv(FOLDER / "walking_sensor_faults" / f"{part}.csv")["time [s]"]

    assert np.allclose(np.diff(time), 1 / 64, atol=1.1e-4)  # times are rounded to 0.1 ms


def test_every_fraud_has_a_kind():
    kinds = pd.read_csv(FOLDER / "card_payments_synthetic" / "fraud_kinds.csv")
    files = [pd.read_csv(FOLDER / "card_payments_synthetic" / name) for name in ("train.csv", "next_month.csv")]
    frauds = pd.concat(frame.loc[frame["is_fraud"] == 1, "payment_id"] for frame in files)

    assert set(kinds["payment_id"]) == set(frauds)
    assert kinds["fraud_kind"].value_counts().min() >= 40


def test_next_month_has_values_that_nobody_saw_before():
    before, after = (pd.read_csv(FOLDER / "card_payments_synthetic" / name) for name in ("train.csv", "next_month.csv"))

    assert set(after["merchant_category"]) - set(before["merchant_category"]) == {"scooter_hire"}
    assert set(after["entry_mode"]) - set(before["entry_mode"]) == {"wearable"}


def test_all_plates_are_colour_images_of_one_size():
    files = sorted(PLATES.rglob("*.jpg"))
    seen = set()
    for file in files:
        with Image.open(file) as image:
            image.load()
            seen.add((image.mode, image.size))

    assert seen == {("RGB", (160, 160))}
    assert len(list((PLATES / "train").rglob("*.jpg"))) == next(s["rows"] for s in SAMPLES if s["modality"] == "image")


@pytest.mark.parametrize("mask", MASKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_mask_fits_its_image_and_marks_a_small_part(mask):
    with Image.open(mask) as image, Image.open(PLATES / "new" / mask.parent.name / f"{mask.stem}.jpg") as plate:
        marked = np.asarray(image)

        assert image.size == plate.size
        assert set(np.unique(marked)) == {0, 255}
        assert 15 <= (marked == 255).sum() <= 2000  # px


def test_every_defective_plate_has_a_mask():
    defective = {(p.parent.name, p.stem) for p in (PLATES / "new").rglob("*.jpg") if p.parent.name != "good"}

    assert {(p.parent.name, p.stem) for p in MASKS} == defective


def test_plates_rendered_again_are_the_same(tmp_path):
    subprocess.run([sys.executable, FOLDER / "make_plates.py", "--out", tmp_path, "--first", "1"], check=True)
    again = sorted(tmp_path.rglob("*.[jp][pn]g"))

    assert len(again) == 6 + 4
    for file in again:
        with Image.open(file) as new, Image.open(PLATES / file.relative_to(tmp_path)) as shipped:
            difference = np.abs(np.asarray(new, dtype=int) - np.asarray(shipped, dtype=int))
        # other processors round the last bit of a sum otherwise, which JPEG can widen to a few grey levels
        assert difference.max() <= 6
        assert difference.mean() < 0.05


def test_card_payments_made_again_are_the_same(tmp_path):
    subprocess.run([sys.executable, FOLDER / "make_tables.py", "--out", tmp_path], check=True)

    for file in sorted(tmp_path.rglob("*.csv")):
        pd.testing.assert_frame_equal(pd.read_csv(file), pd.read_csv(FOLDER / file.relative_to(tmp_path)))
