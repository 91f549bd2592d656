"""How far the place of a single point on a map can be believed.

Two marks: which share of the points that are nearest to it in truth lie near it on the map, and whether it is drawn
inside the crowd although in truth it lies far outside. Both are judged against the points that the map was fitted on.
"""

import numpy as np
from scipy.spatial import cKDTree

NEAR_SHARE = 0.01
"""Near on the map = among so large a share of the fitted points, at least as many as there are neighbours."""

CLOSEST, FEWEST = 5, 20
"""Distances are means over so many nearest points; with fewer normals or crowd than FEWEST nothing is marked."""

USUAL, BEYOND, AT_LEAST = 0.99, 3.0, 1.25
"""Far = beyond the median by BEYOND times as much as the USUAL quantile is, and at least AT_LEAST times the median."""


class Outside:
    """Tells which points lie far from all normal items, by their mean distance to the nearest ones.

    Args:
        normals: (m, d) embeddings of training items; each is judged without itself.
    """

    def __init__(self, normals: np.ndarray) -> None:
        from sklearn.neighbors import NearestNeighbors

        normals = np.asarray(normals, dtype=np.float32)
        normals = normals[np.isfinite(normals).all(axis=1)]
        self.limit = np.inf
        """Mean distance from which a point is far."""
        if len(normals) < FEWEST:
            return
        self._index = NearestNeighbors(n_neighbors=CLOSEST).fit(normals)
        own = self._index.kneighbors(normals, n_neighbors=CLOSEST + 1)[0][:, 1:].mean(axis=1)
        middle, usual = np.quantile(own, [0.5, USUAL])
        if usual > 0:  # else most normals are the same item, and anything else would be far
            self.limit = max(float(middle + BEYOND * (usual - middle)), AT_LEAST * float(middle))

    def far(self, z: np.ndarray) -> np.ndarray:
        """(b, d) -> (b,) bool."""
        if not np.isfinite(self.limit) or not len(z):
            return np.zeros(len(z), dtype=bool)
        return np.asarray(self._index.kneighbors(z)[0].mean(axis=1) > self.limit)


class PlaneJudge:
    """Judges places on a plane by those of the fitted points.

    Args:
        places: (m, 2) of the fitted points.
        far: (m,) bool, those that lie far outside in truth; the others are the crowd.
        neighbours: in how large a neighbourhood `kept` will be asked.
    """

    def __init__(self, places: np.ndarray, far: np.ndarray, neighbours: int) -> None:
        self._places, self._tree = places, cKDTree(places)
        count = min(max(neighbours, round(NEAR_SHARE * len(places))), len(places) - 1)
        self._reach = self._tree.query(places, k=[count + 1])[0][:, 0]  # (m,) the nearest one is the point itself
        crowd, self._limit = places[~far], -1.0
        if len(crowd) >= FEWEST:
            self._crowd = cKDTree(crowd)
            self._limit = float(np.quantile(self._crowd.query(crowd, k=[CLOSEST + 1])[0], USUAL))

    def kept(self, places: np.ndarray, near: np.ndarray) -> np.ndarray:
        """(b,) share, 0..1, of a point's true neighbours that are near it on the plane.

        Near is what is no farther than NEAR_SHARE of the fitted points are from the fitted point that is closest.

        Args:
            places: (b, 2).
            near: (b, k) positions, among the fitted points, of the nearest ones in truth.
        """
        reach = self._reach[self._tree.query(places)[1]]
        apart = np.linalg.norm(self._places[near] - places[:, None], axis=2)
        return np.asarray((apart <= reach[:, None] * (1 + 1e-9)).mean(axis=1))

    def inside(self, places: np.ndarray, far: np.ndarray) -> np.ndarray:
        """(b,) bool: drawn inside the crowd although far outside in truth.

        Args:
            places: (b, 2).
            far: (b,) bool.
        """
        found = np.zeros(len(places), dtype=bool)
        if self._limit >= 0 and far.any():
            found[far] = self._crowd.query(places[far], k=[CLOSEST])[0][:, 0] <= self._limit
        return found
