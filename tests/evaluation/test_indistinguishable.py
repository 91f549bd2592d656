"""Labelled anomalies that equal a normal row are counted."""

import numpy as np
import pandas as pd
from PIL import Image

from ad_core.data.opening import open_dataset
from ad_core.evaluation.indistinguishable import equal_in_words, equal_to_normal


def test_anomalies_that_equal_a_normal_row_are_counted_whatever_their_id():
    rows = pd.DataFrame({"id": range(8), "a": [1.0, 2, 3, 4, 1, 2, np.nan, 9], "b": list("xyxyxyyx")})
    rows.loc[3, "a"] = np.nan  # row 3 is normal and equals row 6
    rows["truth"] = [0, 0, 0, 0, 1, 1, 1, 1]
    dataset = open_dataset(rows, label="truth", id="id", modality="table")

    equal = equal_to_normal(dataset, dataset.rows["label"].to_numpy(dtype=float))

    assert equal == 3
    assert equal_in_words(equal, 4).startswith("3 of 4 labelled anomalies equal")


def test_rows_of_unknown_truth_are_no_normal_rows():
    dataset = open_dataset(pd.DataFrame({"a": [1.0, 1, 2, 3]}), modality="table")

    assert equal_to_normal(dataset, [np.nan, 1, 1, 0]) == 0
    assert equal_in_words(0, 2) == ""


def test_copies_of_an_image_are_counted(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    for name, image in {"good": pixels, "bad": pixels, "other": 255 - pixels}.items():
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    dataset = open_dataset(tmp_path)
    labels = (dataset.rows["row_id"].str.contains("bad|other")).to_numpy(dtype=float)

    assert equal_to_normal(dataset, labels) == 1


def test_a_reading_that_equals_another_says_nothing_of_a_recording():
    time = pd.date_range("2026-01-01", periods=200, freq="s")
    dataset = open_dataset(pd.DataFrame({"time": time, "a": np.arange(200) % 10.0}), modality="sensor")

    assert equal_to_normal(dataset, (np.arange(200) > 150).astype(float)) == 0
