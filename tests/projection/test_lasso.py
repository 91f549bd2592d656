"""Points inside a drawn line, against matplotlib's own answer and by hand."""

import numpy as np
import pytest
from matplotlib.path import Path

from ad_core.projection.lasso import inside_polygon

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4]]


def test_a_square_holds_what_is_in_it():
    places = np.array([[2, 2], [5, 2], [2, 5], [-1, 2], [2, -1], [np.nan, 2]])

    assert inside_polygon(places, np.array(SQUARE)).tolist() == [True, False, False, False, False, False]


def test_a_bay_is_outside():
    horseshoe = np.array([[0, 0], [6, 0], [6, 6], [4, 6], [4, 2], [2, 2], [2, 6], [0, 6]])

    assert inside_polygon(np.array([[1, 5], [3, 4], [5, 5], [3, 1]]), horseshoe).tolist() == [True, False, True, True]


def test_what_a_crossing_line_encloses_twice_is_outside():
    star = np.array([[np.sin(a), np.cos(a)] for a in 4 * np.pi * np.arange(5) / 5])

    assert not inside_polygon(np.zeros((1, 2)), star)[0]
    assert inside_polygon(np.array([[0, 0.7]]), star)[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_line_drawn_by_hand_holds_the_same_points_as_for_matplotlib(seed):
    generator = np.random.default_rng(seed)
    turn = np.sort(generator.uniform(0, 2 * np.pi, 40))
    line = np.stack([np.cos(turn), np.sin(turn)], 1) * generator.uniform(0.3, 1.5, 40)[:, None]
    places = generator.normal(size=(5000, 2))

    np.testing.assert_array_equal(inside_polygon(places, line), Path(line).contains_points(places))


@pytest.mark.parametrize("line", [[], [[0, 0]], [[0, 0], [1, 1]], [[1, 1], [1, 1], [1, 1]]])
def test_a_line_without_an_inside_holds_nothing(line):
    assert not inside_polygon(np.array([[0, 0], [1, 1], [0.5, 0.5]]), np.array(line)).any()


def test_neighbouring_squares_share_no_point_on_their_border():
    places = np.array([[4.0, y] for y in np.linspace(0, 3.9, 14)])
    beside = np.array(SQUARE) + np.array([4, 0])

    both = inside_polygon(places, np.array(SQUARE)).astype(int) + inside_polygon(places, beside)

    assert (both == 1).all()
