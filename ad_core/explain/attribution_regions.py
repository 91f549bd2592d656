"""From an attribution per entry to the user's own terms: columns, boxes in the image, a channel during a time."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from ad_core.types import ItemShape, Modality

GRID = 8
"""Maximum number of cells along each side of an image, and of spans per channel of a window."""

REGIONS = 5
"""Maximum number of connected regions of an image with a box of their own."""


def by_part(shape: ItemShape, values: np.ndarray) -> np.ndarray:
    """(parts,) float64: the sum over the entries of each part.

    Args:
        values: (*item) of one item.
    """
    per_entry = np.asarray(values, dtype=np.float64).reshape(len(values), -1).sum(1)
    return np.bincount(shape.parts.of_entry, weights=per_entry, minlength=len(shape.parts.names))


def by_part_over_time(shape: ItemShape, values: np.ndarray) -> np.ndarray:
    """(parts, time) float32: the sum over the entries of each part at each time step.

    Args:
        values: (entry, time) of one window.
    """
    total = np.zeros((len(shape.parts.names), values.shape[1]), dtype=np.float32)
    np.add.at(total, np.asarray(shape.parts.of_entry), np.asarray(values, dtype=np.float32))
    return total


def heat(values: np.ndarray) -> np.ndarray:
    """(k, y, x) float32 maps: summed over colours and smoothed slightly, since gradients of single pixels are noisy.

    Smoothing mirrors at the border, so a map has the same sum as the values.

    Args:
        values: (k, channel, y, x).
    """
    pixels = np.asarray(values, dtype=np.float64).sum(1)
    sigma = (0, pixels.shape[1] / 32, pixels.shape[2] / 32)
    return np.asarray(ndimage.gaussian_filter(pixels, sigma, mode="reflect"), dtype=np.float32)


def boxes(values: np.ndarray, size: tuple[int, int]) -> list[dict[str, Any]]:
    """Boxes of the image with their attribution, largest first; all boxes together add up to the whole.

    The connected regions where the smoothed map exceeds half of its peak have boxes of their own; the rest is split
    into the cells of a coarse grid.

    Args:
        values: (channel, y, x) of one item.
        size: height and width of the user's image, which the item spans.

    Returns:
        `y0, x0, y1, x1` in pixels of the user's image (y1 and x1 are the first outside) and `attribution`.
    """
    pixels, regions = np.asarray(values, dtype=np.float64).sum(0), peaks_of(heat(values[None])[0])
    rows, columns = _edges(pixels.shape[0]), _edges(pixels.shape[1])
    regions += [(slice(*y), slice(*x)) for y in pairwise(rows) for x in pairwise(columns)]
    free, result = np.ones(pixels.shape, dtype=bool), []
    for region in regions:
        if free[region].any():
            result.append(_box(region, float(pixels[region][free[region]].sum()), pixels.shape, size))
            free[region] = False  # each pixel counts once
    return sorted(result, key=lambda box: -abs(box["attribution"]))


def spans(shape: ItemShape, values: np.ndarray, times: npt.ArrayLike) -> list[dict[str, Any]]:
    """Spans of channels with their attribution, largest first; all spans together add up to the whole.

    Args:
        values: (channel, time) of one window.
        times: (time,) the window's time stamps, of any type.

    Returns:
        `channel` (name), `t0` and `t1` (first and last time stamp of the span), `attribution`.
    """
    times, edges = np.asarray(times), _edges(shape.size[-1])
    result = []
    for begin, end in pairwise(edges):
        shares = by_part(shape, np.asarray(values)[:, begin:end])
        result += [
            {"channel": name, "t0": times[begin], "t1": times[end - 1], "attribution": float(share)}
            for name, share in zip(shape.parts.names, shares, strict=True)
        ]
    return sorted(result, key=lambda span: -abs(span["attribution"]))


def cells(shape: ItemShape) -> Tensor:
    """(*item) int64, 0, 1, 2, ...: the pieces that perturbation methods replace as a whole.

    Tables: a column, with its one-hot block and missing flag. Images: a grid cell in all colours. Windows: a span of a
    channel.
    """
    owner = np.asarray(shape.parts.of_entry).reshape(-1, *[1] * (len(shape.size) - 1))
    code = np.zeros_like(owner) if shape.modality is Modality.IMAGE else owner
    for axis, side in enumerate(shape.size[1:], start=1):
        cell = np.searchsorted(_edges(side), np.arange(side), side="right")
        code = code * (GRID + 1) + cell.reshape([-1 if a == axis else 1 for a in range(len(shape.size))])
    code = np.broadcast_to(code, shape.size)
    return torch.from_numpy(np.unique(code, return_inverse=True)[1].reshape(shape.size).astype(np.int64))


def parts(shape: ItemShape) -> Tensor:
    """(*item) int64: the part that each entry belongs to; for windows whole channels."""
    owner = np.asarray(shape.parts.of_entry).reshape(-1, *[1] * (len(shape.size) - 1))
    return torch.from_numpy(np.broadcast_to(owner, shape.size).astype(np.int64))


def _edges(side: int) -> list[int]:
    """Borders of at most GRID pieces of nearly equal length."""
    pieces = min(GRID, side)
    return [round(i * side / pieces) for i in range(pieces + 1)]


def peaks_of(smooth: np.ndarray) -> list[tuple[slice, slice]]:
    """Bounding boxes of the connected regions of a (y, x) map above half of its peak, largest sum first.

    None where nothing is positive.
    """
    if not smooth.max() > 0:  # also False for NaN
        return []
    labels, _ = ndimage.label(smooth > smooth.max() / 2)
    regions = ndimage.find_objects(labels)
    held = ndimage.sum_labels(smooth, labels, range(1, len(regions) + 1))
    return [regions[i] for i in np.argsort(-np.asarray(held))[:REGIONS]]


def _box(region: tuple[slice, slice], share: float, item: tuple[int, ...], size: tuple[int, int]) -> dict[str, Any]:
    """A region of the item in pixels of the user's image, rounded outwards so that it covers the region."""
    (y, x), (height, width) = region, size
    return {
        "y0": y.start * height // item[0],
        "x0": x.start * width // item[1],
        "y1": -(-y.stop * height // item[0]),
        "x1": -(-x.stop * width // item[1]),
        "attribution": share,
    }
