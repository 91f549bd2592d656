"""Marks of how far a point's place on a map can be believed, on planes small enough to reckon by hand."""

import numpy as np
import pytest

from ad_core.projection.trust import AT_LEAST, BEYOND, Outside, PlaneJudge

LINE = np.stack([np.arange(30.0), np.zeros(30)], axis=1)
"""Thirty places at distance 1 on a line."""


def judge(neighbours: int = 3, far: np.ndarray | None = None) -> PlaneJudge:
    return PlaneJudge(LINE, np.zeros(30, dtype=bool) if far is None else far, neighbours)


def test_neighbours_that_are_near_on_the_plane_are_kept():
    """The three nearest of place 10 are 9, 11 and 8 or 12: near is what is no farther than 2."""
    near = np.array([[9, 11, 12], [9, 11, 25], [0, 25, 29]])

    assert judge().kept(LINE[[10, 10, 10]], near).tolist() == pytest.approx([1, 2 / 3, 0])


def test_a_place_between_fitted_ones_borrows_the_reach_of_the_closest():
    assert judge().kept(np.array([[10.4, 0.0]]), np.array([[9, 12, 13]])).tolist() == pytest.approx([2 / 3])


def test_a_neighbourhood_grows_with_the_number_of_points():
    """Of 3,000 fitted points thirty are near, though only three neighbours are asked about."""
    many = np.stack([np.arange(3000.0), np.zeros(3000)], axis=1)

    found = PlaneJudge(many, np.zeros(3000, dtype=bool), 3).kept(many[[1500]], np.array([[1486, 1515, 1516]]))

    assert found.tolist() == pytest.approx([2 / 3])


def test_only_a_far_point_that_is_drawn_in_the_crowd_is_marked():
    places = np.array([[15.0, 0.1], [15.0, 0.1], [15.0, 40.0]])

    assert judge().inside(places, np.array([True, False, True])).tolist() == [True, False, False]


def test_far_points_are_no_crowd_to_be_drawn_in():
    island = np.concatenate([LINE, LINE[:6] / 10 + [15, 40]])
    far = np.arange(36) >= 30

    assert not PlaneJudge(island, far, 3).inside(island, far).any()


def test_with_too_small_a_crowd_nothing_is_marked():
    far = np.arange(30) >= 15

    assert not judge(far=far).inside(LINE, far).any()


def test_the_limit_is_beyond_what_is_usual_among_normals():
    normals = np.random.default_rng(0).normal(size=(200, 8))
    own = np.sort(np.linalg.norm(normals[:, None] - normals, axis=2), axis=1)[:, 1:6].mean(axis=1)
    middle, usual = np.quantile(own, [0.5, 0.99])

    outside = Outside(normals)

    assert outside.limit == pytest.approx(middle + BEYOND * (usual - middle), rel=1e-4)  # float32 distances
    assert outside.far(np.stack([normals[0], np.full(8, 9.0)])).tolist() == [False, True]


def test_evenly_spaced_normals_leave_some_room():
    limit = Outside(np.linspace(0, 1, 5000)[:, None] * 5000).limit

    assert limit >= AT_LEAST * 1.8  # the nearest five on both sides are 1, 1, 2, 2 and 3 away


@pytest.mark.parametrize(
    "normals",
    [np.zeros((0, 3)), np.random.default_rng(0).normal(size=(19, 3)), np.ones((50, 3)), np.full((50, 3), np.nan)],
)
def test_where_the_normals_say_nothing_nothing_is_far(normals):
    assert not Outside(normals).far(np.full((2, 3), 1e6)).any()
