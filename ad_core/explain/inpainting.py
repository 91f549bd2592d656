"""Painting over a place of an image so that no seam is left: how its edge fades, and what comes there."""

import numpy as np
from scipy import ndimage

SOFT = 1 / 64
"""The edge of what is painted goes over into the image within so much of its side [standard deviation]."""

RING = 4
"""So many pixels around a place say how bright it is there."""


def soft_edge(hidden: np.ndarray) -> np.ndarray:
    """(y, x) 1 where something is hidden, going down to 0 around it.

    Args:
        hidden: (y, x) bool.
    """
    soft = ndimage.gaussian_filter(hidden.astype(np.float64), SOFT * max(hidden.shape), truncate=3.0)
    return np.asarray(np.where(hidden, 1.0, np.where(soft > 1e-3, soft, 0.0)))


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


def as_bright(donor: np.ndarray, picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """(channel, y, x): the donor; at and near each connected place that is hidden, as bright as the image around it.

    Args:
        hidden: (y, x) bool.
    """
    places, count = ndimage.label(hidden)
    if not count:
        return donor
    shift = np.zeros((count + 1, len(donor)))
    for place in range(1, count + 1):
        around = ndimage.binary_dilation(places == place, iterations=RING) & ~hidden
        if around.any():
            shift[place] = picture[:, around].mean(1) - donor[:, around].mean(1)
    nearest = ndimage.distance_transform_edt(places == 0, return_distances=False, return_indices=True)
    return np.asarray(donor + np.moveaxis(shift[places[tuple(nearest)]], 2, 0))
