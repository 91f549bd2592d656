"""One report says what is done with each column: the same in Python, in the shell and on the Data page."""

import numpy as np
import pandas as pd
from PIL import Image

from ad_core import pipeline
from ad_core.progress import Silent

N = 300


def machines() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "part": [f"p{i:04d}" for i in range(N)],
            "speed [m/s]": rng.normal(size=N),
            "count": rng.integers(0, 100, N),
            "shop": rng.choice(["north", "south", "east"], N),
            "machine_id": np.arange(N) * 7 % 88,
            "site": "Ulm",
            "failure": np.arange(N) % 25 == 0,
        }
    )


def test_every_column_has_a_line_and_the_summary_counts_them():
    report = pipeline.open_dataset(machines(), ignore=["count"]).report()

    assert report.summary == (
        "7 columns: 2 used (1 number, 1 category); row id 'part'; label 'failure'; 1 only watched for new values "
        "('site'); 2 left out. Left out: 'count'. As declared. Left out: 'machine_id'. An identifier by its name, with "
        "88 different values."
    )
    assert report.lines == [
        "part: names the rows.",
        "speed [m/s]: used as a number [m/s].",
        "count: left out: as declared.",
        "shop: used as a category with 3 values.",
        "machine_id: left out: An identifier by its name, with 88 different values.",
        "site: only watched: Every row has the same value. Nothing can be learnt from it, but a new value is an alarm.",
        "failure: the label: used for evaluation, never for training.",
    ]
    assert str(report).splitlines()[1:] == [f"  {line}" for line in report.lines]
    assert report.table["column"].tolist() == list(machines().columns)


def test_an_identifier_that_repeats_is_offered_as_a_category_or_a_class():
    said = " ".join(pipeline.open_dataset(machines()).notices)

    assert "'machine_id' (88 values)" in said
    assert "--category machine_id" in said
    assert "--class-column machine_id" in said
    as_category = pipeline.open_dataset(machines(), use=["machine_id"], kinds={"machine_id": "category"})
    assert "machine_id: used as a category with 88 values" in str(as_category.report())
    assert not any("identifiers" in notice for notice in as_category.notices)


def test_a_training_says_it_too():
    class Heard(Silent):
        said: list[str]

        def __init__(self) -> None:
            self.said = []

        def say(self, message: str) -> None:
            self.said.append(message)

    heard, dataset = Heard(), pipeline.open_dataset(machines())

    pipeline.train(dataset, "histogram", report=heard)

    assert dataset.report().summary in heard.said


def test_a_recording_and_images_have_a_report(tmp_path):
    rng = np.random.default_rng(0)
    time = pd.date_range("2026-01-01", periods=N, freq="min")
    waves = pd.DataFrame({"time": time, "p": rng.normal(size=N), "on": np.arange(N) // 9 % 2})
    for at in range(3):
        Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).save(tmp_path / f"{at}.png")

    assert pipeline.open_dataset(waves).report().summary == (
        "3 columns: 2 used (1 number, 1 on/off value); time 'time'; none left out."
    )
    assert pipeline.open_dataset(tmp_path).report().summary == (
        "3 of 3 images can be used: their pixels are; their folder is not used."
    )
