"""Painting over a place of an image so that no seam is left: how its edge fades, and what comes there."""

import numpy as np
from scipy import ndimage

SOFT = 1 / 64
"""The edge of what is painted goes over into the image within so much of its side [standard deviation]."""

RING = 4
"""So many pixels around a place say how bright it is there."""


def soft_edge(hidden: np.ndarray, *, wraps: bool = False) -> np.ndarray:
    """(y, x) 1 where something is hidden, going down to 0 around it.

    Args:
        hidden: (y, x) bool.
        wraps: what reaches over a rim comes in again at the opposite one.
    """
    weight = hidden.astype(np.float64)
    soft = ndimage.gaussian_filter(weight, SOFT * max(hidden.shape), truncate=3.0, mode="wrap" if wraps else "reflect")
    return np.asarray(np.where(hidden, 1.0, np.where(soft > 1e-3, soft, 0.0)))


def ring(hidden: np.ndarray) -> np.ndarray:
    """(y, x) bool: the pixels around what is hidden."""
    return np.asarray(ndimage.binary_dilation(hidden, iterations=RING) & ~hidden)


def smooth(picture: np.ndarray, hidden: np.ndarray, reach: float) -> np.ndarray:
    """(channel, y, x): at each place the mean of what can be seen around it, the nearer the more.

    Source: Knutsson and Westin 1993, "Normalized and differential convolution", eq. 4.

    Args:
        reach: standard deviation of the weight [px].
    """
    seen = (~hidden).astype(np.float64)
    weight = ndimage.gaussian_filter(seen, reach)
    total = np.stack([ndimage.gaussian_filter(channel * seen, reach) for channel in picture])
    return np.asarray(total / np.maximum(weight, 1e-9))


def as_bright(donor: np.ndarray, picture: np.ndarray, around: np.ndarray) -> np.ndarray:
    """(channel, y, x): the donor, as bright around the place as the image is there.

    Args:
        around: (y, x) bool, see `ring`.
    """
    if not around.any():
        return donor
    return np.asarray(donor + (picture[:, around].mean(1) - donor[:, around].mean(1))[:, None, None])
