"""From an attribution per entry to the user's own terms: columns, boxes in the picture, a channel during a time."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from ad_core.types import ItemShape, Modality

GRID = 8
"""An image is looked at in at most 8 x 8 cells, a window in at most 8 spans per channel."""

REGIONS = 5
"""So many connected regions of an image get a box of their own."""


def by_part(shape: ItemShape, values: np.ndarray) -> np.ndarray:
    """(parts,) float64: the entries of each part that the user knows, added up.

    Args:
        values: (*item) of one item.
    """
    per_entry = np.asarray(values, dtype=np.float64).reshape(len(values), -1).sum(1)
    return np.bincount(shape.parts.of_entry, weights=per_entry, minlength=len(shape.parts.names))


def heat(values: np.ndarray) -> np.ndarray:
    """(k, y, x) float32 maps: colours added up and smoothed a little, since single pixels' gradients are noise.

    Smoothing mirrors at the rim, so a map still adds up to what the values did.

    Args:
        values: (k, channel, y, x).
    """
    pixels = np.asarray(values, dtype=np.float64).sum(1)
    sigma = (0, pixels.shape[1] / 32, pixels.shape[2] / 32)
    return np.asarray(ndimage.gaussian_filter(pixels, sigma, mode="reflect"), dtype=np.float32)


def boxes(values: np.ndarray, size: tuple[int, int]) -> list[dict[str, Any]]:
    """Where in the picture the score comes from, largest share first; all boxes together add up to the whole.

    The connected regions where the smoothed map exceeds half of its peak come as boxes of their own; the rest comes in
    the cells of a coarse grid, each with what is left in it.

    Args:
        values: (channel, y, x) of one item.
        size: height and width of the user's image, which the item spans.

    Returns:
        `y0, x0, y1, x1` in pixels of the user's image (y1 and x1 are the first outside) and `attribution`.
    """
    pixels, places = np.asarray(values, dtype=np.float64).sum(0), peaks_of(heat(values[None])[0])
    rows, columns = _edges(pixels.shape[0]), _edges(pixels.shape[1])
    places += [(slice(*y), slice(*x)) for y in pairwise(rows) for x in pairwise(columns)]
    free, found = np.ones(pixels.shape, dtype=bool), []
    for place in places:
        if free[place].any():
            found.append(_box(place, float(pixels[place][free[place]].sum()), pixels.shape, size))
            free[place] = False  # each pixel counts once
    return sorted(found, key=lambda box: -abs(box["attribution"]))


def spans(shape: ItemShape, values: np.ndarray, times: npt.ArrayLike) -> list[dict[str, Any]]:
    """Which channel, when, largest share first; all spans together add up to the whole.

    Args:
        values: (channel, time) of one window.
        times: (time,) the window's time stamps, of any type.

    Returns:
        `channel` (name), `t0` and `t1` (first and last time stamp of the span), `attribution`.
    """
    times, edges = np.asarray(times), _edges(shape.size[-1])
    found = []
    for begin, end in pairwise(edges):
        shares = by_part(shape, np.asarray(values)[:, begin:end])
        found += [
            {"channel": name, "t0": times[begin], "t1": times[end - 1], "attribution": float(share)}
            for name, share in zip(shape.parts.names, shares, strict=True)
        ]
    return sorted(found, key=lambda span: -abs(span["attribution"]))


def cells(shape: ItemShape) -> Tensor:
    """(*item) int64, 0, 1, 2, ...: the pieces that perturbing methods replace at once.

    Tables: a column, with its one-hot block and missing flag. Images: a grid cell in all colours. Windows: a span of a
    channel.
    """
    owner = np.asarray(shape.parts.of_entry).reshape(-1, *[1] * (len(shape.size) - 1))
    code = np.zeros_like(owner) if shape.modality is Modality.IMAGE else owner
    for axis, side in enumerate(shape.size[1:], start=1):
        place = np.searchsorted(_edges(side), np.arange(side), side="right")
        code = code * (GRID + 1) + place.reshape([-1 if a == axis else 1 for a in range(len(shape.size))])
    code = np.broadcast_to(code, shape.size)
    return torch.from_numpy(np.unique(code, return_inverse=True)[1].reshape(shape.size).astype(np.int64))


def parts(shape: ItemShape) -> Tensor:
    """(*item) int64: the part of the user's that each entry belongs to; whole channels of a window."""
    owner = np.asarray(shape.parts.of_entry).reshape(-1, *[1] * (len(shape.size) - 1))
    return torch.from_numpy(np.broadcast_to(owner, shape.size).astype(np.int64))


def _edges(side: int) -> list[int]:
    """Borders of at most GRID pieces of nearly equal length."""
    pieces = min(GRID, side)
    return [round(i * side / pieces) for i in range(pieces + 1)]


def peaks_of(smooth: np.ndarray) -> list[tuple[slice, slice]]:
    """Bounding boxes of the connected places of a (y, x) map above half of its peak, fullest first; none where nothing
    is positive.
    """
    if not smooth.max() > 0:  # also False for NaN
        return []
    labels, _ = ndimage.label(smooth > smooth.max() / 2)
    places = ndimage.find_objects(labels)
    held = ndimage.sum_labels(smooth, labels, range(1, len(places) + 1))
    return [places[i] for i in np.argsort(-np.asarray(held))[:REGIONS]]


def _box(place: tuple[slice, slice], share: float, item: tuple[int, ...], size: tuple[int, int]) -> dict[str, Any]:
    """A place of the item on the user's image: rounded outwards, so that it covers what it stands for."""
    (y, x), (height, width) = place, size
    return {
        "y0": y.start * height // item[0],
        "x0": x.start * width // item[1],
        "y1": -(-y.stop * height // item[0]),
        "x1": -(-x.stop * width // item[1]),
        "attribution": share,
    }
