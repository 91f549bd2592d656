"""Mean and whitened covariance of every class of embeddings."""

import numpy as np

ITEMS_PER_DIMENSION = 5
"""A class with fewer items than this times the embedding's size shares its covariance with the other classes."""


def gaussians(z: np.ndarray, cls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A Gaussian per class and way; a class with few rows gets the pooled covariance within all classes.

    Args:
        z: (n, ways, d) float64; one way per transformation.
        cls: (n,) class codes.

    Returns:
        (classes, ways, d) means and (classes, ways, d, d) whitening matrices.
    """
    means, of_row = _means(z, cls)
    rest = z - means[of_row]
    shared = _whitenings(rest)
    own = [rest[of_row == g] for g in range(len(means))]
    least = ITEMS_PER_DIMENSION * z.shape[2]
    return means, np.stack([_whitenings(rows) if len(rows) >= least else shared for rows in own])


def shared_whitening(z: np.ndarray, cls: np.ndarray) -> np.ndarray:
    """(d, d) whitening matrix of the pooled covariance within classes and ways, as in a linear discriminant."""
    means, of_row = _means(z, cls)
    return np.asarray(_whitenings((z - means[of_row]).reshape(-1, 1, z.shape[2]))[0])


def _means(z: np.ndarray, cls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(classes, ways, d) means, and (n,) the index of each row's class."""
    groups, of_row = np.unique(cls, return_inverse=True)
    return np.stack([z[of_row == g].mean(0) for g in range(len(groups))]), of_row


def _whitenings(rest: np.ndarray) -> np.ndarray:
    """(n, ways, d) deviations -> (ways, d, d): W W' inverts their covariance (Ledoit and Wolf 2004, eq. 14)."""
    from sklearn.covariance import ledoit_wolf

    covariances = np.stack([ledoit_wolf(rest[:, way], assume_centered=True)[0] for way in range(rest.shape[1])])
    floor = 1e-6 * rest.var() + 1e-12  # for constant dimensions
    return np.linalg.cholesky(np.linalg.inv(covariances + floor * np.eye(rest.shape[2])))
