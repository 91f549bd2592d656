"""Large pictures as tiles, from the file to the explanation, and the map stitched together again."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ad_core.data.dataset import Dataset
from ad_core.data.images.tiles import OVERLAP, Box, boxes, stitched
from ad_core.errors import DataError
from ad_core.explain.anomaly_maps import anomaly_maps
from ad_core.explain.attribution import How
from ad_core.explain.counterfactual.find import counterfactual
from ad_core.explain.explain import explain_rows
from ad_core.pipeline import Trained, open_dataset, train_all
from ad_core.progress import Silent
from ad_core.projection.of_detector import embedding_map
from ad_core.training.choice import Choice

HEIGHT, WIDTH, TILE = 96, 160, 48


@given(st.integers(1, 700), st.integers(1, 700), st.integers(8, 200))
def test_tiles_cover_the_picture_and_share_a_part_of_their_sides(height, width, side):
    covered = np.zeros((height, width), dtype=int)
    found = boxes(height, width, side)
    for box in found:
        assert box.height == min(side, height)
        assert box.width == min(side, width)
        covered[box.top : box.top + box.height, box.left : box.left + box.width] += 1

    assert covered.min() >= 1
    lefts = sorted({box.left for box in found})
    assert all(b - a <= side * (1 - OVERLAP) + 1 for a, b in itertools.pairwise(lefts))


def test_without_a_side_the_picture_is_one_tile():
    assert boxes(90, 40, 0) == [Box(0, 0, 90, 40)]


def test_stitching_cut_maps_gives_the_map_back():
    whole = np.random.default_rng(0).random((60, 100)).astype(np.float32)
    parts = boxes(60, 100, 32)
    cut = np.stack([whole[b.top : b.top + 32, b.left : b.left + 32] for b in parts])

    np.testing.assert_allclose(stitched(cut, parts, (60, 100)), whole, atol=1e-6)


@pytest.fixture(scope="module")
def belts(tmp_path_factory) -> Path:
    """Wide pictures of even noise; the last one has a small bright spot at y 70-78, x 120-128."""
    folder, random = tmp_path_factory.mktemp("belts"), np.random.default_rng(0)
    for i in range(25):
        pixels = random.normal(120, 6, (HEIGHT, WIDTH)).clip(0, 255).astype(np.uint8)
        if i == 24:
            pixels[70:78, 120:128] = 250
        Image.fromarray(pixels).save(folder / f"b{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def opened(belts) -> Dataset:
    dataset = open_dataset(belts, modality="image")
    return dataset.with_training_rows(np.arange(25) < 24)


@pytest.fixture(scope="module")
def trained(opened) -> Trained:
    settings = {
        "reader": {"size": 32, "tile": TILE},
        "training": {"max_steps": 20, "batch_size": 16},
        "encoder": {"width": 8},
    }
    return train_all(opened, Choice(pretext="autoencoder", settings=settings), Silent())


def test_each_picture_is_many_items_and_one_row(trained, opened):
    item_set, tiles = trained.item_set, boxes(HEIGHT, WIDTH, TILE)

    assert len(tiles) == 3 * 4
    assert len(item_set) == 25 * len(tiles)
    assert len(trained.scores) == 25
    index, places = item_set.pieces(3)
    assert index.tolist() == list(range(3 * len(tiles), 4 * len(tiles)))
    assert places == tiles
    box = tiles[7]
    own = np.asarray(Image.open(opened.data["file"].iloc[3]).crop((box.left, box.top, box.left + TILE, box.top + TILE)))
    small = np.asarray(Image.fromarray(own).resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(item_set.take(index[7:8])[0, 0].numpy() * 255, small, atol=1e-3)


def test_no_picture_is_split_between_teaching_and_calibrating(trained):
    start = trained.item_set.items["start"].to_numpy()
    parts = [set(start[part]) for part in (trained.split.fit, trained.split.early_stop, trained.split.calibration)]

    assert sum(map(len, parts)) == len(set.union(*parts)) == 24
    assert trained.detector.calibration.n == len(parts[2]), "a p-value counts pictures"


def test_a_picture_has_the_score_of_its_highest_tile(trained):
    scores = trained.scores["score"].to_numpy()

    highest = trained.item_scores.reshape(25, -1).max(1)
    np.testing.assert_allclose(scores, highest, rtol=1e-6)
    assert scores.argmax() == 24
    assert {"isolation_forest", "nearest_neighbours"} <= set(trained.references)
    assert len(trained.references) == 25


def test_the_stitched_map_and_the_first_part_lie_on_the_spot(trained, opened):
    maps = dict(anomaly_maps(trained.detector, opened, Silent()))
    found = explain_rows(trained.detector, opened, ["b24.png", "b03.png"], How(), Silent())

    assert len(maps) == 25
    assert maps["b24.png"].shape == (HEIGHT, WIDTH)
    y, x = np.unravel_index(maps["b24.png"].argmax(), (HEIGHT, WIDTH))
    assert 64 <= y < 84
    assert 114 <= x < 134
    np.testing.assert_allclose(found.maps["b24.png"], maps["b24.png"], rtol=1e-4)
    first = found.parts.query("row_id == 'b24.png'").iloc[0]
    assert first["y0"] < 78
    assert first["y1"] > 70
    assert first["x0"] < 128
    assert first["x1"] > 120


def test_what_would_make_it_normal_is_not_looked_for_among_tiles(trained, opened):
    with pytest.raises(DataError, match="cut into tiles"):
        counterfactual(trained.detector, opened, "b24.png", 0.0, Silent())


def test_the_map_of_embeddings_has_a_point_for_each_picture(trained):
    points, facts = embedding_map(trained.detector, trained.item_set, trained.item_scores, 1000, Silent())

    assert sorted(points["row_id"]) == [f"b{i:02}.png" for i in range(25)]
    assert facts["items"] == 25
    merged = points.merge(trained.scores, on="row_id")
    np.testing.assert_allclose(merged["score_x"], merged["score_y"], rtol=1e-6)


def test_a_saved_detector_cuts_new_pictures_the_same_way(trained, opened, tmp_path):
    from ad_core.pipeline import load_detector

    trained.detector.save(tmp_path / "bundle")
    again = load_detector(tmp_path / "bundle").score(opened)

    pd.testing.assert_series_equal(again["score"], trained.scores["score"], rtol=1e-5)


def test_a_picture_of_another_size_has_another_number_of_tiles(trained, tmp_path):
    Image.fromarray(np.full((40, 300), 120, np.uint8)).save(tmp_path / "long.png")
    Image.fromarray(np.full((40, 30), 120, np.uint8)).save(tmp_path / "small.png")

    item_set = trained.detector.reader.item_set(open_dataset(tmp_path, modality="image"))

    assert [len(item_set.pieces(row)[0]) for row in (0, 1)] == [len(boxes(40, 300, TILE)), 1]
    assert item_set.place(np.ones((len(boxes(40, 300, TILE)), 4, 4)), 0).shape == (40, 300)
