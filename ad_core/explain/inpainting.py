"""Inpaint a region of an image without a visible seam: a soft edge, and the new content."""

import numpy as np
from scipy import ndimage

SOFT = 1 / 64
"""Width of the soft edge, as a share of the image's side [standard deviation]."""

RING = 4
"""Width of the ring around a region that its brightness is taken from [px]."""


def soft_edge(hidden: np.ndarray) -> np.ndarray:
    """(y, x) 1 in the hidden region, decreasing to 0 around it.

    Args:
        hidden: (y, x) bool.
    """
    soft = ndimage.gaussian_filter(hidden.astype(np.float64), SOFT * max(hidden.shape), truncate=3.0)
    return np.asarray(np.where(hidden, 1.0, np.where(soft > 1e-3, soft, 0.0)))


def smooth(image: np.ndarray, hidden: np.ndarray, reach: float) -> np.ndarray:
    """(channel, y, x): at each pixel the mean of the visible pixels around it, weighted by nearness.

    Source: Knutsson and Westin 1993, "Normalized and differential convolution", eq. 4.

    Args:
        reach: standard deviation of the weight [px].
    """
    visible = (~hidden).astype(np.float64)
    weight = ndimage.gaussian_filter(visible, reach)
    total = np.stack([ndimage.gaussian_filter(channel * visible, reach) for channel in image])
    return np.asarray(total / np.maximum(weight, 1e-9))


def as_bright(donor: np.ndarray, image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """(channel, y, x): the donor, in and near each hidden connected region as bright as the image around it.

    Args:
        hidden: (y, x) bool.
    """
    regions, count = ndimage.label(hidden)
    if not count:
        return donor
    shift = np.zeros((count + 1, len(donor)))
    for region in range(1, count + 1):
        around = ndimage.binary_dilation(regions == region, iterations=RING) & ~hidden
        if around.any():
            shift[region] = image[:, around].mean(1) - donor[:, around].mean(1)
    nearest = ndimage.distance_transform_edt(regions == 0, return_distances=False, return_indices=True)
    return np.asarray(donor + np.moveaxis(shift[regions[tuple(nearest)]], 2, 0))
