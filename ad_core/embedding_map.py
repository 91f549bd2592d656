"""Embeddings on a plane: UMAP for who is near whom, principal components as the check on it.

A place on the map is no evidence. UMAP puts what lies far outside among the rest when it is added afterwards: in a
trial all of 30 far-off rows landed inside the crowd. So items that matter (`keep`) are always part of the fit, and how
well the plane keeps neighbourhoods is measured and returned.
"""

import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ad_core.errors import DataError
from ad_core.progress import Report, Silent

NEIGHBOURS = 15
"""UMAP's own default; also the neighbourhood that the trust is measured in."""

FEWEST = 15
"""With fewer items a neighbourhood is everything: principal components are shown instead."""

JUDGED = 1_000
"""The trust is measured on so many items: its cost grows with their square."""


@dataclass(frozen=True)
class EmbeddingMap:
    """Where each item lies on the plane."""

    coordinates: pd.DataFrame
    """(n,) `x`, `y` (UMAP, or principal components where `facts["method"]` says so), `pca_x`, `pca_y`; NaN for items
    without an embedding. `fitted` (bool) is False for those placed between their nearest fitted neighbours."""
    facts: dict[str, Any]
    """`method` ("umap" or "pca"), `trust` (0..1 or None), `fitted` and `placed` (counts), `notice` (text or "")."""


def project(
    embeddings: np.ndarray,
    keep: np.ndarray | None = None,
    seed: int = 0,
    max_fit: int = 10_000,
    report: Report | None = None,
) -> EmbeddingMap:
    """Lay embeddings out on a plane. The same embeddings and seed give the same map on the same machine.

    Args:
        embeddings: (n, d); rows with NaN or infinity get no place.
        keep: positions that take part in the fit in any case, most important first.
        max_fit: so many items are fitted, drawn with the seed; the others are placed by their neighbours among them.

    Raises:
        DataError: no item has an embedding.
    """
    report = report or Silent()
    z = np.asarray(embeddings, dtype=np.float32).reshape(len(embeddings), -1)
    known = np.flatnonzero(np.isfinite(z).all(axis=1))
    if not len(known):
        raise DataError(f"None of {len(z)} items has an embedding of finite numbers, so there is no map.")
    z, total = z[known], len(z)
    pca = principal_components(z)
    report.step(0.05)
    kept = np.flatnonzero(np.isin(known, np.asarray([] if keep is None else keep, dtype=np.int64)[:max_fit]))
    fitted = _fit_sample(len(z), kept, max_fit, seed)
    why_not = _why_no_umap(z)
    places = pca if why_not else _umap(z, fitted, pca, seed, report)
    report.step(0.9)
    trust = _trust(z, places, seed)
    columns = np.full((total, 4), np.nan)
    columns[known] = np.hstack([places, pca])
    coordinates = pd.DataFrame(columns, columns=["x", "y", "pca_x", "pca_y"])
    coordinates["fitted"] = np.isin(np.arange(total), known if why_not else known[fitted])
    notices = [why_not] if why_not else []
    if total > len(known):
        notices.append(f"{total - len(known)} of {total} items have no finite embedding and are not on the map.")
    report.step(1.0)
    fits = len(z) if why_not else len(fitted)
    facts = {"fitted": fits, "placed": len(z) - fits, "notice": " ".join(notices)}
    return EmbeddingMap(coordinates, {"method": "pca" if why_not else "umap", "trust": trust, **facts})


def principal_components(z: np.ndarray) -> np.ndarray:
    """(n, 2) float64 places along the two directions of largest variance; zeros where there is none.

    Args:
        z: (n, d).
    """
    from sklearn.utils.extmath import randomized_svd

    # the bare decomposition: unlike scikit-learn's PCA it has no trouble with one row or no variance
    centred = (z - z.mean(axis=0, dtype=np.float64)).astype(np.float32)
    left, size, _ = randomized_svd(centred, n_components=2, n_iter=7, random_state=0)
    places = (left * size).astype(np.float64)
    return np.hstack([places, np.zeros((len(z), 2 - places.shape[1]))])


def _why_no_umap(z: np.ndarray) -> str:
    if len(z) < FEWEST:
        return f"Only {len(z)} items: too few for UMAP, the map shows their principal components."
    if (z == z[0]).all():
        return "All embeddings are the same, so the map is a single point: the network may have collapsed."
    return ""


def _fit_sample(n: int, keep: np.ndarray, max_fit: int, seed: int) -> np.ndarray:
    """Sorted positions: those to keep, and others by chance up to max_fit."""
    if n <= max_fit:
        return np.arange(n)
    others = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(n), keep))
    return np.sort(np.concatenate([keep, others[: max_fit - len(keep)]]))


def _umap(z: np.ndarray, fitted: np.ndarray, pca: np.ndarray, seed: int, report: Report) -> np.ndarray:
    """(n, 2) places: the sample by UMAP (McInnes et al. 2018, arXiv:1802.03426), the rest beside its neighbours."""
    if "OMP_NUM_THREADS" in os.environ:  # else the compiler behind UMAP lifts this limit, for PyTorch as well
        os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
    from umap import UMAP

    some = z[fitted]
    near, distance = _neighbours(some)
    report.check()
    report.step(0.2)
    # started from the principal components, UMAP keeps the coarse order of the data and needs no spectral solver
    start = pca[fitted] / max(float(pca[fitted].std()), 1e-12)
    start = start + np.random.default_rng(seed).normal(
        scale=1e-3, size=start.shape
    )  # equal points must be able to part
    with warnings.catch_warnings():
        # said because UMAP could not place new points later; this module does that itself
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]", category=UserWarning)
        # isolated points are kept where they start; they are shown, which is what the map is for
        warnings.filterwarnings("ignore", message=".*of your vertices were disconnected", category=UserWarning)
        mapper = UMAP(
            n_neighbors=near.shape[1],
            init=start.astype(np.float32),
            precomputed_knn=(near, distance),
            force_approximation_algorithm=True,  # else small data ignore the neighbours that are already there
            random_state=seed,
            n_jobs=1,
        )
        placed = np.asarray(mapper.fit_transform(some), dtype=np.float64)
    report.check()
    report.step(0.7)
    places = np.empty((len(z), 2))
    places[fitted] = placed
    rest = np.setdiff1d(np.arange(len(z)), fitted)
    if len(rest):
        places[rest] = _between_neighbours(some, placed, z[rest], report)
    return places


def _neighbours(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) positions and distances of the nearest points, each point itself first."""
    from sklearn.neighbors import NearestNeighbors

    k = min(NEIGHBOURS, len(z) - 1)
    # exact, by brute force at worst: seconds at 10,000 points, less than an approximate search takes to compile
    distance, near = NearestNeighbors(n_neighbors=k).fit(z).kneighbors(z)
    # among equal points any may come first, and UMAP takes the first for the point itself
    own = near == np.arange(len(z))[:, None]
    near[~own.any(axis=1), -1] = np.flatnonzero(~own.any(axis=1))
    distance[~own.any(axis=1), -1] = 0.0
    order = np.argsort(~(near == np.arange(len(z))[:, None]), axis=1, kind="stable")
    return np.take_along_axis(near, order, 1), np.take_along_axis(distance, order, 1).astype(np.float32)


def _between_neighbours(z: np.ndarray, places: np.ndarray, rest: np.ndarray, report: Report) -> np.ndarray:
    """(m, 2) inverse-distance weighted means of the five nearest fitted points' places; an equal point's own place."""
    from sklearn.neighbors import NearestNeighbors

    index, found = NearestNeighbors(n_neighbors=min(5, len(z))).fit(z), []
    for begin in range(0, len(rest), 4096):
        report.check()
        distance, near = index.kneighbors(rest[begin : begin + 4096])
        equal = distance == 0
        weight = np.where(equal.any(axis=1, keepdims=True), equal, 1 / np.where(equal, 1, distance))
        found.append((places[near] * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True))
        report.step(0.7 + 0.2 * min(1.0, (begin + 4096) / len(rest)))
    return np.concatenate(found)


def _trust(z: np.ndarray, places: np.ndarray, seed: int) -> float | None:
    """How far near neighbours on the plane are near in truth, 0..1 (Venna & Kaski 2001); None under four items."""
    from sklearn.manifold import trustworthiness

    if len(z) < 4:
        return None
    some = np.sort(np.random.default_rng(seed).permutation(len(z))[:JUDGED])
    return float(trustworthiness(z[some], places[some], n_neighbors=min(NEIGHBOURS, (len(some) - 1) // 2)))
