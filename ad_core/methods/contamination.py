"""Which training rows are suspicious, by classical detectors that are robust against anomalies in the training rows.

A network trained on anomalies learns to score them as normal. Three robust detectors (neighbours within small random
subsets, an isolation forest, a shrunk Mahalanobis distance) together rank the rows, and the most suspicious ones are
left out of training. No label is used. Clean rows are lost too, which costs little where there are many; whoever knows
that the rows are clean can declare it, and none is left out.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from ad_core.data.item_set import ItemSet
from ad_core.data.reservoir import drawn_items
from ad_core.methods.reference import MAX_FIT_ROWS, REFERENCES, flat_rows
from ad_core.methods.score_normalisation import surprise_among
from ad_core.types import TrainingRows

LEFT_OUT: dict[TrainingRows, float] = {"clean": 0.0, "unsure": 0.1, "mixed": 0.2}
"""Share of the training rows that is left out, by what the user declares of them."""

LEFT_OUT_OF_TRAINING: dict[TrainingRows, float] = {"clean": 0.0, "unsure": 0.05, "mixed": 0.1}
"""Share of a batch, the items with the largest loss, that is left out of the gradient."""

SUBSETS, SUBSET_ROWS, NEAREST = 40, 64, 3
FEWEST = 30
"""With fewer rows none is left out."""

MOST_JUDGED = 200_000
"""Maximum number of rows: of more a random sample is ranked, and its remaining rows are the training rows."""


def ranked_items(fit: np.ndarray, seed: int) -> np.ndarray:
    """The training items that are ranked: all, or a random sample of very many, in order."""
    return drawn_items(fit, MOST_JUDGED, seed)


def trusted(item_set: ItemSet, fit: np.ndarray, leave_out: float, seed: int) -> np.ndarray:
    """The training items without the most suspicious ones.

    Args:
        fit: positions of the items that are ranked, in the item set.
        leave_out: share to leave out, 0..1.

    Returns:
        Positions, in the order of `fit`.
    """
    if leave_out <= 0 or len(fit) < FEWEST:
        return fit
    return np.asarray(fit[unsuspicious(flat_rows(item_set, fit), leave_out, seed)])


def unsuspicious(x: np.ndarray, leave_out: float, seed: int, fewest: int = FEWEST) -> np.ndarray:
    """(n,) bool: all but the most suspicious of (n, d) vectors; all of them if `leave_out` is 0 or n < `fewest`."""
    if leave_out <= 0 or len(x) < fewest:
        return np.ones(len(x), dtype=bool)
    suspicious = suspicion(x, seed)
    return np.asarray(suspicious <= np.quantile(suspicious, 1 - leave_out))


def suspicion(x: np.ndarray, seed: int) -> np.ndarray:
    """Sum of the normalised scores of the three detectors.

    Args:
        x: (n, d) flat items.

    Returns:
        (n,) float64, higher = more suspicious.
    """
    random = np.random.default_rng(seed)
    sample = x if len(x) <= MAX_FIT_ROWS else x[random.choice(len(x), MAX_FIT_ROWS, replace=False)]
    total = surprise_among(subset_distances(x, random))
    for name in ("isolation_forest", "mahalanobis"):
        cls = REFERENCES.get(name)
        reference = cls(cls.Settings(), seed)
        reference.fit(sample)
        total += surprise_among(reference.score(x))
    return total


def subset_distances(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(n,) mean distance to the 3 nearest rows of a random subset of 64, over up to 40 subsets without the row itself.

    Such a small subset holds hardly more than one row of a group of equal anomalies, so that these are far from their
    neighbours (Pang et al. 2015, LeSiNN, eq. 1).
    """
    n = len(x)
    size = min(SUBSET_ROWS, max(1, n // 2))
    total, count = np.zeros(n), np.zeros(n)
    for _ in range(SUBSETS):
        subset = random.choice(n, size, replace=False)
        index = NearestNeighbors(n_neighbors=min(NEAREST, size), algorithm="brute").fit(x[subset])
        outside = np.ones(n, dtype=bool)
        outside[subset] = False
        total[outside] += index.kneighbors(x[outside])[0].mean(axis=1)
        count[outside] += 1
    return np.asarray(total / np.maximum(count, 1))
