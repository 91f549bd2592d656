"""Draw a uniform random subset, or given positions, from a stream of vectors without holding all of them."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor


def drawn_items(index: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """All positions, or `limit` of them drawn at random, in ascending order."""
    if len(index) <= limit:
        return index
    return np.sort(np.random.default_rng(seed).choice(index, limit, replace=False))


def drawn(chunks: Iterable[Tensor], limit: int, seed: int = 0) -> Tensor:
    """At most `limit` rows drawn at random; the result depends on the rows and the seed, not on how they are chunked.

    Args:
        chunks: (n, d) each, one at least.

    Returns:
        (min(limit, all rows), d) in the order in which they came.
    """
    generator = torch.Generator().manual_seed(seed)
    kept, keys = None, torch.zeros(0)
    for chunk in chunks:
        chunk_keys = torch.rand(len(chunk), generator=generator, dtype=torch.float64)
        kept = chunk if kept is None else torch.cat([kept, chunk])
        keys = torch.cat([keys.double(), chunk_keys])
        if len(kept) > limit:
            best = keys.topk(limit).indices.sort().values
            kept, keys = kept[best.to(kept.device)], keys[best]
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
    rows, first = [], 0
    for chunk in chunks:
        inside = positions[(positions >= first) & (positions < first + len(chunk))] - first
        rows.append(chunk[inside.to(chunk.device)])
        first += len(chunk)
    return torch.cat(rows)
