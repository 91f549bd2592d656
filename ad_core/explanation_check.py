"""Whether an explanation can be believed: tested on the score itself, for the very item, on the spot.

An attribution always looks like an answer. Three questions tell those that are one from those that are not:

- deletion: does the score fall when the parts named first are replaced by the baseline's, and further than when as
  many other parts are? (Samek et al. 2017, Evaluating the visualization of what a deep neural network has learned,
  section III, with a random control.)
- agreement: does another method name the same parts?
- stability: are the same parts named after a change too small to matter? (Alvarez-Melis and Jaakkola 2018,
  arXiv:1806.08049.)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ad_core.attribution_places import cells
from ad_core.explanation import SEED, Attribution, at_a_time, explain, methods_for
from ad_core.explanation_grade import COVERED, DRAWS, grades
from ad_core.scorer import ScoreModel
from ad_core.types import ItemShape, Modality

MOST_NAMED = 5
"""The parts that are tested are the fewest that hold COVERED of what raises the score, and no more than so many."""

NOISE, COPIES = 0.05, 2
"""Size of the change, in standard deviations of each entry among normal items, and how often it is drawn."""

FEW_STEPS = {Modality.TABLE: 16, Modality.IMAGE: 4, Modality.SENSOR: 8}
"""Points on the path of the explanations that the tested one is compared with."""

ABLATED = 128
"""With more pieces than this, replacing them one by one costs more than another path of gradients."""

ADD_UP = ("integrated_gradients", "gradient_shap", "shapley_sampling", "kernel_shap")
"""Methods whose shares are meant to add up to the score; the gap of others says nothing."""


@dataclass(frozen=True)
class Checks:
    """What was found of k explanations, each (k,); NaN = could not be tested."""

    named: np.ndarray
    """How many parts were tested."""
    drop: np.ndarray
    """Share of score - baseline score that is gone without the parts named first."""
    drop_random: np.ndarray
    """Mean share that is gone without as many other parts."""
    p: np.ndarray
    """(1 + number of random sets whose drop is at least as large) / (DRAWS + 1)."""
    agreement: np.ndarray
    """Share of what a second method gives to its own first parts that lies on the parts tested, 0..1."""
    second_method: str
    stability: np.ndarray
    """The same, for the same method after small changes of the item; the mean over COPIES."""
    gap: np.ndarray
    """|sum of shares - (score - baseline score)| / |score - baseline score|; NaN where shares need not add up."""

    def table(self, row_ids: list[str]) -> pd.DataFrame:
        """One line per explanation."""
        fields = ("named", "drop", "drop_random", "p", "agreement", "stability", "gap")
        lines = pd.DataFrame({"row_id": row_ids, **{name: getattr(self, name) for name in fields}})
        return lines.assign(second_method=self.second_method, grade=grades(lines))


def check(
    model: ScoreModel, shape: ItemShape, x: Tensor, baseline: Tensor, found: Attribution, spread: Tensor
) -> Checks:
    """Test these explanations.

    Args:
        x: (k, *item), the items that `found` explains.
        baseline: (k, *item), what it compared them with.
        spread: (*item) standard deviation of each entry among normal items.
    """
    mask = cells(shape).to(x.device)
    count = int(mask.max()) + 1
    shares = _by_piece(found.values, mask, count)
    named = _first(shares)
    second = second_method(model, found.method, count)
    steps = FEW_STEPS[shape.modality]
    other = explain(model, shape, x, baseline, second, steps)
    drop, drop_random, p = _deleted(model, shape, x, baseline, found, named, mask)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = found.delta / np.abs(found.score - found.baseline_score)
    return Checks(
        named.sum(1).astype(np.float64),
        drop,
        drop_random,
        p,
        shared(_by_piece(other.values, mask, count), named),
        second,
        _stability(model, shape, x, baseline, found.method, spread, named, mask),
        gap if found.method in ADD_UP else np.full(len(x), np.nan),
    )


def second_method(model: ScoreModel, method: str, pieces: int) -> str:
    """The method that an explanation is compared with: of another kind where that is affordable."""
    offered = [name for name in methods_for(model) if name not in (method, "occlusion", "kernel_shap")]
    wanted = ("feature_ablation" if pieces <= ABLATED else "gradient_shap", "shapley_sampling", "feature_ablation")
    return next(name for name in wanted if name in offered)


def shared(shares: np.ndarray, named: np.ndarray) -> np.ndarray:
    """(k,) 0..1: of what another explanation gives to as many parts of its own choice, how much lies on these.

    Args:
        shares: (k, piece) of the other explanation.
        named: (k, piece) bool.
    """
    raising = np.maximum(shares, 0)
    on_named = (raising * named).sum(1)
    best = np.array([np.sort(line)[::-1][:n].sum() for line, n in zip(raising, named.sum(1), strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(best > 0, on_named / best, np.nan))


def _first(shares: np.ndarray) -> np.ndarray:
    """(k, piece) bool: the fewest pieces that hold COVERED of what raises the score, MOST_NAMED at most."""
    raising = np.maximum(shares, 0)
    order = np.argsort(-raising, axis=1, kind="stable")
    held = np.cumsum(np.take_along_axis(raising, order, 1), axis=1)
    before = np.hstack([np.zeros((len(shares), 1)), held[:, :-1]])
    first = (before < COVERED * held[:, -1:]) & (np.arange(shares.shape[1]) < MOST_NAMED)
    named = np.zeros(shares.shape, dtype=bool)
    np.put_along_axis(named, order, first, 1)
    return np.asarray(named & (raising > 0))


def _deleted(
    model: ScoreModel,
    shape: ItemShape,
    x: Tensor,
    baseline: Tensor,
    found: Attribution,
    named: np.ndarray,
    mask: Tensor,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop, mean drop of random sets, and p; NaN where nothing is named, nothing else is there, or nothing differs."""
    others = ~named
    possible = named.any(1) & (others.sum(1) >= named.sum(1)) & (found.score > found.baseline_score)
    span = np.where(possible, found.score - found.baseline_score, np.nan)
    random = np.random.default_rng(SEED)
    chosen = np.stack([named, *(_drawn(others, named.sum(1), random) for _ in range(DRAWS))])
    drop, *draws = (found.score - _without(model, shape, x, baseline, chosen, mask)) / span
    p = (1 + (np.stack(draws) >= drop).sum(0)) / (DRAWS + 1)
    return drop, np.mean(draws, axis=0), np.where(np.isnan(drop), np.nan, p)


def _drawn(candidates: np.ndarray, how_many: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(k, piece) bool: so many of the candidates of each line, at random."""
    keys = np.where(candidates, random.random(candidates.shape), np.inf)
    rank = keys.argsort(1).argsort(1)
    return candidates & (rank < how_many[:, None])


def _without(
    model: ScoreModel, shape: ItemShape, x: Tensor, baseline: Tensor, pieces: np.ndarray, mask: Tensor
) -> np.ndarray:
    """(set, k) scores of the items whose chosen pieces, (set, k, piece) bool, are the baseline's."""
    scores, some = [], at_a_time(shape)
    which = np.tile(np.arange(len(x)), len(pieces))  # every item once for each set
    flat = torch.from_numpy(pieces.reshape(-1, pieces.shape[2]))
    with torch.no_grad():
        for begin in range(0, len(which), some):
            rows = which[begin : begin + some]
            replaced = flat[begin : begin + some].to(x.device)[:, mask]  # (b, *item)
            scores.append(model.score(torch.where(replaced, baseline[rows], x[rows])).double().cpu())
    return torch.cat(scores).numpy().reshape(len(pieces), len(x))


def _stability(
    model: ScoreModel, shape: ItemShape, x: Tensor, baseline: Tensor, method: str, spread: Tensor, named: np.ndarray,
    mask: Tensor,
) -> np.ndarray:  # fmt: skip
    """(k,) how much of what is named after small changes is the same."""
    generator = torch.Generator().manual_seed(SEED)
    found = []
    for _ in range(COPIES):
        noise = torch.randn(x.shape, generator=generator).to(x.device, x.dtype)
        moved = explain(
            model, shape, x + NOISE * spread.to(x.device, x.dtype) * noise, baseline, method, FEW_STEPS[shape.modality]
        )
        found.append(shared(_by_piece(moved.values, mask, named.shape[1]), named))
    return np.asarray(np.mean(found, axis=0))


def _by_piece(values: np.ndarray, mask: Tensor, count: int) -> np.ndarray:
    """(k, *item) -> (k, piece): the entries of each piece added up."""
    flat = torch.from_numpy(np.asarray(values, dtype=np.float64).reshape(len(values), -1))
    sums = torch.zeros(len(flat), count, dtype=torch.float64)
    return np.asarray(sums.index_add_(1, mask.flatten().cpu(), flat))
