"""Orders of a few pieces that differ as much as can be: what jigsaw puzzles are made of."""

from itertools import permutations

import torch
from torch import Tensor


def far_apart(pieces: int, most: int) -> Tensor:
    """Orders chosen one by one: each the one that differs in most places from the nearest chosen before (Noroozi and
    Favaro 2016, alg. 1); the first in lexicographic order where several do.

    Args:
        pieces: at most 9; all their orders are looked at.
        most: how many orders are wanted; there may be fewer.

    Returns:
        (orders, pieces) int64, the usual order first.
    """
    every = torch.tensor(list(permutations(range(pieces))))
    chosen, nearest = [0], torch.full((len(every),), pieces)
    while len(chosen) < min(most, len(every)):
        nearest = torch.minimum(nearest, (every != every[chosen[-1]]).sum(1))
        chosen.append(int(nearest.argmax()))
    return every[chosen]
