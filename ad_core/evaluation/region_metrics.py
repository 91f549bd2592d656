"""How well anomaly maps cover labelled defects: area under the per-region overlap curve (AUPRO).

Counted pixel by pixel, one large defect outweighs a hundred small ones. Here every connected region of a mask counts
the same, whatever its size (Bergmann et al. 2021, The MVTec anomaly detection dataset, IJCV 129, section 5.3.2).
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import label

LIMIT = 0.3
"""The curve is followed up to this share of falsely marked normal pixels, as in the source."""


def aupro(masks: Sequence[np.ndarray], maps: Sequence[np.ndarray], limit: float = LIMIT) -> float:
    """Area under the mean share of each region that is marked, over the share of normal pixels that are marked.

    Regions hang together by sides and corners. Every distinct value of the maps is a threshold; equal values are marked
    together. The last step is cut at the limit by interpolation.

    Args:
        masks: per image (y, x) bool, True where it is defective.
        maps: per image (y, x) of the same size, higher = more anomalous.
        limit: largest share of normal pixels that may be marked, in (0, 1].

    Returns:
        The area divided by the limit, 0..1.

    Raises:
        ValueError: sizes differ, or there is no defect, or no normal pixel.
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
    if any(mask.shape != found.shape for mask, found in zip(masks, maps, strict=True)):
        raise ValueError("every map must have the size of its mask")
    weights = [_shares(np.asarray(mask, dtype=bool)) for mask in masks]
    weight = np.concatenate([w.ravel() for w in weights])
    normal = weight == 0
    if normal.all() or not normal.any():
        raise ValueError("AUPRO needs defective and normal pixels")
    return np.concatenate([np.asarray(m, dtype=np.float32).ravel() for m in maps]), normal, weight


def _shares(mask: np.ndarray) -> np.ndarray:
    """(y, x) -> (y, x): 1 / size of the region that a pixel belongs to, 0 outside of all regions."""
    regions, count = label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(regions.ravel(), minlength=count + 1).astype(np.float64)
    sizes[0] = np.inf
    return np.asarray(1 / sizes[regions])


def _area(x: np.ndarray, y: np.ndarray, limit: float) -> float:
    """Trapezoids under y(x) from 0 to the limit, as a share of the limit."""
    end = int(np.searchsorted(x, limit, side="right"))
    if end < len(x):
        between = y[end - 1] + (y[end] - y[end - 1]) * (limit - x[end - 1]) / (x[end] - x[end - 1])
        x, y = np.append(x[:end], limit), np.append(y[:end], between)
    return float(np.trapezoid(y, x) / limit)
