"""Mean distances worked out by hand."""

import numpy as np

from ad_core.methods.references.nearest_neighbours import NearestNeighbours, NearestNeighboursSettings

LINE = np.array([[0.0], [1.0], [2.0], [10.0]], dtype=np.float32)


def test_score_is_the_mean_distance_to_the_nearest_rows():
    reference = NearestNeighbours(NearestNeighboursSettings(neighbours=2), 0)
    reference.fit(LINE)

    np.testing.assert_allclose(reference.score(np.array([[1.25], [9.0], [-3.0]], dtype=np.float32)), [0.5, 4.0, 3.5])


def test_a_fitted_row_is_not_its_own_neighbour():
    reference = NearestNeighbours(NearestNeighboursSettings(neighbours=2), 0)
    reference.fit(LINE)

    np.testing.assert_allclose(reference.score(LINE), [1.5, 1.0, 1.5, 8.5])


def test_fewer_rows_than_neighbours_are_all_used():
    reference = NearestNeighbours(NearestNeighboursSettings(), 0)
    reference.fit(LINE)

    np.testing.assert_allclose(reference.score(np.full((1, 1), -1, dtype=np.float32)), [17 / 4])
