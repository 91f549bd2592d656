"""Weighted mean of Balanced and a pretext task: the model behind the method `auto`.

The task that finds synthetic anomalies best is not used alone: on labelled tables it was no better than a randomly
chosen task, and mostly worse than Balanced. So Balanced always has the larger weight.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from ad_core.data.item_set import Split
from ad_core.methods.building import build_model
from ad_core.methods.encoder import EncoderChoice
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.methods.recipe import HeldOut
from ad_core.methods.score_normalisation import TailNormalisation
from ad_core.methods.scorer import ScoreModel, TaskModel
from ad_core.training.fit import fit_task_model, per_item, score_items
from ad_core.training.fit_inputs import Fit
from ad_core.types import ItemShape

STOPPING = 0.15
"""Share of a half that is used for the early stop."""

TrainOn = Callable[[Split], TaskModel]
"""Trains a task on these items."""


class Joined(nn.Module, ScoreModel):
    """Weighted mean of the normalised scores of Balanced and of two trainings of one pretext task.

    Each training has seen one half of the rows; a training row and its changed copies are scored by the other one, a
    new row by the mean of both. Embeddings, part scores and expected values are those of Balanced.
    """

    unseen_by: Tensor
    """(n,) int64, for each training row the training that has not seen it; empty in bundles of older versions."""

    def __init__(self, base: nn.Module, share: float) -> None:
        super().__init__()
        self.register_buffer("unseen_by", torch.zeros(0, dtype=torch.int64))
        self.base, self.share = base, share
        self.partners, self.tails, self.base_tail = nn.ModuleList(), nn.ModuleList(), TailNormalisation()

    def add(self, partner: TaskModel, tail: TailNormalisation) -> None:
        """Add a trained model of the task."""
        self.partners.append(partner)
        self.tails.append(tail)

    @property
    def differentiable(self) -> bool:
        return all(cast(TaskModel, model).differentiable for model in (self.base, *self.partners))

    def score(self, x: Tensor) -> Tensor:
        of_tasks = [cast(TaskModel, partner).score(x) for partner in self.partners]
        return self._blended(cast(ScoreModel, self.base).score(x), self._of_task(of_tasks, None))

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:
        of_base = cast(ScoreModel, self.base).score_copies(x, originals)
        of_tasks = [cast(TaskModel, partner).score_copies(x, originals) for partner in self.partners]
        return self._blended(of_base, self._of_task(of_tasks, originals.position))

    def _of_task(self, scores: list[Tensor], position: Tensor | None) -> Tensor:
        """(b,) the mean over the trainings, or for copies of a training row the score by the one that has not seen it.

        Args:
            position: (b,) as in `SourceItems.position`.
        """
        every = torch.stack([tail(one) for tail, one in zip(self.tails, scores, strict=True)])
        if position is None or not len(self.unseen_by):
            return every.mean(0)
        unseen = every.gather(0, self.unseen_by[position.clamp_min(0)][None])[0]
        return torch.where(position >= 0, unseen, every.mean(0))

    def _blended(self, of_base: Tensor, of_task: Tensor) -> Tensor:
        return (1 - self.share) * self.base_tail(of_base) + self.share * of_task

    def forward(self, x: Tensor) -> Tensor:
        return self.score(x)

    def embed(self, x: Tensor) -> Tensor | None:
        return cast(ScoreModel, self.base).embed(x)

    def part_scores(self, x: Tensor) -> Tensor | None:
        return cast(ScoreModel, self.base).part_scores(x)

    def expected(self, x: Tensor) -> Tensor | None:
        return cast(ScoreModel, self.base).expected(x)

    def expected_of(self, x: Tensor, recordings: Sequence[str | None]) -> Tensor | None:
        """See the contract."""
        return cast(ScoreModel, self.base).expected_of(x, recordings)

    @property
    def level_followers(self) -> tuple[int, ...]:
        """See the contract."""
        return cast(ScoreModel, self.base).level_followers

    def expected_range(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        return cast(ScoreModel, self.base).expected_range(x)

    def facts(self) -> dict[str, Any]:
        """What `restored` needs beside the arrays; JSON-able."""
        task = cast(TaskModel, self.partners[0]).task
        return {
            "share": self.share,
            "task": task.name,
            "shape": task.shape.model_dump(mode="json"),
            "settings": task.settings.model_dump(mode="json"),
            "encoder": EncoderChoice.of(task.encoder).model_dump(mode="json"),
            "trainings": len(self.partners),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """The state without Balanced's own."""
        kept = {name: value for name, value in self.state_dict().items() if not name.startswith("base.")}
        return {name: value.detach().cpu().contiguous().numpy() for name, value in kept.items()}

    @classmethod
    def restored(cls, base: nn.Module, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `facts` and `arrays`."""
        model = cls(base, float(facts["share"]))
        shape = ItemShape.model_validate(facts["shape"])
        encoder = EncoderChoice.model_validate(facts["encoder"])
        for _ in range(facts["trainings"]):
            model.add(
                build_model(facts["task"], "own_score", shape, facts["settings"], {}, encoder), TailNormalisation()
            )
        own = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        model.unseen_by = own.setdefault("unseen_by", model.unseen_by)
        model.load_state_dict(own | {f"base.{name}": value for name, value in base.state_dict().items()})
        return model.eval()


def joined(base: nn.Module, of_base: HeldOut, train_on: TrainOn, share: float, fit: Fit) -> tuple[Joined, HeldOut]:
    """Train a task on each half of the items, and combine both models with Balanced.

    Args:
        of_base: Balanced's out-of-bag scores; the task is trained on the same items.
        share: weight of the task.
        fit: its item set, seed and device are used.

    Returns:
        The combined model, and its scores of the same items, each by models that were not trained on it.
    """
    model = Joined(base, share)
    model.base_tail = TailNormalisation.of(per_item(of_base.scores))
    halves = _halves(len(of_base.items), fit.seed)
    of_task = np.empty(len(of_base.items), dtype=np.float32)
    model.unseen_by = unseen_by(len(of_base.items), fit.seed)
    for own, others in (halves, halves[::-1]):
        stop = max(1, round(STOPPING * len(own)))
        items = of_base.items[own]
        partner = train_on(Split(np.sort(items[stop:]), np.sort(items[:stop]), items[:0]))
        unseen = score_items(partner, fit.item_set, of_base.items[others], device=fit.device)
        tail = TailNormalisation.of(unseen)
        model.add(partner.cpu(), tail)
        of_task[others] = tail(torch.from_numpy(unseen).float()).numpy()
    base_part = model.base_tail(torch.from_numpy(per_item(of_base.scores)).float()).numpy()
    blended = (1 - share) * base_part + share * of_task
    return model.eval(), HeldOut(of_base.items, blended.astype(np.float64))


def unseen_by(n: int, seed: int) -> Tensor:
    """(n,) int64, for each of n training items the training that has not seen it: the first sees the first half."""
    found = torch.zeros(n, dtype=torch.int64)
    found[torch.from_numpy(_halves(n, seed)[0])] = 1
    return found


def _halves(n: int, seed: int) -> list[np.ndarray]:
    return np.array_split(np.random.default_rng(seed).permutation(n), 2)


def trainer(task: str, steps: int, fit: Fit) -> TrainOn:
    """Trains a task for this number of steps."""

    def train_on(split: Split) -> TaskModel:
        sections = {"training": {"max_steps": steps}}
        return fit_task_model(task, replace(fit, split=split), sections=sections, preset="quick")[0]

    return train_on
