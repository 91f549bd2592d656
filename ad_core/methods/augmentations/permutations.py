"""Orders of a few pieces that differ from each other as much as possible, for jigsaw tasks."""

from itertools import permutations

import torch
from torch import Tensor


def far_apart(pieces: int, most: int) -> Tensor:
    """Orders chosen one by one, each with the largest Hamming distance from the nearest one chosen before (Noroozi and
    Favaro 2016, alg. 1); of several, the first in lexicographic order.

    Args:
        pieces: at most 9, since all their orders are compared.
        most: maximum number of orders.

    Returns:
        (orders, pieces) int64, the original order first.
    """
    every = torch.tensor(list(permutations(range(pieces))))
    chosen, nearest = [0], torch.full((len(every),), pieces)
    while len(chosen) < min(most, len(every)):
        nearest = torch.minimum(nearest, (every != every[chosen[-1]]).sum(1))
        chosen.append(int(nearest.argmax()))
    return every[chosen]
