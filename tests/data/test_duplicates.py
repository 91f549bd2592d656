"""What is there twice, or nearly: rows, images, stretches of recordings."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ad_core.data.duplicates import CELLS, SEGMENT, near_duplicates
from ad_core.data.opening import open_dataset

N = 400


def orders(n: int = N) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "amount": random.lognormal(3, 1, n),
            "weight": random.normal(50, 9, n),
            "city": random.choice(["Bern", "Basel", "Chur"], n),
            "hour": random.uniform(0, 24, n),
            "speed": random.normal(size=n),
        }
    )


def found_in(data: pd.DataFrame, **declared: object):
    return near_duplicates(open_dataset(data.assign(key=[f"k{i}" for i in range(len(data))]), id="key", **declared))


def test_a_row_that_differs_in_one_column_is_found_with_that_column():
    data = orders()
    data.loc[300] = data.loc[20]
    data.loc[300, "amount"] = 9999.0
    data.loc[301] = data.loc[21]
    data.loc[301, "city"] = "Genf"

    found = found_in(data)

    assert found.pairs.to_numpy().tolist() == [["k300", "k20", "amount"], ["k301", "k21", "city"]]
    assert "2 of 400 rows nearly equal an earlier one" in found.sentence
    assert "'k300' and 'k20'" in found.sentence


def test_a_row_that_was_typed_with_fewer_digits_is_found():
    data = orders()
    data.loc[300] = data.loc[20]
    data.loc[300, "weight"] += 1e-6
    data.loc[300, "city"] = data.loc[20, "city"].upper() + " "

    assert found_in(data).pairs.to_numpy().tolist() == [["k300", "k20", ""]]


def test_equal_rows_are_no_near_duplicates():
    data = orders()
    data.loc[300] = data.loc[20]

    assert found_in(data).sentence == ""


def test_rows_that_differ_in_two_columns_are_different():
    data = orders()
    data.loc[300] = data.loc[20]
    data.loc[300, ["amount", "weight"]] = [9999.0, 1.0]

    assert found_in(data).pairs.empty


def test_where_rows_agree_by_nature_nothing_is_said():
    random = np.random.default_rng(0)
    few_levels = pd.DataFrame({name: random.choice(list("abcd"), 2000) for name in ("a", "b", "c", "d", "e")})

    assert found_in(few_levels).sentence == ""
    assert found_in(orders()[["amount", "weight", "city"]].iloc[:40]).sentence == ""


def test_what_agrees_by_chance_is_left_out():
    """Without one of the two numbers, a few of 400 rows agree by chance; with both, hardly any can."""
    random = np.random.default_rng(0)
    data = pd.DataFrame({name: random.choice(list("ab"), N) for name in ("a", "b", "c")})
    data["amount"], data["weight"] = random.uniform(size=(2, N))
    data.loc[300] = data.loc[20]
    data.loc[300, "a"] = {"a": "b", "b": "a"}[data.loc[20, "a"]]

    assert found_in(data).pairs.to_numpy().tolist() == [["k300", "k20", "a"]]


def test_only_so_many_rows_of_a_long_table_are_looked_at(monkeypatch):
    data = orders()
    data.loc[300] = data.loc[20]
    data.loc[300, "amount"] = 9999.0
    monkeypatch.setattr("ad_core.data.duplicates.CELLS", 5 * 200)

    assert found_in(data).pairs.empty
    assert CELLS > 5 * 200


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Twenty different ones."""
    random = np.random.default_rng(0)
    for i in range(20):
        coarse = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC).save(tmp_path / f"{i:02d}.png")
    return tmp_path


def test_an_image_saved_again_smaller_and_as_jpeg_is_found(pictures):
    Image.open(pictures / "03.png").resize((64, 64)).save(pictures / "z.jpg", quality=90)

    found = near_duplicates(open_dataset(pictures, modality="image"))

    assert found.pairs[["row_id", "like"]].to_numpy().tolist() == [["z.jpg", "03.png"]]
    assert "1 of 21 images" in found.sentence


@pytest.mark.parametrize("name", ["a.bmp", "z.bmp"])
def test_the_same_pixels_in_another_file_are_found(pictures, name):
    Image.open(pictures / "03.png").save(pictures / name)

    found = near_duplicates(open_dataset(pictures, modality="image"))

    assert found.pairs[["row_id", "like"]].to_numpy().tolist() == [sorted([name, "03.png"])[::-1]]


def test_different_images_and_equal_files_are_no_near_duplicates(pictures):
    (pictures / "z.png").write_bytes((pictures / "03.png").read_bytes())  # one of 21 is not more than usual

    assert near_duplicates(open_dataset(pictures, modality="image")).sentence == ""


def recording(n: int = 1000) -> pd.DataFrame:
    random = np.random.default_rng(0)
    times = pd.date_range("2026-01-01", periods=n, freq="s")
    return pd.DataFrame({"time": times, "flow": random.normal(size=n), "heat": random.normal(size=n)})


def test_a_stretch_that_was_sent_twice_is_found():
    data = recording()
    data.loc[600:699, ["flow", "heat"]] = data.loc[100:199, ["flow", "heat"]].to_numpy()

    found = near_duplicates(open_dataset(data, modality="sensor", time="time"))

    assert len(found.pairs) == 1
    assert found.sentence.startswith("100 rows from ")
    assert "00:10:00" in found.pairs["row_id"][0]
    assert "00:01:40" in found.pairs["like"][0]


@pytest.mark.parametrize("kind", ["at rest", "periodic", "one channel only", "short"])
def test_what_repeats_itself_by_nature_was_not_copied(kind):
    data = recording()
    if kind == "at rest":
        data.loc[200:400, ["flow", "heat"]] = 0.0
    elif kind == "periodic":
        data[["flow", "heat"]] = np.tile(data.loc[:49, ["flow", "heat"]].to_numpy(), (20, 1))
    elif kind == "one channel only":
        data.loc[600:699, "flow"] = data.loc[100:199, "flow"].to_numpy()
    else:
        data.loc[600 : 600 + SEGMENT - 2, ["flow", "heat"]] = data.loc[
            100 : 100 + SEGMENT - 2, ["flow", "heat"]
        ].to_numpy()

    assert near_duplicates(open_dataset(data, modality="sensor", time="time")).sentence == ""
