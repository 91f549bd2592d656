"""Parts of items that new data don't hold at all, filled in from similar normal items.

A dead sensor, or a column that the analyst allows to be missing, must not alarm in every row, and the other parts must
be scored as usual. A constant such as the mean would do neither: it contradicts the parts that depend on it. So each
item takes the values of the normal items that are most similar in the parts that are known; numbers of tables take
their mean, moved by a linear regression on the difference that remains, as the most similar row may still be far.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from ad_core.types import ItemShape, Modality

if TYPE_CHECKING:
    from torch import Tensor

NEIGHBOURS = {Modality.TABLE: 5}
"""Number of normal items whose numbers are averaged. Windows take those of one: a mean would have no noise."""

LEVELS = 20
"""A part with at most this many different values takes that of the most similar item: a mean of levels is no level."""

RIDGE = 0.01
"""Weight of the penalty of the regression, per normal item and in squared standard deviations."""

AT_A_TIME = 1024
"""Number of items whose distances are in memory at once."""


@dataclass(frozen=True)
class FillIn:
    """What stands in the place of absent parts."""

    normals: "Tensor"
    """(m, *item)."""
    known: list[int]
    """Entries of the first axis of an item that the data hold."""
    levels: list[int]
    """Absent entries that have few values."""
    numbers: list[int]
    """The other absent entries."""
    slopes: "Tensor | None"
    """(known, numbers) of the regression; None for recordings."""
    nearest: np.ndarray
    """(n, k) positions in `normals` of those most similar to each item, the most similar first."""

    @classmethod
    def of(cls, absent: tuple[int, ...], normals: "Tensor", shape: ItemShape) -> Self:
        """Prepared for these absent parts, for no item yet."""
        entries = [shape.parts.entries(part) for part in absent]
        few = [len(normals[:, own].unique(dim=0)) <= LEVELS for own in entries]
        levels = [entry for own, has_few in zip(entries, few, strict=True) if has_few for entry in own]
        numbers = [entry for own, has_few in zip(entries, few, strict=True) if not has_few for entry in own]
        known = np.setdiff1d(np.arange(shape.size[0]), [*levels, *numbers]).tolist()
        is_table = shape.modality is Modality.TABLE
        slopes = _slopes(normals[:, known], normals[:, numbers]) if is_table and numbers else None
        k = min(NEIGHBOURS.get(shape.modality, 1), len(normals))
        return cls(normals, known, levels, numbers, slopes, np.empty((0, k), dtype=np.int64))

    def near(self, x: "Tensor") -> np.ndarray:
        """(b, k) positions of the normal items that are nearest in the entries that are known."""
        import torch

        bank, k = self.normals[:, self.known].flatten(1), self.nearest.shape[1]
        distances = (torch.cdist(part[:, self.known].flatten(1), bank) for part in x.split(AT_A_TIME))
        return torch.cat([part.topk(k, largest=False).indices for part in distances]).numpy()

    def put(self, x: "Tensor", index: np.ndarray | slice) -> "Tensor":
        """Items at these positions, (b, *item), with the absent parts filled in."""
        import torch

        near = self.normals[torch.from_numpy(self.nearest[index])]  # (b, k, *item)
        filled, mean = x.clone(), near.mean(1)
        filled[:, self.levels] = near[:, 0, self.levels]
        filled[:, self.numbers] = mean[:, self.numbers]
        if self.slopes is not None:
            filled[:, self.numbers] += (x[:, self.known] - mean[:, self.known]) @ self.slopes
        return filled

    def only(self, index: np.ndarray) -> "FillIn":
        """The same for these items alone."""
        return replace(self, nearest=self.nearest[index])


def _slopes(known: "Tensor", absent: "Tensor") -> "Tensor":
    """(known, absent) coefficients of a ridge regression."""
    import torch

    x, y = (values.double() - values.double().mean(0) for values in (known, absent))
    penalty = RIDGE * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    slopes: Tensor = torch.linalg.solve(x.mT @ x + penalty, x.mT @ y).float()
    return slopes
