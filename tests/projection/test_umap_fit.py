"""The graph of neighbours that UMAP lays out: the library's own is the yardstick."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from ad_core.projection.planes import itself_first
from ad_core.projection.umap_fit import SMALLEST_SCALE, bandwidths, fuzzy_graph


@pytest.fixture(scope="module")
def neighbours() -> tuple[np.ndarray, np.ndarray]:
    """15 neighbours of 400 points, ten of which are equal and one of which is far from all."""
    z = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    z[:10], z[399] = z[0], 50
    distance, near = NearestNeighbors(n_neighbors=15).fit(z).kneighbors(z)
    near, distance = itself_first(near, distance)
    return near, distance.astype(np.float32)


def test_the_graph_is_the_one_that_umap_makes(neighbours):
    from umap.umap_ import fuzzy_simplicial_set

    near, distance = neighbours

    theirs = fuzzy_simplicial_set(
        np.zeros((400, 1)), 15, np.random.RandomState(0), "euclidean", knn_indices=near, knn_dists=distance
    )[0]

    assert abs(fuzzy_graph(near, distance) - theirs).max() < 1e-4  # they stop looking at a gap of 1e-5


def test_memberships_add_up_to_the_logarithm_of_the_neighbours(neighbours):
    closest, scale = bandwidths(neighbours[1])
    apart = np.maximum(neighbours[1][:, 1:] - closest[:, None], 0)

    total = np.exp(-apart / scale[:, None]).sum(axis=1)

    free = scale > 2 * SMALLEST_SCALE * neighbours[1].mean()  # more equal points than log2 15 can't add up to it
    assert free.sum() > 380
    assert total[free] == pytest.approx(np.log2(15), abs=1e-6)
