"""How well anomaly maps cover labelled defects: area under the per-region overlap curve (AUPRO).

In metrics per pixel, one large defect outweighs a hundred small ones. AUPRO gives every connected region of a mask the
same weight (Bergmann et al. 2021, The MVTec anomaly detection dataset, IJCV 129, section 5.3.2).
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import label

LIMIT = 0.3
"""Maximum false positive rate (share of normal pixels) up to which the curve is integrated, as in the source."""


def aupro(masks: Sequence[np.ndarray], maps: Sequence[np.ndarray], limit: float = LIMIT) -> float:
    """Area under the curve of the mean share of each region above a threshold, over the false positive rate.

    Pixels of a region are connected by sides or corners. Every distinct value of the maps is a threshold. The last step
    is cut at the limit by interpolation.

    Args:
        masks: per image (y, x) bool, True where it is defective.
        maps: per image (y, x) of the same size, higher = more anomalous.
        limit: maximum false positive rate (share of normal pixels above the threshold), in (0, 1].

    Returns:
        The area divided by the limit, 0..1.

    Raises:
        ValueError: sizes differ, there is no defect, or there is no normal pixel.
    """
    scores, normal, weight = _pixels(masks, maps)
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    last = np.flatnonzero(np.diff(scores, append=-np.inf))  # of each run of equal values
    false = np.concatenate([[0.0], np.cumsum(normal[order], dtype=np.float64)[last]])
    overlap = np.concatenate([[0.0], np.cumsum(weight[order], dtype=np.float64)[last]])
    return _area(false / false[-1], overlap / overlap[-1], limit)


def _pixels(masks: Sequence[np.ndarray], maps: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(pixels,) of all images: score, whether it is normal, and 1 / size of its region (0 where it is normal)."""
    if any(mask.shape != heat.shape for mask, heat in zip(masks, maps, strict=True)):
        raise ValueError("every map must have the size of its mask")
    weights = [_shares(np.asarray(mask, dtype=bool)) for mask in masks]
    weight = np.concatenate([w.ravel() for w in weights])
    normal = weight == 0
    if normal.all() or not normal.any():
        raise ValueError("AUPRO needs defective and normal pixels")
    return np.concatenate([np.asarray(m, dtype=np.float32).ravel() for m in maps]), normal, weight


def _shares(mask: np.ndarray) -> np.ndarray:
    """(y, x) -> (y, x): 1 / size of the pixel's region, 0 outside of all regions."""
    regions, count = label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(regions.ravel(), minlength=count + 1).astype(np.float64)
    sizes[0] = np.inf
    return np.asarray(1 / sizes[regions])


def _area(x: np.ndarray, y: np.ndarray, limit: float) -> float:
    """Area under y(x) from 0 to the limit by the trapezoidal rule, divided by the limit."""
    end = int(np.searchsorted(x, limit, side="right"))
    if end < len(x):
        between = y[end - 1] + (y[end] - y[end - 1]) * (limit - x[end - 1]) / (x[end] - x[end - 1])
        x, y = np.append(x[:end], limit), np.append(y[:end], between)
    return float(np.trapezoid(y, x) / limit)
