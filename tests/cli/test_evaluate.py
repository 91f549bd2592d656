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
