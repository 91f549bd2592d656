"""Projection of rows with very many entries onto their leading principal directions."""

import numpy as np
from sklearn.decomposition import PCA

AT_A_TIME = 1024
"""Number of rows that are projected at a time, since several copies of them are in memory."""


def at_least_two(x: np.ndarray) -> np.ndarray:
    """A single row twice: the spread of two equal rows can be estimated (0), that of one row can't."""
    return x if len(x) > 1 else np.repeat(x, 2, axis=0)


class PrincipalDirections:
    """Returns narrow rows unchanged; of wide ones the leading directions and the length of the residual.

    The residual keeps anomalies in directions in which no training row varied.

    Args:
        x: (n, d) rows to learn the directions from.
        most: rows with more entries than this are projected.
    """

    def __init__(self, x: np.ndarray, most: int, seed: int) -> None:
        self.turn = None
        if x.shape[1] > most and len(x) > 1:
            keep = min(most, len(x) - 1)
            self.turn = PCA(n_components=keep, svd_solver="randomized", random_state=seed).fit(x)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n, d) -> (n, d or fewer) float64."""
        if self.turn is None:
            return np.asarray(x, dtype=np.float64)
        starts = range(0, max(1, len(x)), AT_A_TIME)
        return np.concatenate([self._turned(self.turn, x[begin : begin + AT_A_TIME]) for begin in starts])

    def _turned(self, turn: PCA, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, dtype=np.float64)
        z = turn.transform(x)
        rest = np.square(x - turn.mean_).sum(axis=1) - np.square(z).sum(axis=1)
        return np.column_stack([z, np.sqrt(np.maximum(rest, 0.0))])
