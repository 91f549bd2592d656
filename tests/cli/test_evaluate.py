"""`evaluate` on the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from ad_core import pipeline
from ad_core.cli.app import app
from ad_core.errors import DataError


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A detector of 300 normal rows, and 120 new ones of which 20 are far off."""
    folder, random = tmp_path_factory.mktemp("labelled"), np.random.default_rng(0)
    taught = pd.DataFrame(random.normal(size=(300, 3)), columns=list("abc"))
    new = pd.DataFrame(random.normal(size=(120, 3)), columns=list("abc"))
    new.loc[:19, "a"] += 8
    new["checked"] = np.r_[np.ones(20), np.zeros(100)]
    new["site"] = np.tile(["north", "south"], 60)
    new.to_csv(folder / "new.csv", index=False)
    dataset = pipeline.open_dataset(taught)
    pipeline.train(dataset, "mahalanobis", training_rows="clean").save(folder / "bundle")
    return folder / "bundle", folder / "new.csv"


def test_figures_guarantee_and_segments_are_told(labelled):
    bundle, data = labelled
    command = ["evaluate", str(bundle), str(data), "--label", "checked", "--segment", "site", "--json"]

    found = CliRunner().invoke(app, command, catch_exceptions=False)

    report = json.loads(found.stdout)
    assert report["figures"]["positives"] == 20
    assert report["figures"]["auroc"] > 0.99
    assert [line["k"] for line in report["precision"]] == [10, 20, 50, 100]
    assert report["precision"][0]["precision"] == 1.0
    assert {line["segment"] for line in report["segments"]} == {"north", "south"}
    assert all(line["recall"] == 1.0 for line in report["guarantees"][1:3])
    assert "60 more labelled anomalies" in report["more_labels"]


def test_the_rows_that_taught_are_no_test_of_a_guarantee(labelled, tmp_path):
    _, data = labelled
    dataset = pipeline.open_dataset(data, label="checked")
    pipeline.train(dataset, "mahalanobis", training_rows="unsure").save(tmp_path / "bundle")

    found = CliRunner().invoke(app, ["evaluate", str(tmp_path / "bundle"), str(data), "--json"], catch_exceptions=False)

    report = json.loads(found.stdout)
    assert report["guarantees"] == []
    assert report["figures"]["positives"] == 20


def test_people_get_sentences(labelled):
    bundle, data = labelled

    found = CliRunner().invoke(app, ["evaluate", str(bundle), str(data), "--label", "checked"], catch_exceptions=False)

    assert "20 labelled anomalies among 120 rows." in found.stdout
    assert "right among the highest 10: 1.00 [0.72, 1.00]" in found.stdout
    assert "false positive rate guaranteed 0.05" in found.stdout


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ([], "no label column"),
        (["--label", "checked", "--segment", "sight"], "no column 'sight'"),
        (["--label", "site"], "has the value 'north'"),
        (["--label", "a"], "can't be read"),
    ],
)
def test_what_can_t_be_judged_is_said(labelled, more, error):
    bundle, data = labelled

    with pytest.raises(DataError, match=error):
        CliRunner().invoke(app, ["evaluate", str(bundle), str(data), *more], catch_exceptions=False)


def test_a_label_with_one_class_only_gives_no_figure(labelled, tmp_path):
    bundle, data = labelled
    pd.read_csv(data).iloc[20:].to_csv(tmp_path / "normal.csv", index=False)

    found = CliRunner().invoke(
        app, ["evaluate", str(bundle), str(tmp_path / "normal.csv"), "--label", "checked"], catch_exceptions=False
    )

    assert "None of the 100 labelled rows is an anomaly" in found.stdout
    assert "auroc" not in found.stdout


def test_masks_judge_images_and_their_maps(plates_folder, trained_on_plates, tmp_path):
    """Scratched plates are bright along a diagonal; masks mark just that, and say which plates are anomalies."""
    trained_on_plates.detector.save(tmp_path / "bundle")
    scratched = sorted((plates_folder / "scratch").iterdir())
    (tmp_path / "masks" / "scratch").mkdir(parents=True)
    for file in scratched:
        marked = np.asarray(Image.open(file)) > 200
        Image.fromarray(marked).save(tmp_path / "masks" / "scratch" / f"{file.stem}_mask.png")
    command = ["evaluate", str(tmp_path / "bundle"), str(plates_folder), "--masks", str(tmp_path / "masks"), "--json"]

    found = json.loads(CliRunner().invoke(app, command, catch_exceptions=False).stdout)

    assert found["masks"]["masks"] == found["figures"]["positives"] == len(scratched)
    assert found["masks"]["pixel_auroc"] > 0.8
    assert 0 < found["masks"]["aupro"] <= 1


def test_anomalies_that_equal_a_normal_row_are_said(labelled, tmp_path):
    bundle, data = labelled
    rows = pd.read_csv(data)
    copied = pd.concat([rows, rows.iloc[:3].assign(checked=0), rows.iloc[50:52].assign(checked=1)])
    copied.to_csv(tmp_path / "copied.csv", index=False)

    found = CliRunner().invoke(
        app, ["evaluate", str(bundle), str(tmp_path / "copied.csv"), "--label", "checked"], catch_exceptions=False
    )

    assert "5 of 22 labelled anomalies equal a row labelled normal" in found.stdout


def test_of_images_the_folders_and_the_masks_tell_and_what_has_no_mask_is_named(tmp_path):
    """Grey plates with a bright square; one of the three anomalous ones has no mask."""
    random = np.random.default_rng(0)

    def plate(name: str, marked: bool = False, is_mask: bool = False) -> None:
        values = random.integers(90, 110, (32, 32), dtype=np.uint8) * (not is_mask)
        values[8:16, 8:16] += np.uint8(100 * marked)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(tmp_path / name)

    for i in range(24):
        plate(f"data/train/good/{i:02}.png")
    for i in range(6):
        plate(f"data/test/good/{i:02}.png")
        if i < 3:
            plate(f"data/test/hole/{i:02}.png", marked=True)
        if i < 2:
            plate(f"data/ground_truth/hole/{i:02}_mask.png", marked=True, is_mask=True)
    bundle, data = str(tmp_path / "bundle"), str(tmp_path / "data")
    small = ["--set", "reader.size=32", "--pretext", "patch_gaussian"]

    trained = CliRunner().invoke(app, ["train", data, "--out", bundle, *small], catch_exceptions=False)
    found = CliRunner().invoke(
        app, ["evaluate", bundle, f"{data}/test", "--masks", f"{data}/ground_truth", "--json"], catch_exceptions=False
    )

    assert "2 images are masks of defects" in trained.output
    assert "24 of 33 images are training images (train/good)" in " ".join(trained.output.split())
    report = json.loads(found.stdout)
    assert report["figures"]["positives"] == 3
    assert report["masks"]["masks"] == 2
    assert report["masks"]["left_out"] == 1
    assert report["masks"]["notes"][0].endswith("left out of the figures per pixel: hole/02.png.")


def test_a_folder_can_be_said_to_be_something_else(tmp_path):
    random = np.random.default_rng(0)
    for i in range(12):
        for name in ("good", "matt"):
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            values = random.integers(0, 255, (16, 16), dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / "data" / name / f"{i}.png")
    command = ["train", str(tmp_path / "data"), "--out", str(tmp_path / "bundle"), "--pretext", "isolation_forest"]

    wrong = CliRunner().invoke(app, [*command, "--folder", "matt"])
    CliRunner().invoke(app, [*command, "--folder", "matt=train"], catch_exceptions=False)

    assert "Write NAME=USE" in str(wrong.exception)
    detector = pipeline.load_detector(tmp_path / "bundle")
    assert detector.info.declared.folders == {"matt": "train"}
    assert len(pipeline.open_like(detector, tmp_path / "data" / "good")) == 12
