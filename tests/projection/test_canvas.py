"""The bytes that a browser draws from, read back as its script reads them."""

import json
import zlib

import numpy as np
import pandas as pd
import pytest

from ad_core.projection.canvas import IS_ALERT, IS_FAR, NO_PICTURE, STEPS, Pictures, packed
from ad_core.projection.colours import MUTED, TINTS, UNKNOWN, colouring
from ad_core.projection.sprite_sheet import COLUMNS, SIDE

KINDS = {"score": "<f4", "value": "<f4", "place": "<u2", "code": "u1", "mark": "u1", "cell": "<u2"}


@pytest.fixture
def points() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "row_id": [f"r{i}\n" if i == 3 else f"r{i}" for i in range(50)],
            "x": generator.normal(size=50) * 1000,
            "y": generator.normal(size=50),
            "score": np.arange(50.0),
            "alert": np.arange(50) >= 45,
            "far_inside": np.arange(50) == 7,
            "amount": np.where(np.arange(50) == 2, np.nan, generator.normal(size=50)),
            "shop": [f"shop {i % 9}" for i in range(50)],
        }
    )


def read(sent: bytes) -> tuple[dict, dict]:
    length = int(np.frombuffer(sent, "<u4", 1)[0])
    header, at, parts = json.loads(sent[4 : 4 + length]), 4 + length, {}
    assert length % 4 == 0
    for name, size in header["sections"]:
        part = sent[at : at + size]
        if name in KINDS:
            parts[name] = np.frombuffer(part, KINDS[name])
        else:
            parts[name] = part if name == "sheet" else zlib.decompress(part).decode().split("\n")
        at += size
    assert at == len(sent)
    return header, parts


def test_places_come_back_to_one_step_in_65535(points):
    header, parts = read(packed(points, ("x", "y"), "alert", "run-x", "words"))

    back = parts["place"].reshape(-1, 2) / STEPS * header["size"] + header["low"]

    np.testing.assert_allclose(back, points[["x", "y"]], atol=max(header["size"]) / STEPS)


def test_every_point_has_its_id_score_and_marks(points):
    header, parts = read(packed(points, ("x", "y"), "alert", "run-x", "words"))

    assert parts["ids"] == [f"r{i} " if i == 3 else f"r{i}" for i in range(50)]
    np.testing.assert_array_equal(parts["score"], points["score"])
    assert np.flatnonzero(parts["mark"] & IS_ALERT).tolist() == [45, 46, 47, 48, 49]
    assert np.flatnonzero(parts["mark"] & IS_FAR).tolist() == [7]
    assert (header["n"], header["alerts"], header["far"], header["alt"]) == (50, 5, 1, "words")


def test_numbers_are_sent_beside_their_colours_unless_they_are_the_score(points):
    _, of_amount = read(packed(points, ("x", "y"), "amount", "run-x", ""))
    _, of_score = read(packed(points, ("x", "y"), "score", "run-x", ""))

    np.testing.assert_allclose(of_amount["value"], points["amount"], rtol=1e-6)
    assert of_amount["code"][2] == UNKNOWN
    assert "value" not in of_score
    assert (of_score["code"][0], of_score["code"][-1]) == (0, 254)


def test_only_the_plane_of_umap_has_the_same_scale_both_ways(points):
    points = points.assign(pca_x=points["x"], pca_y=points["y"])

    assert read(packed(points, ("x", "y"), "alert", "", ""))[0]["equal"]
    assert not read(packed(points, ("pca_x", "pca_y"), "alert", "", ""))[0]["equal"]


def test_points_on_one_spot_and_runs_without_marks_are_drawn_too(points):
    flat = points.drop(columns="far_inside").assign(x=1.0)

    header, parts = read(packed(flat, ("x", "y"), "alert", "", ""))

    assert (parts["place"].reshape(-1, 2)[:, 0] == 0).all()
    assert header["far"] == 0


def test_the_common_values_get_a_colour_each_and_the_others_one_together(points):
    found = colouring(points, "shop")

    assert found.names[-1] == "(all others)"
    assert found.tints == (*TINTS, MUTED)
    assert np.bincount(found.codes).sum() == 50
    named = [points["shop"][i] == found.names[c] for i, c in enumerate(found.codes) if c < len(TINTS)]
    assert all(named)


def test_missing_values_are_a_group_of_their_own():
    found = colouring(pd.DataFrame({"data:shop": ["a", None, "a"]}), "data:shop")

    assert (found.title, found.names, found.codes.tolist()) == ("shop", ("a", "(missing)"), [0, 1, 0])


def test_pictures_come_with_the_cell_of_each_point_that_has_one(points):
    pictures = Pictures(b"a picture", np.array([9, -1, 3]))

    header, parts = read(packed(points, ("x", "y"), "alert", "run-x", "words", pictures))

    assert parts["sheet"] == b"a picture"
    assert (parts["cell"][9], parts["cell"][3]) == (0, 2)
    assert (np.delete(parts["cell"], [3, 9]) == NO_PICTURE).all()
    assert header["grid"] == [SIDE, COLUMNS]


def test_a_map_without_pictures_sends_none(points):
    _, parts = read(packed(points, ("x", "y"), "alert", "run-x", "words"))

    assert not {"cell", "sheet"} & set(parts)
