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

    Each training has seen one half of the rows; a training row is scored by the other one, a new row by the mean of
    both. Embeddings, part scores and expected values are those of Balanced.
    """

    def __init__(self, base: nn.Module, share: float) -> None:
        super().__init__()
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
        return self._blended(cast(ScoreModel, self.base).score(x), x)

    def score_copies(self, x: Tensor, originals: SourceItems) -> Tensor:
        return self._blended(cast(ScoreModel, self.base).score_copies(x, originals), x)

    def _blended(self, of_base: Tensor, x: Tensor) -> Tensor:
        partners = zip(self.partners, self.tails, strict=True)
        of_task = torch.stack([tail(cast(TaskModel, partner).score(x)) for partner, tail in partners]).mean(0)
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
    halves = np.array_split(np.random.default_rng(fit.seed).permutation(len(of_base.items)), 2)
    of_task = np.empty(len(of_base.items), dtype=np.float32)
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


def trainer(task: str, steps: int, fit: Fit) -> TrainOn:
    """Trains a task for this number of steps."""

    def train_on(split: Split) -> TaskModel:
        sections = {"training": {"max_steps": steps}}
        return fit_task_model(task, replace(fit, split=split), sections=sections, preset="quick")[0]

    return train_on
