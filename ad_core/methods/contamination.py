"""Which training rows look like anomalies to classical detectors that such rows mislead least.

A network that is trained on anomalies learns to find them usual. Three detectors that resist that (neighbours within
small random subsets, an isolation forest, a shrunk Mahalanobis distance) say together which rows are the most
suspicious, and those are left out of training. No label is looked at; clean rows are lost too, which costs little where
many rows teach and is why the user can declare the rows clean.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from ad_core.data.item_set import ItemSet
from ad_core.data.reservoir import drawn_items
from ad_core.methods.reference import MAX_FIT_ROWS, REFERENCES, flat_rows
from ad_core.methods.score_normalisation import surprise_among
from ad_core.types import TrainingRows

LEFT_OUT: dict[TrainingRows, float] = {"clean": 0.0, "unsure": 0.1, "mixed": 0.2}
"""Share of the training rows that is left out, by what the user says of them."""

LEFT_OUT_OF_TRAINING: dict[TrainingRows, float] = {"clean": 0.0, "unsure": 0.05, "mixed": 0.1}
"""Share of a batch, the items with the largest loss, that a training step does not learn from."""

SUBSETS, SUBSET_ROWS, NEAREST = 40, 64, 3
FEWEST = 30
"""Of fewer rows none is left out."""

MOST_JUDGED = 200_000
"""Of more rows a random sample is judged, and what it is cleaned to teaches."""


def judged_items(fit: np.ndarray, seed: int) -> np.ndarray:
    """The training items that are judged: all, or a random sample of very many, in order."""
    return drawn_items(fit, MOST_JUDGED, seed)


def trusted(item_set: ItemSet, fit: np.ndarray, leave_out: float, seed: int) -> np.ndarray:
    """The training items without the most suspicious ones.

    Args:
        fit: positions of the items that are judged, in the frame.
        leave_out: share to leave out, 0..1.

    Returns:
        Positions, in the order of `fit`.
    """
    if leave_out <= 0 or len(fit) < FEWEST:
        return fit
    return np.asarray(fit[unsuspicious(flat_rows(item_set, fit), leave_out, seed)])


def unsuspicious(x: np.ndarray, leave_out: float, seed: int, fewest: int = FEWEST) -> np.ndarray:
    """(n,) bool: all but the most suspicious of (n, d) vectors; all where nothing is to be left out, or of too few."""
    if leave_out <= 0 or len(x) < fewest:
        return np.ones(len(x), dtype=bool)
    suspicious = suspicion(x, seed)
    return np.asarray(suspicious <= np.quantile(suspicious, 1 - leave_out))


def suspicion(x: np.ndarray, seed: int) -> np.ndarray:
    """Sum of the tail-calibrated scores of the three detectors.

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
    """(n,) mean distance to the 3 nearest rows of a random subset of 64, over 40 subsets that don't hold the row.

    In so small a subset a group of equal anomalies has one member at most, which makes it look as lonely as it is
    (Pang et al. 2015, LeSiNN, eq. 1).
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
