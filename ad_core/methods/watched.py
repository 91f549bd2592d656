"""A fitted model that also scores what it can't have learnt: changes of what never changed, and values far outside.

What never changed in training (a constant column, an empty one, the states of a command) gives a method nothing to
learn, and a network must not be asked about values far beyond those it has seen. So the model sees the items that
`ItemSet.learnt` describes, and each entry outside of its limits adds a term of its own to the score:

- outside of what never changed: c (1 + log(1 + d / u));
- far outside, where values did vary: 2 w s log(sqrt(1 + (d / u)²)), which begins at 0 and grows slowly at first; w is 1
  for dates, and small for numbers that a method sees clipped, as it sees itself that they are far,

with d the distance to the limit, u the entry's unit, and s a little more than the distance from the lowest score to the
highest of a calibration row. c is s, so a row in which something that never changed does change scores above all
calibration rows. Only where many columns are constant and normal rows often are the first to change one of them, c is
what leads from the median of the calibration scores to the quantile of their share: such a row has a p-value near it.

Farther outside is always more anomalous, and an item within all limits keeps its score to the last digit. The terms add
up, so each is the exact attribution to its entry.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ad_core.data.item_set import ItemSet
from ad_core.data.limits import NEW_AT_MOST, Limits
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.recipe import Fitted, HeldOut
from ad_core.methods.scorer import ScoreModel

LEAST = 0.02
"""The least that a change adds where changes are frequent, as a share of the most."""

MARGIN = 1.25
"""A term is measured in this multiple of the distance that it has to bridge."""


class Watched(nn.Module, ScoreModel):
    """A model of items with limits.

    The score of a window is that of the model plus the largest term of its time steps; with `over_time` each step has
    its own term.

    Args:
        model: scores items as `Limits.learnt` describes them.
        spread: s above, see `spread_of`.
        change: c above, see `change_of`.
    """

    low: Tensor
    high: Tensor
    usual: Tensor
    unit: Tensor
    weight: Tensor
    certain: Tensor

    def __init__(self, model: ScoreModel, limits: Limits, spread: float, change: float) -> None:
        super().__init__()
        self.model, self.limits, self.spread, self.change = model, limits, spread, change
        entries = limits.entries
        low, high = limits.clips
        for name, values in (
            ("low", low),
            ("high", high),
            ("usual", np.array([[e.usual_low, e.usual_high] for e in entries], dtype=np.float32).T),
            ("unit", np.array([e.unit for e in entries], dtype=np.float32)),
            ("weight", np.array([e.weight for e in entries], dtype=np.float32)),
            ("certain", np.array([e.certain for e in entries], dtype=bool)),
        ):
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values)), persistent=False)

    @property
    def differentiable(self) -> bool:
        """Whether the model's score is differentiable; the terms are attributed exactly in any case."""
        return self.model.differentiable

    def learnt(self, x: Tensor) -> Tensor:
        """(b, *item) -> (b, *learnt item): what the model sees."""
        ends = (1, -1, *[1] * (x.ndim - 2))
        return torch.clamp(x[:, : self.limits.seen], self.low.view(ends), self.high.view(ends))

    def terms(self, x: Tensor) -> Tensor:
        """(b, *item) what each entry adds to the score."""
        ends = (1, -1, *[1] * (x.ndim - 2))
        low, high = (end.view(ends) for end in self.usual)
        out = (torch.relu(low - x) + torch.relu(x - high)) / self.unit.view(ends)
        near = 2 * self.spread * self.weight.view(ends) * torch.hypot(torch.ones_like(out), out).log()
        size = torch.where(self.certain.view(ends), self.change * (1 + torch.log1p(out)), near)
        return torch.where(out > 0, size, torch.zeros_like(out))

    def added(self, x: Tensor) -> Tensor:
        """(b,) what is added to the scores of items."""
        terms = self.terms(x).sum(1)
        return terms if terms.ndim == 1 else terms.amax(1)

    def score(self, x: Tensor) -> Tensor:
        return _plus(self.model.score(self.learnt(x)), self.added(x))

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:
        seen = replace(originals, items=self.learnt(originals.items))
        return _plus(self.model.score_copies(self.learnt(x), seen), self.added(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)

    def embed(self, x: Tensor) -> Tensor | None:
        return self.model.embed(self.learnt(x))

    def over_time(self, x: Tensor) -> Tensor | None:
        of_steps = self.model.over_time(self.learnt(x))
        return None if of_steps is None else _plus(of_steps, self.terms(x).sum(1))

    def part_scores(self, x: Tensor) -> Tensor | None:
        """(b, part) or (b, part, time): of the model, with the terms of each part."""
        found = self.model.part_scores(self.learnt(x))
        if found is None:
            return None
        terms = self.terms(x)
        terms = terms.amax(2) if terms.ndim > found.ndim else terms
        owner = torch.as_tensor(self.owner, device=terms.device)
        size = (len(terms), int(owner.max()) + 1, *terms.shape[2:])
        total = torch.zeros(size, dtype=terms.dtype, device=terms.device).index_add_(1, owner, terms).to(found)
        total[:, : found.shape[1]] += found
        return total

    def expected(self, x: Tensor) -> Tensor | None:
        found = self.model.expected(self.learnt(x))
        return None if found is None else self._with_unchanged(found)

    def expected_of(self, x: Tensor, recordings: Sequence[str | None]) -> Tensor | None:
        found = self.model.expected_of(self.learnt(x), recordings)
        return None if found is None else self._with_unchanged(found)

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        found = self.model.expected_range(self.learnt(x))
        return None if found is None else (self._with_unchanged(found[0]), self._with_unchanged(found[1]))

    def extras(self, x: Tensor) -> dict[str, Tensor]:
        return self.model.extras(self.learnt(x))

    def shares(self, x: Tensor, baseline: Tensor) -> Tensor:
        """(b, *item) the exact attribution of the difference of what is added to the scores of two items."""
        return self._counted(x) - self._counted(baseline)

    def raised(self, item_set: ItemSet, scores: np.ndarray, index: np.ndarray | None = None) -> np.ndarray:
        """The model's own scores of items, (n,) or (n, span), with what is added to them; the same array without any.

        Args:
            index: (n,) positions of the items in the item set; None = all of them.
        """
        index = np.arange(len(item_set)) if index is None else index
        extra, done = np.zeros(scores.shape, dtype=scores.dtype), 0
        with torch.no_grad():
            for batch in item_set.batches(index, item_set.items_at_a_time):
                x = batch.x.to(self.low.device, self.low.dtype)
                found = self.added(x) if scores.ndim == 1 else self.terms(x).sum(1)
                extra[done : done + len(found)] = found.cpu().numpy()
                done += len(found)
        return scores + extra if extra.any() else scores

    @property
    def owner(self) -> tuple[int, ...]:
        """The part that each entry belongs to."""
        return self.limits.of_entry

    def _counted(self, x: Tensor) -> Tensor:
        """(b, *item) the terms that the score of an item counts: in a window those of the step with the largest sum."""
        terms = self.terms(x)
        if terms.ndim == 2:
            return terms
        step = terms.sum(1).argmax(1)
        only = torch.nn.functional.one_hot(step, terms.shape[2]).bool()
        return torch.where(only[:, None], terms, torch.zeros_like(terms))

    def _with_unchanged(self, found: Tensor) -> Tensor:
        """(b, *learnt item) -> (b, *item): what never changed is expected not to change."""
        missing = len(self.limits.entries) - found.shape[1]
        return torch.cat([found, found.new_zeros(len(found), missing, *found.shape[2:])], 1) if missing else found


def spread_of(calibration_scores: np.ndarray, all_scores: np.ndarray) -> float:
    """A little more than the distance from the lowest score of any row, or from 0, the lowest of most methods, to the
    highest of a calibration row.
    """
    known = calibration_scores[np.isfinite(calibration_scores)]
    if not len(known):
        return 1.0
    lowest = min(np.nanmin(all_scores, initial=np.inf), known.min())
    return float(MARGIN * max(known.max() - lowest, abs(known.max()))) or 1.0


def change_of(calibration_scores: np.ndarray, novelty: float, spread: float) -> float:
    """What a change adds of what never changed in training.

    Args:
        novelty: estimated share of normal rows with such a change.
    """
    if novelty <= NEW_AT_MOST:
        return spread
    median, high = np.nanquantile(calibration_scores, [0.5, max(0.5, 1 - novelty)])
    return max(float(high - median), LEAST * spread)


def watched(fitted: Fitted, items: ItemSet, held_out: np.ndarray, scores: np.ndarray) -> tuple[Fitted, np.ndarray]:
    """A fitted model that also scores what lies outside the limits of the items, and the scores of all items by it.

    Args:
        items: all of them, with their limits; a model of items without limits stays as it is.
        held_out: positions of the items that calibrate, where the model has no out-of-bag scores.
        scores: (n,) or (n, span) of all items by the fitted model.
    """
    if items.limits is None:
        return fitted, scores
    kept = fitted.held_out or HeldOut(held_out, scores[held_out])
    calibrating = items.only(kept.items).reduce(kept.scores)
    spread = spread_of(calibrating, items.reduce(scores))
    change = change_of(calibrating, items.limits.novelty, spread)
    model = Watched(fitted.model, items.limits, spread, change)
    of_rest = None if kept.model is None else Watched(kept.model, items.limits, spread, change)
    raised = None
    if fitted.held_out is not None:
        raised = replace(kept, scores=model.raised(items, kept.scores, kept.items), model=of_rest)
    return Fitted(model.eval(), raised), model.raised(items, scores)


def _plus(scores: Tensor, terms: Tensor) -> Tensor:
    """The scores with what is added to them, in their own precision and on their own device."""
    return scores + terms.to(scores.device, scores.dtype)
