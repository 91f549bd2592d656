"""UMAP of a few thousand points within seconds, without compilation first.

UMAP's own class compiles for ten seconds in every process, mostly for the graph of neighbours. Here NumPy computes the
same graph, and the library optimises the layout.
"""

import os

import numpy as np
from scipy.sparse import csr_matrix

FEW, EPOCHS_OF_FEW, EPOCHS = 2_500, 500, 200
"""Up to FEW points are optimised for more epochs; UMAP's own default is up to 10,000 points, which takes 10 s."""

MIN_DIST, SPREAD = 0.1, 1.0
"""UMAP's own defaults: how tightly points are packed."""

SMALLEST_SCALE = 1e-3
"""Minimum bandwidth as a share of the mean distance, so that equal points are handled."""


def lay_out(near: np.ndarray, distance: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    """(n, 2) float64 coordinates by UMAP (McInnes et al. 2018, arXiv:1802.03426, alg. 5).

    Args:
        near, distance: (n, k) nearest points and their distances, ascending, each point itself first.
        start: (n, 2) initial coordinates.
    """
    if "OMP_NUM_THREADS" in os.environ:  # otherwise the compiler behind UMAP removes this limit, for PyTorch as well
        os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
    from umap.umap_ import find_ab_params, simplicial_set_embedding

    a, b = find_ab_params(SPREAD, MIN_DIST)
    places, _ = simplicial_set_embedding(
        np.zeros((len(near), 1), dtype=np.float32),  # the data, which only a spectral initialisation would need
        fuzzy_graph(near, distance).tocoo(),
        n_components=2,
        initial_alpha=1.0,
        a=a,
        b=b,
        gamma=1.0,
        negative_sample_rate=5,
        n_epochs=EPOCHS_OF_FEW if len(near) <= FEW else EPOCHS,
        init=start.astype(np.float32),
        random_state=np.random.RandomState(seed),
        metric="euclidean",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
    )
    return np.asarray(places, dtype=np.float64)


def fuzzy_graph(near: np.ndarray, distance: np.ndarray) -> csr_matrix:
    """(n, n) symmetric membership strengths 0..1 of two points being neighbours (McInnes et al. 2018, alg. 2 and 3).

    Args:
        near, distance: (n, k) as in `lay_out`.
    """
    closest, scale = bandwidths(distance)
    apart = np.maximum(distance - closest[:, None], 0.0)
    member = np.exp(-apart / np.where(scale > 0, scale, 1.0)[:, None])
    member[near == np.arange(len(near))[:, None]] = 0.0  # a point is not its own neighbour
    n, k = near.shape
    one_way = csr_matrix((member.ravel(), (np.repeat(np.arange(n), k), near.ravel())), shape=(n, n))
    both = one_way.multiply(one_way.T)
    graph = (one_way + one_way.T - both).tocsr()
    graph.eliminate_zeros()
    return graph


def bandwidths(distance: np.ndarray, rounds: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """(n,) distance to the closest other point, and (n,) bandwidth at which the memberships add up to log2 k.

    Args:
        distance: (n, k) ascending, the first of each point to itself.
    """
    distance = np.asarray(distance, dtype=np.float64)
    target = np.log2(distance.shape[1])
    closest = np.where(distance > 0, distance, np.inf).min(axis=1)
    closest = np.where(np.isfinite(closest), closest, 0.0)
    apart = np.maximum(distance[:, 1:] - closest[:, None], 0.0)
    low, high, scale = np.zeros(len(distance)), np.full(len(distance), np.inf), np.ones(len(distance))
    for _ in range(rounds):
        total = np.exp(-apart / scale[:, None]).sum(axis=1)
        above = total > target
        low, high = np.where(above, low, scale), np.where(above, scale, high)
        scale = np.where(np.isinf(high), 2 * scale, (low + high) / 2)
    mean = np.where(closest > 0, distance.mean(axis=1), distance.mean())
    return closest, np.maximum(np.where(np.isfinite(scale), scale, 1.0), SMALLEST_SCALE * mean)
