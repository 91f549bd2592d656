"""Scores of different methods on one scale: how rare they are among usual scores, and how far beyond the tail."""

import numpy as np

TAIL = 0.9
"""The tail begins at this quantile."""


class Tail:
    """From a score to how surprising it is [nat].

    Up to the 90 % quantile u of the usual scores: -log of the share of them that is as high. Beyond it: -log 0.1 +
    (score - u) / (mean excess of the usual scores over u), as if the tail were exponential (the Pareto tail of extreme
    value theory with shape 0). Plain means of several methods' values are then meaningful: none drowns the others by
    its unit, and far beyond the tail order and distance still count.

    Args:
        usual: (n,) scores of items by models that did not train on them.
    """

    def __init__(self, usual: np.ndarray) -> None:
        self.usual = np.sort(np.asarray(usual, dtype=np.float64))
        self.start = float(np.quantile(self.usual, TAIL))
        excess = self.usual[self.usual > self.start] - self.start
        spread = float(self.usual.std()) or 1.0
        self.excess = float(excess.mean()) if len(excess) else 0.1 * spread
        self.excess = max(self.excess, 1e-9 * spread)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """(n,) -> (n,) float64, monotone."""
        scores = np.asarray(scores, dtype=np.float64)
        n = len(self.usual)
        as_high = (n - np.searchsorted(self.usual, scores, side="left") + 0.5) / (n + 1)
        within = np.minimum(-np.log(as_high), -np.log(1 - TAIL))
        return np.asarray(
            np.where(scores <= self.start, within, -np.log(1 - TAIL) + (scores - self.start) / self.excess)
        )
