"""Some of a stream of vectors, drawn with the same chance each or by their positions, without holding all of them."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor


def drawn_items(index: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """All positions, or so many of them drawn at random, in ascending order where they are drawn."""
    if len(index) <= limit:
        return index
    return np.sort(np.random.default_rng(seed).choice(index, limit, replace=False))


def drawn(chunks: Iterable[Tensor], limit: int, seed: int = 0) -> Tensor:
    """At most so many rows of the chunks; the same for the same chunks and seed, however the rows are cut into chunks.

    Args:
        chunks: (n, d) each, one at least.

    Returns:
        (min(limit, all rows), d) in the order in which they came.
    """
    generator = torch.Generator().manual_seed(seed)
    kept, lot = None, torch.zeros(0)
    for chunk in chunks:
        lots = torch.rand(len(chunk), generator=generator, dtype=torch.float64)
        kept = chunk if kept is None else torch.cat([kept, chunk])
        lot = torch.cat([lot.double(), lots])
        if len(kept) > limit:
            best = lot.topk(limit).indices.sort().values
            kept, lot = kept[best.to(kept.device)], lot[best]
    if kept is None:
        raise ValueError("There is no chunk to draw from")
    return kept


def at_positions(chunks: Iterable[Tensor], positions: Tensor) -> Tensor:
    """The rows at these positions of the stream.

    Args:
        chunks: (n, d) each, one at least.
        positions: (m,) int64, ascending.

    Returns:
        (m, d) on the device of the chunks.
    """
    found, first = [], 0
    for chunk in chunks:
        inside = positions[(positions >= first) & (positions < first + len(chunk))] - first
        found.append(chunk[inside.to(chunk.device)])
        first += len(chunk)
    return torch.cat(found)
