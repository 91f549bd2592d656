"""The smallest change that makes an item normal: parts are replaced one by one, then two and three at a time.

The caller gives the candidate values and the parts: the same search serves tables, windows and images.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ad_core.progress import Report

MOST_PARTS = 3
"""Maximum number of parts that are changed together."""


@dataclass(frozen=True)
class Move:
    """One part of an item, replaced."""

    part: str
    at: Any
    """Index into an item, (*item)."""
    values: Tensor
    """The new values there."""
    cost: float
    """Size of the change; only compared between changes of the same number of parts."""
    to: Any = None
    """The new value in the user's terms."""


@dataclass(frozen=True)
class Judge:
    """Decides whether an item is normal."""

    score: Callable[[Tensor], np.ndarray]
    """(c, *item) -> (c,) float64."""
    typical: Callable[[Tensor], np.ndarray]
    """(c, *item) -> (c,) bool: not further from normal items than these are from each other."""
    below: float
    """A score under this is no alert."""
    at_a_time: int

    def scores(self, items: Sequence[Tensor], report: Report) -> np.ndarray:
        """(c,) scores, some at a time."""
        return self._some(self.score, items, report)

    def normal(self, items: Sequence[Tensor], report: Report, scores: np.ndarray | None = None) -> np.ndarray:
        """(c,) bool; only items with a low enough score are tested for being typical."""
        found = self.scores(items, report) if scores is None else scores
        low = np.flatnonzero(found < self.below)
        normal = np.zeros(len(items), dtype=bool)
        if len(low):
            normal[low] = self._some(self.typical, [items[int(i)] for i in low], report)
        return normal

    def _some(self, judge: Callable[[Tensor], np.ndarray], items: Sequence[Tensor], report: Report) -> np.ndarray:
        found = []
        for begin in range(0, len(items), self.at_a_time):
            report.check()
            found.append(judge(torch.stack(list(items[begin : begin + self.at_a_time]))))
        return np.concatenate(found) if found else np.zeros(0)


@dataclass(frozen=True)
class Found:
    """Some parts replaced together."""

    moves: tuple[Move, ...]
    score: float

    @property
    def parts(self) -> frozenset[str]:
        """Names of the parts."""
        return frozenset(move.part for move in self.moves)

    @property
    def cost(self) -> float:
        """Size of the change."""
        return sum(move.cost for move in self.moves)


@dataclass(frozen=True)
class Outcome:
    """The result of a search."""

    normal: list[Found]
    """Sufficient changes with the fewest parts, the smallest first, one per set of parts; empty = there is none."""
    lowest: Found | None
    """The lowest score that was reached, normal or not; None where there was nothing to try."""
    tried: int


@dataclass(frozen=True)
class Breadth:
    """Limits of the search, which do not depend on the size of the data."""

    beam: int = 16
    """Maximum number of best changes that are extended by a further part."""
    wide: int = 64
    """Maximum number of best single moves that they are extended by."""
    per_part: int = 3
    """Maximum number of values per part, so that the values of one part do not displace the others."""


def apply(x: Tensor, moves: Iterable[Move]) -> Tensor:
    """A changed copy of an item (*item)."""
    changed = x.clone()
    for move in moves:
        changed[move.at] = move.values.to(changed)
    return changed


def search(x: Tensor, moves: Sequence[Move], judge: Judge, report: Report, breadth: Breadth | None = None) -> Outcome:
    """Beam search over 1, 2 and 3 parts; stops at the fewest parts that suffice. Deterministic.

    Source of the idea: Wachter et al. 2017, arXiv:1711.00399, eq. 2 (the nearest item on the other side); sparsity and
    values that exist, as in Mothilal et al. 2020 (DiCE), arXiv:1905.07697, sections 3.1 to 3.3.

    Args:
        x: (*item).
    """
    breadth = breadth or Breadth()
    combos: list[tuple[Move, ...]] = [(move,) for move in moves]
    lowest: Found | None = None
    singles: list[Found] = []
    tried = 0
    for size in range(1, MOST_PARTS + 1):
        if not combos:
            break
        items = [apply(x, combo) for combo in combos]
        scores = judge.scores(items, report)
        tried += len(items)
        found = [Found(combo, float(score)) for combo, score in zip(combos, scores, strict=True)]
        ranked = [found[i] for i in np.argsort(np.nan_to_num(scores, nan=np.inf), kind="stable")]
        lowest = min([one for one in (lowest, ranked[0]) if one], key=lambda one: one.score)
        normal = judge.normal(items, report, scores)
        if normal.any():
            enough = sorted((one for one, is_normal in zip(found, normal, strict=True) if is_normal), key=_size)
            return Outcome(_one_per_parts(enough), lowest, tried)
        singles = singles or ranked
        combos = _extended(ranked, singles, breadth)
        report.step(size / MOST_PARTS)
    return Outcome([], lowest, tried)


def _size(found: Found) -> tuple[float, float]:
    return found.cost, found.score


def _one_per_parts(found: Sequence[Found]) -> list[Found]:
    first: dict[frozenset[str], Found] = {}
    for one in found:
        first.setdefault(one.parts, one)
    return list(first.values())


def _extended(ranked: Sequence[Found], singles: Sequence[Found], breadth: Breadth) -> list[tuple[Move, ...]]:
    """The best changes, each with one further part; the same set of moves only once."""
    combos: dict[frozenset[int], tuple[Move, ...]] = {}
    for base in _few_per_parts(ranked, breadth.per_part)[: breadth.beam]:
        for single in _few_per_parts(singles, breadth.per_part)[: breadth.wide]:
            if not single.parts & base.parts:
                moves = (*base.moves, *single.moves)
                combos.setdefault(frozenset(map(id, moves)), moves)
    return list(combos.values())


def _few_per_parts(ranked: Sequence[Found], most: int) -> list[Found]:
    seen: dict[frozenset[str], int] = {}
    kept = []
    for one in ranked:
        seen[one.parts] = seen.get(one.parts, 0) + 1
        if seen[one.parts] <= most:
            kept.append(one)
    return kept
