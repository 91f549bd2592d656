"""The newest rows of an endless array."""

import numpy as np
from numpy.typing import DTypeLike


class RingBuffer:
    """Rows are appended at the end and dropped at the beginning. They keep their number; memory holds only kept rows.

    Args:
        shape: of one row.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._store = np.zeros((64, *shape), dtype=dtype)
        self._begin, self._end = 0, 0
        self.first = 0
        """Number of the first row that is kept."""

    @property
    def rows(self) -> np.ndarray:
        """(kept, *shape) view."""
        return self._store[self._begin : self._end]

    @property
    def end(self) -> int:
        """Number that the next row will have."""
        return self.first + self._end - self._begin

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end."""
        if self._end + len(rows) > len(self._store):
            kept, needed = self.rows, self._end - self._begin + len(rows)
            if 2 * needed > len(self._store):  # at most half full after a copy, so that copies are rare
                self._store = np.zeros((2 * needed, *kept.shape[1:]), dtype=kept.dtype)
            self._store[: len(kept)] = kept.copy()
            self._begin, self._end = 0, len(kept)
        self._store[self._end : self._end + len(rows)] = rows
        self._end += len(rows)

    def drop(self, until: int) -> None:
        """Drop the rows before the one with this number."""
        gone = max(0, min(until, self.end) - self.first)
        self._begin += gone
        self.first += gone
