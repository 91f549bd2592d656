"""A large image as overlapping square tiles, and their maps stitched together again."""

from typing import NamedTuple

import numpy as np

OVERLAP = 0.125
"""Minimum overlap of neighbouring tiles as a share of their side: a defect on a border is whole in one of them."""


class Box(NamedTuple):
    """A part of an image [px of the image]."""

    top: int
    left: int
    height: int
    width: int


def boxes(height: int, width: int, side: int) -> list[Box]:
    """Tiles that cover an image, row by row; an image that is smaller than a tile is cut less, or not at all.

    Args:
        side: of a tile [px]; 0 = the image is one tile.
    """
    if not side:
        return [Box(0, 0, height, width)]
    rows, columns = _begins(height, side), _begins(width, side)
    return [Box(top, left, min(side, height), min(side, width)) for top in rows for left in columns]


def _begins(length: int, side: int) -> list[int]:
    """Where tiles begin along one side: evenly spaced, the last one ends at the border."""
    if length <= side:
        return [0]
    number = 1 + int(np.ceil((length - side) / (side * (1 - OVERLAP))))
    return [round(at) for at in np.linspace(0, length - side, number)]


def stitched(grids: np.ndarray, parts: list[Box], size: tuple[int, int]) -> np.ndarray:
    """One map of the whole image.

    Args:
        grids: (tiles, y, x), each on any grid that spans its tile.
        parts: the box of each tile.
        size: height and width of the image [px].

    Returns:
        (height, width) float32: bilinear, the mean where tiles overlap.
    """
    total, count = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for grid, box in zip(grids, parts, strict=True):
        fine = resized(grid, (box.height, box.width))
        here = np.s_[box.top : box.top + box.height, box.left : box.left + box.width]
        total[here] += fine
        count[here] += 1
    return total / count


def resized(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(y, x) on any grid -> (height, width) float32, bilinear."""
    import torch
    from torch.nn.functional import interpolate

    values = torch.from_numpy(np.ascontiguousarray(grid, dtype=np.float32))[None, None]
    return np.asarray(interpolate(values, size, mode="bilinear", align_corners=False)[0, 0].numpy())
