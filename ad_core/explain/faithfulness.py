"""Faithfulness of an explanation, tested on the score of the explained item itself.

Every attribution looks plausible. Three tests separate faithful ones from others:

- deletion: does the score fall when the parts named first are replaced by the baseline's, and further than when as
  many other parts are? (Samek et al. 2017, Evaluating the visualization of what a deep neural network has learned,
  section III, with a random control.) For images the region named first is inpainted.
- agreement: does another method, or the detector's own map of an image, name the same parts?
- stability: are the same parts named after a change too small to matter? (Alvarez-Melis and Jaakkola 2018,
  arXiv:1806.08049.)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ad_core.explain.attribution import SEED, Attribution, explain, methods_for
from ad_core.explain.grade import BASELINE, DRAWS, OWN_MAP, USUAL, grades
from ad_core.explain.perturbation import FeaturePerturbation, Perturbation, RegionPerturbation, of_map
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.scorer import ScoreModel
from ad_core.types import ItemShape, Modality

NOISE, COPIES = 0.05, 2
"""Size of the change, in standard deviations of each entry among normal items, and how often it is drawn."""

FEW_STEPS = {Modality.TABLE: 16, Modality.IMAGE: 4, Modality.SENSOR: 8}
"""Points on the path of the explanations that the tested one is compared with."""

ABLATED = 128
"""Maximum number of pieces to replace one by one; with more, another gradient path is cheaper."""

SCORES = ("score", "baseline_score")
"""Fields of `Checks` in units of the score."""

ADD_UP = ("integrated_gradients", "gradient_shap", "shapley_sampling", "kernel_shap")
"""Methods whose shares should add up to the score; the gap of others is not meaningful."""


@dataclass(frozen=True)
class Checks:
    """Results of the tests of k explanations, each (k,); NaN = could not be tested."""

    named: np.ndarray
    """Number of parts, or of separate regions of an image, that were tested."""
    area: np.ndarray
    """Share of the image that is inpainted for these regions; NaN where parts were tested."""
    drop: np.ndarray
    """Share of the score, counted from `above`, that is lost without the parts named first."""
    drop_random: np.ndarray
    """Mean share that is lost without the same number of other parts."""
    p: np.ndarray
    """(1 + number of random sets whose drop is at least as large) / (DRAWS + 1)."""
    agreement: np.ndarray
    """Attribution by a second method to the tested parts, as a share of that to its own first parts, 0..1."""
    second_method: str
    stability: np.ndarray
    """The same, for the same method after small changes of the item; the mean over COPIES."""
    gap: np.ndarray
    """|sum of shares - (score - baseline score)| / |score - baseline score|; NaN where shares need not add up."""
    score: np.ndarray
    """The score that is explained: of the row, of the window around it, or of an image's highest tile."""
    baseline_score: np.ndarray
    """The score of the baseline, to which the shares add the rest."""

    above: np.ndarray | str = BASELINE
    """What `drop` and `drop_random` count from: USUAL, the score of a typical normal item, or BASELINE, that of the
    baseline; see `Attribution.least`.
    """

    def table(self, row_ids: list[str]) -> pd.DataFrame:
        """One line per explanation."""
        fields = ("named", "area", "drop", "drop_random", "p", "agreement", "stability", "gap", "above", *SCORES)
        lines = pd.DataFrame({"row_id": row_ids, **{name: getattr(self, name) for name in fields}})
        lines["second_method"] = self.second_method
        return lines.assign(grade=grades(lines))


def check(
    model: ScoreModel,
    shape: ItemShape,
    x: Tensor | SourceItems,
    baseline: Tensor,
    found: Attribution,
    spread: Tensor,
) -> Checks:
    """Test these explanations.

    Args:
        x: (k, *item), the items that `found` explains; with their positions where they keep out-of-bag scores.
        baseline: (k, *item), their baselines in `found`.
        spread: (*item) standard deviation of each entry among normal items.
    """
    kind = RegionPerturbation if shape.modality is Modality.IMAGE else FeaturePerturbation
    places: Perturbation = kind(model, shape, x, baseline)
    named = places.first(places.shares(found.values))
    counts, areas = places.extent(named)
    second, others = _second(places, found.method)
    drop, drop_random, p = _deleted(places, found, named)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = found.delta / np.abs(found.score - found.baseline_score)
    return Checks(
        counts,
        areas,
        drop,
        drop_random,
        p,
        shared(others, named),
        second,
        _stability(places, found.method, spread, named),
        gap if found.method in ADD_UP else np.full(len(found.score), np.nan),
        found.score,
        found.baseline_score,
        np.where(found.is_above_usual, USUAL, BASELINE),
    )


def _second(places: Perturbation, method: str) -> tuple[str, np.ndarray]:
    """Name and attributions, (k, place), of the explanation to compare with.

    The detector's own map of an image, which needs no baseline, no gradient and no change of the image that could
    itself be anomalous; otherwise another method.
    """
    model, shape, x = places.model, places.shape, places.x
    if shape.modality is Modality.IMAGE:
        with torch.no_grad():
            own = model.part_scores(x)
        if own is not None and own.ndim == 3:
            return OWN_MAP, of_map(own, (x.shape[2], x.shape[3]))
    pieces = places.pieces
    second = second_method(model, method, int(pieces.max()) + 1)
    steps, made_of = FEW_STEPS[shape.modality], places.originals
    other = explain(model, shape, x, places.baseline, second, steps, made_of, pieces)
    return second, places.shares(other.values)


def second_method(model: ScoreModel, method: str, pieces: int) -> str:
    """The method that an explanation is compared with, of another kind where the cost allows it."""
    offered = [name for name in methods_for(model) if name not in (method, "occlusion", "kernel_shap")]
    wanted = ("feature_ablation" if pieces <= ABLATED else "gradient_shap", "shapley_sampling", "feature_ablation")
    return next(name for name in wanted if name in offered)


def shared(shares: np.ndarray, named: np.ndarray) -> np.ndarray:
    """(k,) 0..1: another explanation's attribution to the named parts, as a share of that to its own top parts.

    Args:
        shares: (k, piece) of the other explanation.
        named: (k, piece) bool.
    """
    raising = np.maximum(shares, 0)
    on_named = (raising * named).sum(1)
    best = np.array([np.sort(line)[::-1][:n].sum() for line, n in zip(raising, named.sum(1), strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(best > 0, on_named / best, np.nan))


def _deleted(places: Perturbation, found: Attribution, named: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop, mean drop of random sets, and p; NaN where no part is named, no other is left, or scores don't differ."""
    possible = named.any(1) & places.testable(named) & (found.score > found.baseline_score)
    span = np.where(possible, found.score - found.least, np.nan)
    drop, *draws = (found.score - places.scores_without(named)) / span
    p = (1 + (np.stack(draws) >= drop).sum(0)) / (DRAWS + 1)
    return drop, np.mean(draws, axis=0), np.where(np.isnan(drop), np.nan, p)


def _stability(places: Perturbation, method: str, spread: Tensor, named: np.ndarray) -> np.ndarray:
    """(k,) agreement of the explanations after small changes with the named parts; all items get the same changes."""
    generator, x = torch.Generator().manual_seed(SEED), places.x
    steps, found = FEW_STEPS[places.shape.modality], []
    for _ in range(COPIES):
        noise = torch.randn(x.shape[1:], generator=generator).to(x.device, x.dtype)
        near = x + NOISE * spread.to(x.device, x.dtype) * noise
        moved = explain(places.model, places.shape, near, places.baseline, method, steps, places.originals)
        found.append(shared(places.shares(moved.values), named))
    return np.asarray(np.mean(found, axis=0))
