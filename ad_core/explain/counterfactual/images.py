"""Candidate changes of an image: inpaint its most anomalous regions from normal images or smoothly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ad_core.explain.attribution_regions import peaks_of
from ad_core.explain.counterfactual.search import Move
from ad_core.explain.counterfactual.words import SMOOTH
from ad_core.explain.inpainting import as_bright, smooth, soft_edge

REGIONS = 3
"""Maximum number of regions that are tried."""
MARGINS = (0.0, 0.25, 0.5, 0.75)
"""Margins that are tried around a region, as shares of its size: an anomaly often extends beyond the peak."""

MOST_AREA = 0.5
"""Maximum share of the image that is inpainted, so that enough of it is left."""

FAINT = 0.1
"""Minimum height of a region's peak, as a share of the highest one."""


def image_moves(x: Tensor, donors: Tensor, donor_ids: Sequence[str], grid: np.ndarray) -> list[Move]:
    """Every region with every filling.

    Args:
        x: (channel, y, x).
        donors: (k, channel, y, x) normal images, the nearest first.
        grid: (y, x) anomaly map of the image, on any grid that spans it.
    """
    image = x.double().numpy()
    side = image.shape[1:]
    zoomed = torch.nn.functional.interpolate(
        torch.from_numpy(np.ascontiguousarray(grid, dtype=np.float32))[None, None], side, mode="bilinear"
    )[0, 0].numpy()
    moves = []
    for number, region in enumerate(_regions(zoomed)):
        for margin in MARGINS:
            box = _wider(region, margin, side)
            weight = soft_edge(_filled(box, side))
            if (weight == 1).mean() > MOST_AREA:
                continue
            hidden = weight > 0
            fillings = [(SMOOTH, smooth(image, hidden, _reach(box)))]
            fillings += [
                (name, as_bright(donor.double().numpy(), image, hidden))
                for name, donor in zip(donor_ids, donors, strict=True)
            ]
            for name, filling in fillings:
                values = image * (1 - weight) + filling * weight
                moves.append(_move(f"region {number + 1}", values, weight, box, name))
    return moves


def _regions(zoomed: np.ndarray) -> list[tuple[slice, slice]]:
    """Bounding boxes of the highest regions of a (y, x) map; after the highest peak, lower ones are searched for."""
    left, chosen = zoomed - np.median(zoomed), list[tuple[slice, slice]]()
    faint = FAINT * left.max()
    while len(chosen) < REGIONS and left.max() > faint:
        regions = peaks_of(left)
        chosen += regions
        for place in regions:
            left[_wider(place, MARGINS[1], left.shape)] = 0
    return chosen[:REGIONS]


def _move(part: str, values: np.ndarray, weight: np.ndarray, box: tuple[slice, slice], name: str) -> Move:
    rows, columns = np.flatnonzero(weight.any(1)), np.flatnonzero(weight.any(0))
    at: Any = (slice(None), slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    to = {"y": (box[0].start, box[0].stop), "x": (box[1].start, box[1].stop), "as_in": name}
    return Move(part, at, torch.from_numpy(values[at].clip(0, 1)).float(), float((weight > 0).mean()), to)


def _wider(place: tuple[slice, slice], margin: float, side: tuple[int, ...]) -> tuple[slice, slice]:
    found = []
    for span, most in zip(place, side, strict=True):
        more = round(margin * (span.stop - span.start)) + 1
        found.append(slice(max(0, span.start - more), min(most, span.stop + more)))
    return found[0], found[1]


def _filled(box: tuple[slice, slice], side: tuple[int, ...]) -> np.ndarray:
    """(y, x) bool."""
    mask = np.zeros(side, dtype=bool)
    mask[box] = True
    return mask


def _reach(box: tuple[slice, slice]) -> float:
    longest: int = max(span.stop - span.start for span in box)
    return max(2.0, longest / 2)
