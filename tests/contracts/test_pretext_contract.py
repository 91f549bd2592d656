"""The contract carries tasks of other kinds than those that are built in: the same checks run on three toys.

A score that takes a gradient inside (as SLA²P's), a contrastive loss over a batch with classes and a self-ensemble (as
masked contrastive learning), and a forecast. One file outside the folder each would do; here they only have to be
small.
"""

from collections.abc import Iterable
from functools import lru_cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ad_core.methods.pretext import Pretext, TensorGroup, TrainingProgress
from ad_core.settings import Settings
from ad_core.types import Batch, Draw, Modality
from tests.contracts.checks import CHECKS, Case, check_far_off_item_scores_above_the_median_of_normal_ones, trained


class Nothing(Settings):
    """There is nothing to set."""


class Card(Pretext):
    title = task = finds = misses = source = "Toy."
    Settings = Nothing


class AttackedProjections(Card):
    """Which of 8 fixed random projections is this? Asked of embeddings pushed towards the wrong answer."""

    modalities = frozenset({Modality.TABLE})

    def __init__(self, settings, shape, encoder):
        super().__init__(settings, shape, encoder)
        self.head = nn.Linear(encoder.d, 8)
        self.register_buffer("projections", torch.randn(8, shape.entries, shape.entries) / shape.entries**0.5)

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        which = draw.integers(8, len(batch.x))
        z = self.encoder((self.projections[which] @ batch.x[:, :, None])[:, :, 0])
        return F.cross_entropy(self.head(z), which, reduction="none")

    def enough(self, progress: TrainingProgress) -> bool:
        return progress.loss < 0.01

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        which = torch.arange(8, device=x.device).repeat(len(x))
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():
            z = self.encoder((self.projections[which] @ x.repeat_interleave(8, 0)[:, :, None])[:, :, 0])
            z = z if z.requires_grad else z.requires_grad_()
            answer = F.cross_entropy(self.head(z).to(x.dtype), which, reduction="sum")
            (slope,) = torch.autograd.grad(answer, z, create_graph=wanted)
        pushed = z + 0.1 * F.normalize(slope, dim=1)
        score = F.cross_entropy(self.head(pushed).to(x.dtype), which, reduction="none").view(-1, 8).mean(1)
        return score if wanted else score.detach()


class ClassContrast(Card):
    """Pull rows of a class together, push classes apart; score = mean distance to the class centres over 4 views."""

    modalities = frozenset({Modality.TABLE, Modality.SENSOR})

    def __init__(self, settings, shape, encoder):
        super().__init__(settings, shape, encoder)
        self.centres = TensorGroup()
        self.shifts = [0.0, 0.1, -0.1, 0.2]

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        noisy = batch.x + 0.1 * draw.normal(*batch.x.shape).to(batch.x.dtype)
        z, other = F.normalize(self.encoder(batch.x), dim=1), F.normalize(self.encoder(noisy), dim=1)
        cls = batch.cls if batch.cls is not None else torch.zeros(len(z), dtype=torch.long, device=z.device)
        likeness = z @ other.mT / 0.2
        same = (cls[:, None] == cls).to(z.dtype)
        return -(likeness.log_softmax(1) * same / same.sum(1, keepdim=True)).sum(1)

    def finish(self, batches: Iterable[Batch]) -> None:
        for name, shift in zip("abcd", self.shifts, strict=True):
            sums: dict[int, Tensor] = {}
            for batch in batches:
                for cls, z in zip(batch.cls.tolist(), F.normalize(self.encoder(batch.x + shift), dim=1), strict=True):
                    sums[cls] = sums.get(cls, 0) + z
            self.centres.put(name, F.normalize(torch.stack([sums[cls] for cls in sorted(sums)]), dim=1).float())

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.views(x).mean(1)

    def extras(self, x: Tensor, draw: Draw) -> dict[str, Tensor]:
        return {"ensemble_spread": self.views(x).std(1)}

    def views(self, x: Tensor) -> Tensor:
        return torch.stack(
            [
                1
                - (
                    F.normalize(self.encoder(x + shift), dim=1).to(x.dtype) @ getattr(self.centres, name).to(x.dtype).mT
                ).amax(1)
                for name, shift in zip("abcd", self.shifts, strict=True)
            ],
            1,
        )


class Forecast(Card):
    """What comes in the last quarter of the window?"""

    modalities = frozenset({Modality.SENSOR})

    def __init__(self, settings, shape, encoder):
        super().__init__(settings, shape, encoder)
        self.head = nn.Conv1d(encoder.d, shape.size[0], 1)
        self.known = shape.size[1] * 3 // 4

    def loss(self, batch: Batch, draw: Draw) -> Tensor:
        return self.part_scores(batch.x, draw).flatten(1).mean(1)

    def score(self, x: Tensor, draw: Draw) -> Tensor:
        return self.part_scores(x, draw).mean((1, 2))

    def part_scores(self, x: Tensor, draw: Draw) -> Tensor:
        return (self.expected(x, draw) - x).square()  # 0 where nothing is forecast

    def expected(self, x: Tensor, draw: Draw) -> Tensor:
        past = F.pad(x[:, :, : self.known], (0, x.shape[2] - self.known))
        future = self.head(self.encoder.parts(past)).to(x.dtype)[:, :, self.known :]
        return torch.cat([x[:, :, : self.known], future], 2)


ALL = [(cls, modality) for cls in (AttackedProjections, ClassContrast, Forecast) for modality in sorted(cls.modalities)]


@lru_cache
def case(cls: type[Pretext], modality: Modality) -> Case:
    return trained(cls, modality)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize(("cls", "modality"), ALL)
def test_a_task_of_another_kind_keeps_the_contract(cls, modality, check):
    check(case(cls, modality))


def test_the_checks_find_a_score_that_depends_on_the_batch():
    class Leaky(Forecast):
        def score(self, x: Tensor, draw: Draw) -> Tensor:
            return super().score(x, draw) - super().score(x, draw).mean()

    leaky = trained(Leaky, Modality.SENSOR, steps=1)
    check = next(check for check in CHECKS if "rest_of_the_batch" in check.__name__ and "score" in check.__name__)

    with pytest.raises(AssertionError):
        check(leaky)


def test_the_checks_find_a_score_that_is_upside_down():
    class Upside(Forecast):
        def score(self, x: Tensor, draw: Draw) -> Tensor:
            return -super().score(x, draw)

    with pytest.raises(AssertionError):
        check_far_off_item_scores_above_the_median_of_normal_ones(trained(Upside, Modality.SENSOR))
