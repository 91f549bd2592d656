"""How trustworthy the position of a single point on a map is.

Two marks: the share of its nearest neighbours in the embedding that lie near it on the map, and whether it is drawn
inside the main cluster (crowd) although it lies far outside in the embedding. Both compare with the fitted points.
"""

import numpy as np
from scipy.spatial import cKDTree

NEAR_SHARE = 0.01
"""Near on the map = within the nearest NEAR_SHARE of the fitted points, at least as many as there are neighbours."""

CLOSEST, FEWEST = 5, 20
"""Number of nearest points for mean distances; with fewer than FEWEST normals or crowd points nothing is marked."""

QUANTILE, BEYOND, AT_LEAST = 0.99, 3.0, 1.25
"""Far = above the median by BEYOND times the distance from it to the QUANTILE, and above AT_LEAST times the median."""


class Outside:
    """Finds points that lie far from all normal items, by their mean distance to the nearest ones.

    Args:
        normals: (m, d) embeddings of training items; each is compared with the others only.
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
        middle, high = np.quantile(own, [0.5, QUANTILE])
        if high > 0:  # otherwise most normals are the same item, and any other would be far
            self.limit = max(float(middle + BEYOND * (high - middle)), AT_LEAST * float(middle))

    def far(self, z: np.ndarray) -> np.ndarray:
        """(b, d) -> (b,) bool."""
        if not np.isfinite(self.limit) or not len(z):
            return np.zeros(len(z), dtype=bool)
        return np.asarray(self._index.kneighbors(z)[0].mean(axis=1) > self.limit)


class PlaneJudge:
    """Assesses positions on a plane by those of the fitted points.

    Args:
        places: (m, 2) of the fitted points.
        far: (m,) bool, those that lie far outside in the embedding; the others are the crowd.
        neighbours: number of neighbours that `kept` will be called with.
    """

    def __init__(self, places: np.ndarray, far: np.ndarray, neighbours: int) -> None:
        self._places, self._tree = places, cKDTree(places)
        count = min(max(neighbours, round(NEAR_SHARE * len(places))), len(places) - 1)
        self._reach = self._tree.query(places, k=[count + 1])[0][:, 0]  # (m,) the nearest one is the point itself
        crowd, self._limit = places[~far], -1.0
        if len(crowd) >= FEWEST:
            self._crowd = cKDTree(crowd)
            self._limit = float(np.quantile(self._crowd.query(crowd, k=[CLOSEST + 1])[0], QUANTILE))

    def kept(self, places: np.ndarray, near: np.ndarray) -> np.ndarray:
        """(b,) share, 0..1, of a point's neighbours in the embedding that are near it on the plane.

        Near = no farther than NEAR_SHARE of the fitted points are from the closest fitted point.

        Args:
            places: (b, 2).
            near: (b, k) positions, among the fitted points, of the nearest ones in the embedding.
        """
        reach = self._reach[self._tree.query(places)[1]]
        apart = np.linalg.norm(self._places[near] - places[:, None], axis=2)
        return np.asarray((apart <= reach[:, None] * (1 + 1e-9)).mean(axis=1))

    def inside(self, places: np.ndarray, far: np.ndarray) -> np.ndarray:
        """(b,) bool: drawn inside the crowd although far outside in the embedding.

        Args:
            places: (b, 2).
            far: (b,) bool.
        """
        result = np.zeros(len(places), dtype=bool)
        if self._limit >= 0 and far.any():
            result[far] = self._crowd.query(places[far], k=[CLOSEST])[0][:, 0] <= self._limit
        return result
