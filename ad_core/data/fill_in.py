"""Parts of items that new data don't hold at all, filled in from similar normal items.

A dead sensor, or a column that the analyst allows to be missing, must not alarm in every row, and the other parts must
be scored as usual. A constant such as the mean would do neither: it contradicts the parts that depend on it. So each
item takes the values of the normal items that are most similar in the parts that are known.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ad_core.types import ItemShape, Modality

if TYPE_CHECKING:
    from torch import Tensor

NEIGHBOURS = {Modality.TABLE: 5}
"""Number of normal items whose numbers are averaged. Windows take those of one: a mean would have no noise."""

LEVELS = 20
"""A part with at most this many different values takes that of the most similar item: a mean of levels is no level."""

AT_A_TIME = 1024
"""Number of items whose distances are in memory at once."""


@dataclass(frozen=True)
class FillIn:
    """What stands in the place of absent parts."""

    absent: tuple[int, ...]
    """Positions of the parts, see `ItemShape.parts`."""
    normals: "Tensor"
    """(m, *item)."""
    nearest: np.ndarray
    """(n, k) positions in `normals` of those most similar to each item, the most similar first."""

    def put(self, x: "Tensor", index: np.ndarray | slice, shape: ItemShape) -> "Tensor":
        """Items at these positions, (b, *item), with the absent parts filled in."""
        import torch

        near = self.normals[torch.from_numpy(self.nearest[index])]  # (b, k, *item)
        filled = x.clone()
        for part in self.absent:
            entries = _entries(shape, part)
            has_levels = len(self.normals[:, entries].unique(dim=0)) <= LEVELS
            filled[:, entries] = near[:, 0, entries] if has_levels else near[:, :, entries].mean(1)
        return filled

    def only(self, index: np.ndarray) -> "FillIn":
        """The same for these items alone."""
        return replace(self, nearest=self.nearest[index])


def nearest_normals(x: "Tensor", normals: "Tensor", absent: tuple[int, ...], shape: ItemShape) -> np.ndarray:
    """(b, k) positions of the normal items that are nearest in the parts that are known."""
    import torch

    known = np.setdiff1d(np.arange(shape.size[0]), [e for part in absent for e in _entries(shape, part)])
    bank = normals[:, known].flatten(1)
    k = min(NEIGHBOURS.get(shape.modality, 1), len(bank))
    pieces = [
        torch.cdist(part[:, known].flatten(1), bank).topk(k, largest=False).indices for part in x.split(AT_A_TIME)
    ]
    return torch.cat(pieces).numpy()


def _entries(shape: ItemShape, part: int) -> list[int]:
    """Positions of a part along the first axis of an item."""
    return list(shape.parts.entries(part))
