"""Attribution: the difference of an item's score to a normal item's, split over its entries.

Every method attributes `model.score` itself, the number in the score table, by Captum. The convergence delta, by which
the sum of the attributions differs from the score, is returned with them.
"""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from captum.attr import (
    FeatureAblation,
    GradientShap,
    IntegratedGradients,
    KernelShap,
    Occlusion,
    ShapleyValueSampling,
)
from sklearn.linear_model import LinearRegression
from torch import Tensor

from ad_core.errors import ExplanationError
from ad_core.explain.attribution_regions import GRID, boxes, by_part, by_part_over_time, cells, heat, spans
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.scorer import ScoreModel
from ad_core.methods.watched import Watched
from ad_core.types import ItemShape, Modality

__all__ = [
    "Attribution",
    "Baseline",
    "How",
    "at_a_time",
    "baseline_from",
    "boxes",
    "by_part",
    "by_part_over_time",
    "explain",
    "heat",
    "methods_for",
    "spans",
]

STEPS = {Modality.TABLE: 64, Modality.IMAGE: 16, Modality.SENSOR: 32}
"""Points on the path of integrated gradients: a pass over an image costs a thousand times one over a row."""

GRADIENT_METHODS = ("integrated_gradients", "gradient_shap")
PERTURBATION_METHODS = ("occlusion", "feature_ablation", "shapley_sampling", "kernel_shap")

BATCH_ENTRIES, MOST_ITEMS = 2**19, 2048
"""Maximum number of values and of items in a forward pass, which bounds the memory."""

SEED = 20_111
"""Seed of methods that draw random numbers: the same case gets the same explanation."""


Baseline = Literal["nearest", "zero", "mean"]
"""What an item is compared with: the nearest normal item (a real one); zeros; the mean of normal items."""


class How(NamedTuple):
    """The way in which items are explained."""

    method: str | None = None
    """One of `methods_for(model)`; None = the model's best."""
    baseline: Baseline = "nearest"


@dataclass(frozen=True)
class Attribution:
    """The attribution of each entry of some items to their scores."""

    values: np.ndarray
    """(k, *item) float32, in score units: positive = makes the item more anomalous than its baseline."""
    delta: np.ndarray
    """(k,) float64: |sum of values - (score - baseline_score)|; NaN where the gradient is not finite."""
    method: str
    score: np.ndarray
    """(k,) float64."""
    baseline_score: np.ndarray
    """(k,) float64."""
    usual_score: float | None = None
    """Score of a typical normal item that was not trained on; None = not known, or of no use, see `least`."""

    @property
    def least(self) -> np.ndarray:
        """(k,) the score that is left of an item without anything unusual.

        The baseline's. But the baseline is a training item: a detector that compares windows with training windows
        knows it, and those that overlap it, by heart, so that it scores far below any new normal window. What lies
        below the usual score can't be lost by making the item normal.
        """
        if self.usual_score is None:
            return self.baseline_score
        return np.where(self.is_above_usual, np.maximum(self.baseline_score, self.usual_score), self.baseline_score)

    @property
    def is_above_usual(self) -> np.ndarray:
        """(k,) bool: whether the score lies above the usual one, and this above the baseline's."""
        usual = np.nan if self.usual_score is None else self.usual_score
        return np.asarray((self.baseline_score < usual) & (usual < self.score))


def methods_for(model: ScoreModel) -> list[str]:
    """Methods that `explain` accepts for this model, the best first; without a gradient only perturbation methods."""
    return [*(GRADIENT_METHODS if model.differentiable else ()), *PERTURBATION_METHODS]


def explain(
    model: ScoreModel,
    shape: ItemShape,
    x: Tensor,
    baseline: Tensor,
    method: str,
    steps: int = 64,
    originals: Tensor | SourceItems | None = None,
    pieces: Tensor | None = None,
) -> Attribution:
    """Each entry's share in score(x) - score(baseline).

    A model whose score takes a gradient inside (an adversarial perturbation, say) must build it with `create_graph`
    while gradients are enabled; otherwise gradient methods miss that part of the score, which `delta` shows.

    Methods: "integrated_gradients" (Sundararajan et al. 2017, eq. 1); "gradient_shap" (Erion et al. 2021, eq. 4; with
    one baseline per item it is integrated gradients at random points); "occlusion" (Zeiler & Fergus 2014: a patch of an
    image, or a segment of one channel, is replaced by the baseline, moving over the item; for tables the same as the
    next); "feature_ablation" (columns, grid cells or spans replaced one by one); "shapley_sampling" (the same pieces
    in random orders, Castro et al. 2009); "kernel_shap" (random sets of the same pieces, Lundberg & Lee 2017, theorem
    2). The first two need a gradient. The effects of pieces that are replaced alone do not add up where they
    interact; `delta` shows by how much. All scored items are changed copies of the item: see `ScoreModel.score_copies`.

    Args:
        model: in evaluation mode, on the device of `x`.
        x: (k, *item), the items to explain.
        baseline: (k, *item), the normal item that each is compared with; for "gradient_shap" also (k, m, *item).
        method: one of `methods_for(model)`.
        steps: points on the path, or draws.
        originals: (k, *item), if `x` are slightly changed copies of other items; with their positions where they keep
            out-of-bag scores.
        pieces: (*item) int64, 0, 1, 2, ...: what perturbing methods replace at once; None = `cells` of the shape.

    Raises:
        ExplanationError: the method is unknown, or needs a gradient that the model does not have.
    """
    if isinstance(model, Watched):
        return _with_exact_terms(model, x, baseline, explained_by=(method, steps), originals=originals, pieces=pieces)
    _check(model, x, method)
    wide = torch.float32 if x.device.type == "mps" else torch.float64  # mps has no float64
    mask = (cells(shape) if pieces is None else pieces).to(x.device)
    made_of = SourceItems.each(x if originals is None else originals)
    made_of = replace(made_of, items=made_of.items.detach().to(torch.float32))
    x, baseline = x.detach().to(wide), baseline.detach().to(wide)
    batch = at_a_time(shape)
    values, tops, bottoms = [], [], []
    for begin in range(0, len(x), batch):
        some, against = x[begin : begin + batch], baseline[begin : begin + batch]
        score = _CopyScore(model, made_of.some(slice(begin, begin + batch)), wide)
        values.append(_attributed(method, score, shape, some, against, steps, batch, mask).detach().double().cpu())
        with torch.no_grad():
            tops.append(score(some, score.every).double().cpu())
            bottoms.append(_baseline_score(score, some, against).double().cpu())
    total = torch.cat(values) if values else torch.zeros(0, *shape.size, dtype=torch.float64)
    top, bottom = (torch.cat([torch.zeros(0, dtype=torch.float64), *many]) for many in (tops, bottoms))
    delta = (total.flatten(1).sum(1) - (top - bottom)).abs()
    return Attribution(total.float().numpy(), delta.numpy(), method, top.numpy(), bottom.numpy())


def _with_exact_terms(
    model: Watched,
    x: Tensor,
    baseline: Tensor,
    *,
    explained_by: tuple[str, int],
    originals: Tensor | SourceItems | None,
    pieces: Tensor | None,
) -> Attribution:
    """The attribution of the score of the model inside, and what each entry outside of its limits adds to it.

    Args:
        explained_by: method and steps.
    """
    pool = baseline if baseline.ndim > x.ndim else baseline[:, None]
    made_of = SourceItems.each(x if originals is None else originals)
    made_of = replace(made_of, items=model.learnt(made_of.items))
    seen = torch.stack([model.learnt(one) for one in pool.unbind(1)], 1)
    found = explain(
        model.model,
        model.limits.learnt,
        model.learnt(x),
        seen if baseline.ndim > x.ndim else seen[:, 0],
        *explained_by,
        originals=made_of,
        pieces=None if pieces is None else pieces[: model.limits.seen],
    )
    with torch.no_grad():
        shares = torch.stack([model.shares(x, one) for one in pool.unbind(1)]).mean(0).cpu().numpy()
        added = model.added(x).double().cpu().numpy()
        under = torch.stack([model.added(one) for one in pool.unbind(1)]).mean(0).double().cpu().numpy()
    shares[:, : found.values.shape[1]] += found.values
    return replace(found, values=shares, score=found.score + added, baseline_score=found.baseline_score + under)


def at_a_time(shape: ItemShape) -> int:
    """Number of items in a forward pass while explaining."""
    return max(1, min(MOST_ITEMS, BATCH_ENTRIES // shape.entries))


def baseline_from(normals_x: Tensor, index: np.ndarray, kind: Baseline = "nearest") -> Tensor:
    """(k, *item) the baseline of each item, by default the nearest normal item.

    Args:
        normals_x: (m, *item).
        index: (k, any) from `neighbours.nearest_normals`.
    """
    if kind == "nearest":
        return normals_x[torch.as_tensor(index[:, 0], device=normals_x.device)]
    one = torch.zeros_like(normals_x[0]) if kind == "zero" else normals_x.mean(0)
    return one.expand(len(index), *one.shape).clone()


def _check(model: ScoreModel, x: Tensor, method: str) -> None:
    if method not in GRADIENT_METHODS + PERTURBATION_METHODS:
        close = difflib.get_close_matches(method, methods_for(model), n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(methods_for(model))}."
        raise ExplanationError(f"There is no explanation method {method!r}. {hint}")
    if method not in GRADIENT_METHODS or not len(x):
        return
    with torch.enable_grad():
        if model.differentiable and model.score(x[:1].detach().float().requires_grad_()).requires_grad:
            return
    raise ExplanationError(
        f"This detector's score has no gradient, which {method} needs. "
        f"Choose one of: {', '.join(PERTURBATION_METHODS)}."
    )


class _CopyScore:
    """(b, *item) copies, (b,) which of the originals each was made of -> (b,) score.

    The model keeps its own precision; sums and differences of its scores and gradients use `wide`.
    """

    def __init__(self, model: ScoreModel, originals: SourceItems, wide: torch.dtype) -> None:
        self.model, self.originals, self.wide = model, originals, wide
        self.every = originals.of

    def __call__(self, items: Tensor, of: Tensor) -> Tensor:
        made_of = of.reshape(-1).expand(len(items))  # for a single item captum may pass it once for all copies
        scores = self.model.score_copies(items.to(torch.float32), self.originals.copies(made_of))
        return scores.to(items.device, self.wide)


def _attributed(
    method: str,
    score: _CopyScore,
    shape: ItemShape,
    x: Tensor,
    baseline: Tensor,
    steps: int,
    batch: int,
    mask: Tensor,
) -> Tensor:
    """(k, *item) values by one method for at most `batch` items."""
    if method in GRADIENT_METHODS:
        x = x.clone().requires_grad_()  # otherwise captum does so with a warning
        if method == "gradient_shap":
            return _expected_gradients(score, x, baseline, steps, batch)
        path = IntegratedGradients(score)
        integrated: Tensor = path.attribute(
            x, baseline, additional_forward_args=score.every, n_steps=steps, internal_batch_size=batch
        )
        return integrated
    at_once = max(1, batch // len(x))
    if method == "occlusion" and shape.modality is not Modality.TABLE:
        return _occluded(score, shape, x, baseline, at_once)
    if method == "shapley_sampling":
        with _seeded():
            values: Tensor = ShapleyValueSampling(score).attribute(
                x,
                baseline,
                additional_forward_args=score.every,
                feature_mask=mask[None],
                n_samples=max(4, steps // 4),
                perturbations_per_eval=at_once,
            )
    elif method == "kernel_shap" and mask.any():  # with a single piece there are no sets
        values = _kernel_shap(score, x, baseline, mask, steps, at_once)
    else:
        values = FeatureAblation(score).attribute(
            x,
            baseline,
            additional_forward_args=score.every,
            feature_mask=mask[None],
            perturbations_per_eval=at_once,
        )
    # captum writes a piece's share into each of its entries; here the entries add up to it
    return values / torch.bincount(mask.flatten())[mask]


class _WideLeastSquares:
    """The regression of KernelSHAP in float64, for captum's `interpretable_model`.

    Captum solves it in float32. The empty and the full set weigh a million times as much as the others, so the result
    then depends on the processor: relative errors of 1e-4 with some kernels of the linear algebra library.
    """

    def fit(self, train_data: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        """Fit on batches of sets (b, pieces), scores (b,) and weights (b,)."""
        sets, scores, weights = (torch.cat(part).double().cpu().numpy() for part in zip(*train_data, strict=True))
        self._shares = LinearRegression().fit(sets, scores, sample_weight=weights).coef_

    def representation(self) -> Tensor:
        """(1, pieces) float64."""
        return torch.from_numpy(self._shares)[None]


def _kernel_shap(score: _CopyScore, x: Tensor, baseline: Tensor, mask: Tensor, steps: int, at_once: int) -> Tensor:
    """Item by item, since each has its own regression; with at least twice as many sets as pieces."""
    draws = max(4 * steps, 2 * (int(mask.max()) + 1))
    values = []
    for item, own, at in zip(x, baseline, score.every, strict=True):
        method = KernelShap(score)
        method.interpretable_model = _WideLeastSquares()
        with _seeded():
            one = method.attribute(
                item[None],
                own[None],
                additional_forward_args=at[None],
                feature_mask=mask[None],
                n_samples=draws,
                perturbations_per_eval=at_once,
            )
        values.append(one)
    return torch.cat(values)


def _occluded(score: _CopyScore, shape: ItemShape, x: Tensor, baseline: Tensor, at_once: int) -> Tensor:
    """Patches (all colours) or segments (one channel) of an eighth of the item, moved by half their length."""
    sides = [-(-side // GRID) for side in shape.size[1:]]
    window = (shape.size[0] if shape.modality is Modality.IMAGE else 1, *sides)
    strides = (window[0], *(max(1, side // 2) for side in sides))
    values: Tensor = Occlusion(score).attribute(
        x, window, strides, baseline, additional_forward_args=score.every, perturbations_per_eval=at_once
    )
    # captum gives each entry the mean over its windows; spread over a window's entries they add up
    return values / int(np.prod(window))


def _expected_gradients(score: _CopyScore, x: Tensor, baseline: Tensor, draws: int, batch: int) -> Tensor:
    """Item by item: captum draws from one pool of baselines per call, but each item has its own."""
    values = []
    for item, own, at in zip(x, _pools(x, baseline), score.every, strict=True):
        path = GradientShap(score)
        with _seeded():
            sizes = [min(batch, draws - begin) for begin in range(0, draws, batch)]
            parts = [
                size * path.attribute(item[None], own, n_samples=size, additional_forward_args=at[None]).detach()
                for size in sizes
            ]
        values.append(torch.stack(parts).sum(0) / draws)
    return torch.cat(values)


def _pools(x: Tensor, baseline: Tensor) -> Tensor:
    """(k, m, *item) baselines of each item."""
    return baseline if baseline.ndim == x.ndim + 1 else baseline[:, None]


def _baseline_score(score: _CopyScore, x: Tensor, baseline: Tensor) -> Tensor:
    """(k,) mean score of each item's baselines, scored as changed copies of the item."""
    return torch.stack([score(one, score.every) for one in _pools(x, baseline).unbind(1)]).mean(0)


@contextmanager
def _seeded() -> Iterator[None]:
    """Captum draws from the global generators of numpy and torch, whose states are restored."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        np.random.seed(SEED)
        torch.default_generator.manual_seed(SEED)
        try:
            yield
        finally:
            np.random.set_state(state)
