"""The two planes of a map: fitted once to some items; further items are placed on them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ad_core.progress import Report
from ad_core.projection.trust import Outside, PlaneJudge

NEIGHBOURS = 15
"""UMAP's own default; also the size of the neighbourhood for trustworthiness."""

FEWEST = 15
"""Minimum number of items for UMAP; with fewer, principal components are shown instead."""


@dataclass(frozen=True)
class Placement:
    """Coordinates on both planes, UMAP's before the principal components, with their marks."""

    places: np.ndarray
    """(n, 4) float64 coordinates, NaN where there are none."""
    kept: np.ndarray
    """(n, 2) see `PlaneJudge.kept`."""
    inside: np.ndarray
    """(n, 2) bool, see `PlaneJudge.inside`."""

    @classmethod
    def empty(cls, n: int) -> "Placement":
        """Nothing placed yet."""
        return cls(np.full((n, 4), np.nan), np.full((n, 2), np.nan, dtype=np.float32), np.zeros((n, 2), dtype=bool))

    def put(self, index: np.ndarray, some: "Placement") -> None:
        """Write the placement of some items."""
        self.places[index], self.kept[index], self.inside[index] = some.places, some.kept, some.inside

    def table(self, fitted: np.ndarray) -> pd.DataFrame:
        """As a data frame with a column for each, and `fitted`."""
        columns = pd.DataFrame(self.places, columns=["x", "y", "pca_x", "pca_y"])
        for i, plane in enumerate(("", "pca_")):
            columns[f"{plane}kept"], columns[f"{plane}far_inside"] = self.kept[:, i], self.inside[:, i]
        columns.insert(4, "fitted", fitted)
        return columns


class Plane:
    """UMAP's plane and that of the principal components, fitted to some items; further ones are placed on both.

    Args:
        z: (m, d) finite embeddings of the items to fit on.
        normals: (k, d) of training items, which define what lies far outside; None = nothing is marked.
    """

    def __init__(self, z: np.ndarray, seed: int, report: Report, normals: np.ndarray | None) -> None:
        from sklearn.neighbors import NearestNeighbors

        self._z, (self._centre, self._axes) = z, principal_axes(z)
        pca = (z - self._centre) @ self._axes
        report.step(0.05)
        self.why_no_umap = _why_no_umap(z)
        k = min(NEIGHBOURS, len(z))
        # exact, at worst by brute force in seconds; an approximate search takes longer to compile
        self._index = NearestNeighbors(n_neighbors=k).fit(z)
        near, distance = itself_first(*self._index.kneighbors(z)[::-1])
        report.check()
        report.step(0.15)
        umap = pca if self.why_no_umap else _umap(near, distance, pca, seed)
        report.check()
        report.step(0.6)
        self._near, self._places = near[:, 1:], (umap, pca)
        self._outside = Outside(np.zeros((0, z.shape[1])) if normals is None else normals)
        self._far = self._outside.far(z)
        self._judges = [PlaneJudge(places, self._far, k) for places in self._places]

    def of_fitted(self) -> Placement:
        """Placement of the items that it was fitted on."""
        return self._judged(self._places, self._near, self._far)

    def of_others(self, z: np.ndarray) -> Placement:
        """Placement of (b, d) further items, between their nearest fitted neighbours."""
        if not len(z):
            return Placement.empty(0)
        distance, near = self._index.kneighbors(z)
        pca = (z - self._centre) @ self._axes
        umap = pca if self.why_no_umap else between_neighbours(self._places[0], near, distance)
        return self._judged((umap, pca), near, self._outside.far(z))

    def _judged(self, places: tuple[np.ndarray, np.ndarray], near: np.ndarray, far: np.ndarray) -> Placement:
        kept = [
            judge.kept(xy, near) if near.shape[1] else np.full(len(xy), np.nan)
            for judge, xy in zip(self._judges, places, strict=True)
        ]
        inside = [judge.inside(xy, far) for judge, xy in zip(self._judges, places, strict=True)]
        return Placement(np.hstack(places), np.stack(kept, 1), np.stack(inside, 1))


def principal_axes(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(d,) float64 centre and (d, 2) directions of largest variance; zeros where there is none.

    Args:
        z: (n, d).
    """
    from sklearn.utils.extmath import randomized_svd

    # the plain decomposition, which unlike scikit-learn's PCA allows a single row or no variance
    centre = z.mean(axis=0, dtype=np.float64)
    _, size, right = randomized_svd((z - centre).astype(np.float32), n_components=2, n_iter=7, random_state=0)
    axes = np.where(size[:, None] > 0, right, 0.0).astype(np.float64).T
    return centre, np.hstack([axes, np.zeros((len(axes), 2 - axes.shape[1]))])


def itself_first(near: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of the fitted points, each point itself first, as UMAP expects; among equal points any may come first.

    Args:
        near, distance: (n, k) of the nearest points, ascending.
    """
    near, distance = near.copy(), distance.copy()
    own = near == np.arange(len(near))[:, None]
    near[~own.any(axis=1), -1] = np.flatnonzero(~own.any(axis=1))
    distance[~own.any(axis=1), -1] = 0.0
    order = np.argsort(~(near == np.arange(len(near))[:, None]), axis=1, kind="stable")
    return np.take_along_axis(near, order, 1), np.take_along_axis(distance, order, 1)


def between_neighbours(places: np.ndarray, near: np.ndarray, distance: np.ndarray, closest: int = 5) -> np.ndarray:
    """(b, 2) inverse-distance weighted means of the coordinates of the nearest fitted points; those of an equal point.

    Args:
        places: (m, 2) of the fitted points.
        near, distance: (b, k) positions among them, and distances, ascending.
    """
    near, distance = near[:, :closest], distance[:, :closest]
    equal = distance == 0
    weight = np.where(equal.any(axis=1, keepdims=True), equal, 1 / np.where(equal, 1, distance))
    return np.asarray((places[near] * weight[..., None]).sum(axis=1) / weight.sum(axis=1, keepdims=True))


def _why_no_umap(z: np.ndarray) -> str:
    if len(z) < FEWEST:
        return f"Only {len(z)} items: too few for UMAP, the map shows their principal components."
    if (z == z[0]).all():
        return "All embeddings are the same, so the map is a single point: the network may have collapsed."
    return ""


def _umap(near: np.ndarray, distance: np.ndarray, pca: np.ndarray, seed: int) -> np.ndarray:
    from ad_core.projection.umap_fit import lay_out

    # initialised with the principal components, UMAP keeps the global structure and needs no spectral solver
    start = pca / max(float(pca.std()), 1e-12)
    noise = np.random.default_rng(seed).normal(scale=1e-3, size=start.shape)  # so that equal points can separate
    return lay_out(near, distance, start + noise, seed)
