"""One colour scale for all images of a run: normal parts stay clear, and a frame shows the most unusual place."""

import numpy as np
import pytest

from ad_core import pipeline
from ad_core.explain.anomaly_maps import anomaly_maps, heat_scale
from ad_core.explain.heat_overlay import outlined, overlay, top_box
from ad_core.explain.heat_scale import HeatScale
from ad_core.progress import Silent
from ad_core.review.reports.case_report import with_heat

SCALE = HeatScale(low=0.0, high=1.0, images=5)


def test_the_scale_is_the_median_and_what_nearly_all_parts_stay_under():
    maps = [np.arange(1000, dtype=np.float32).reshape(20, 50), np.arange(1000, 2001, dtype=np.float32)]

    scale = HeatScale.of(maps)

    assert scale is not None
    assert (scale.low, scale.high, scale.images) == (1000.0, 1998.0, 2)  # 0..2000: their 50 % and 99.9 % quantile
    assert scale.full == 1998 + 2 * 998
    assert HeatScale.of([]) is None
    assert HeatScale.from_facts({"heat_scale": scale.model_dump()}) == scale
    assert HeatScale.from_facts({}) is None


def test_an_overlay_leaves_cold_spots_as_they_are_and_colours_the_hot_one():
    picture = np.full((4, 4), 100, dtype=np.uint8)
    heat = np.zeros((4, 4))
    heat[1, 2] = 1.0

    shown = overlay(picture, heat, 0.8)

    assert shown.shape == (4, 4, 3)
    assert (shown[0, 0] == 100).all()
    assert shown[1, 2, 0] > shown[1, 2, 2]


def test_a_map_without_any_difference_colours_nothing():
    picture = np.full((2, 2, 3), 50, dtype=np.uint8)

    assert (overlay(picture, np.ones((2, 2)), 1.0) == 50).all()


def test_what_calibration_images_reach_stays_clear_on_a_common_scale():
    picture, heat = np.full((2, 2, 3), 50, dtype=np.uint8), np.array([[0.0, 0.9], [1.0, 3.0]])

    shown = overlay(picture, heat, 0.5, SCALE)

    assert (shown[0] == 50).all()
    assert (shown[1, 0] == 50).all()
    assert (shown[1, 1] != 50).any()
    alone = overlay(picture, heat / 10, 0.5, SCALE)
    assert (alone == 50).all()  # a flawless image has no glowing spot
    beside = overlay(picture, np.array([[0.0, 0.0], [0.0, 3.0]]), 0.5, SCALE)
    assert (beside[1, 1] == shown[1, 1]).all()  # the same value has the same colour in every image


def test_the_frame_is_around_the_connected_place_of_the_peak():
    heat = np.zeros((20, 30))
    heat[4:8, 10:15] = 2.0
    heat[5, 12] = 3.0
    heat[15, 2] = 2.9  # another place, almost as hot

    assert top_box(heat) == top_box(heat, SCALE) == (4, 10, 8, 15)
    assert top_box(heat, HeatScale(low=0.0, high=5.0, images=1)) is None  # calibration images reach more
    assert top_box(np.ones((4, 4))) is None


@pytest.mark.parametrize("box", [(4, 10, 8, 15), (0, 0, 20, 30), (18, 28, 20, 30)])
def test_a_frame_covers_nothing_of_its_place_and_stays_within_the_picture(box):
    picture = np.full((20, 30, 3), 90, dtype=np.uint8)

    shown = outlined(picture, box)

    y0, x0, y1, x1 = box
    assert (shown[y0:y1, x0:x1] == 90).all()
    assert shown.shape == picture.shape
    assert (picture == 90).all()
    if box[0] > 0:
        assert (shown != 90).any()


def test_calibration_images_fix_the_colours_and_a_scratch_exceeds_them(trained_on_plates, plates_folder):
    detector, item_set = trained_on_plates.detector, trained_on_plates.item_set

    scale = heat_scale(detector, item_set, Silent())

    assert scale is not None
    assert scale.images == len(detector.calibration_rows)
    maps = dict(anomaly_maps(detector, pipeline.open_dataset(plates_folder), Silent()))
    grey = np.full((40, 40, 3), 130, dtype=np.uint8)
    coloured = {name: (with_heat(grey, heat, scale) != 130).any(axis=2).mean() for name, heat in maps.items()}
    assert coloured["scratch/000.png"] > 0.05
    assert np.mean([share for name, share in coloured.items() if name.startswith("good")]) < 0.03
    assert heat_scale(detector, item_set.only(np.arange(0)), Silent()) is None
