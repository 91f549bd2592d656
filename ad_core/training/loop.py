"""The one training loop: AdamW, warm-up and cosine, an early stop on held-out items, the best weights at the end."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from ad_core.data.batches import Batches, on_device
from ad_core.data.item_set import ItemSet, Split
from ad_core.devices import Halver, seeded, use_bfloat16
from ad_core.errors import DataError, MethodError
from ad_core.methods.pretext import Pretext, TrainingProgress
from ad_core.progress import Report
from ad_core.settings import Settings
from ad_core.training.distributed import ProcessGroup
from ad_core.types import Draw

T = TypeVar("T")

HELD_OUT_SEED, HELD_OUT_ITEMS = 4_711, 512
"""The early stop and the examination look at so many held-out items at most, always with the same random numbers."""

WORST_HELD_OUT = 0.05
"""Share of the held-out items, the worst, that the held-out loss leaves out: they may be anomalies."""

LEAST_GAIN = 1e-4
"""A held-out loss counts as better when it is lower by this share."""


class TrainingSettings(Settings):
    """How long and how a network is trained. The preset and the kind of data choose what the user does not."""

    max_steps: int = Field(1200, ge=1, le=10_000_000, description="Training steps (batches) at most.")
    max_epochs: int = Field(1000, ge=1, le=1_000_000, description="Passes over the training items at most.")
    batch_size: int = Field(128, ge=1, le=65_536, description="Items per step; halved by itself when memory runs out.")
    learning_rate: float = Field(3e-3, gt=0, le=1, description="Step width after the warm-up.")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="Pull of the weights towards 0.")
    warm_up: float = Field(0.1, ge=0, le=1, description="Share of the steps over which the step width rises.")
    clip: float = Field(1.0, gt=0, description="Gradients longer than this are shortened to it.")
    patience: int = Field(
        5, ge=1, le=1000, description="Stop after so many checks of the held-out loss without a gain."
    )
    checks: int = Field(
        20, ge=1, le=10_000, description="How often the held-out loss is looked at, evenly over the steps."
    )
    leave_out: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Share of the training items, the most suspicious ones by classical detectors, that don't teach.",
    )
    not_taught: float = Field(
        0.0, ge=0, le=0.9, description="Share of each batch, the items with the largest loss, that don't teach."
    )
    refits: int = Field(
        0, ge=0, le=5, description="How often to train anew without the items that the last network found oddest."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Numbers to train in; auto = bfloat16 on CUDA devices that compute it, else float32."
    )


@dataclass
class TrainingSummary:
    """How a training went."""

    device: str
    precision: str
    processes: int
    epochs: float = 0.0
    steps: int = 0
    seconds: float = 0.0
    batch_size: int = 0
    halvings: int = 0
    best_loss: float | None = None
    """Lowest held-out loss; None where nothing was held out."""
    curve: list[dict[str, float | None]] = field(default_factory=list)
    """`step`, `loss` (mean since the line before), `held_out_loss`."""
    notices: list[str] = field(default_factory=list)


def train_task(
    task: Pretext,
    item_set: ItemSet,
    split: Split,
    settings: TrainingSettings,
    device: torch.device,
    seed: int,
    report: Report,
) -> TrainingSummary:
    """Prepare, train until the held-out loss no longer falls, restore the best weights, finish.

    A task's own stop (`Pretext.enough`) keeps the weights of that moment instead of the best by held-out loss.

    Raises:
        DataError: there is nothing to train on.
        MethodError: the loss is no longer a number.
        ResourceError: memory ran out even with small batches.
        Cancelled: the report says so.
    """
    if not len(split.fit):
        raise DataError("No rows are left to train on. Choose more training rows, or repair the rows that have a note.")
    began = time.perf_counter()
    with seeded(seed, device):
        loop = _Loop(task, item_set, split, settings, device, seed, report)
        loop.calmly(task.prepare, split.fit)
        loop.team.same(task)
        if loop.weights:
            loop.run()
            loop.team.same(task)
        loop.calmly(task.finish, split.fit)
        said = loop.calmly(task.examine, _some(split.early_stop)) if len(split.early_stop) else []
    summary, halver = loop.summary, loop.halver
    summary.batch_size, summary.halvings, summary.notices = halver.size, halver.halvings, halver.notices + said
    for sentence in said:
        report.say(sentence)
    summary.seconds = time.perf_counter() - began
    return summary


class _Loop:
    """What lives from step to step."""

    def __init__(
        self,
        task: Pretext,
        item_set: ItemSet,
        split: Split,
        settings: TrainingSettings,
        device: torch.device,
        seed: int,
        report: Report,
    ) -> None:
        self.task, self.item_set, self.split = task.to(device), item_set, split
        self.settings, self.device, self.report = settings, device, report
        self.team = ProcessGroup.joined(device)
        self.halver = Halver(min(settings.batch_size, len(split.fit)), report)
        self.steps = min(settings.max_steps, settings.max_epochs * (len(split.fit) // self.halver.size))
        self.bfloat16 = use_bfloat16(settings.precision, device)
        self.order = _Shuffled(split.fit, seed)
        self.draw = Draw.per_item(seed + self.team.rank, device)
        self.weights = [p for p in task.parameters() if p.requires_grad]
        if self.weights:
            self.optimiser = torch.optim.AdamW(self.weights, settings.learning_rate, weight_decay=settings.weight_decay)
        self.summary = TrainingSummary(str(device), "bfloat16" if self.bfloat16 else "float32", self.team.size)

    def run(self) -> None:
        """Train until the steps are used up, the held-out loss no longer falls, or the task has had enough."""
        best, losses, held_out = _Best(), _RunningMean(), None
        for step in range(1, self.steps + 1):
            self.report.check()
            self._set_step_width(step)
            loss = self.halver(self._step)
            if not math.isfinite(loss):
                raise MethodError(
                    f"The loss is no longer a number at step {step}. Lower training.learning_rate and train again."
                )
            losses.add(loss, self.order.epoch)
            facts = {"loss": loss}
            if step % max(1, self.steps // self.settings.checks) == 0 or step == self.steps:
                held_out = self.halver(self._held_out_loss)
                facts |= {} if held_out is None else {"held_out_loss": held_out}
                self.summary.curve.append({"step": step, "loss": losses.since_asked(), "held_out_loss": held_out})
                best.offer(held_out, self.task)
            self.report.step(step / self.steps, **facts)
            progress = TrainingProgress(step, self.order.epoch, losses.of_epoch, held_out)
            if enough := bool(self.team.agreed(self.task.enough(progress), self.device)):
                break
            if best.checks_without_gain >= self.settings.patience:
                break
        if not enough:
            best.restore(self.task)
        self.summary.steps, self.summary.epochs, self.summary.best_loss = step, self.order.passes, best.loss

    def calmly(self, work: Callable[[Batches], T], index: np.ndarray) -> T:
        """Show a task the items at these positions, in evaluation mode and without gradients."""
        self.task.eval()
        with torch.no_grad():
            found = self.halver(lambda size: work(Batches(self.item_set, index, size, self.device)))
        self.task.to(self.device)
        return found

    def _step(self, size: int) -> float:
        """One step on so many new items: their mean loss."""
        chosen = self.team.share(self.order.take(size))
        batch = on_device(next(self.item_set.batches(chosen, size)), self.device)
        if not self.task.training:  # telling every layer takes as long as some layers
            self.task.train()
        with torch.enable_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            losses = self.task.loss(batch, self.draw)  # the caller may have switched gradients off
            taught = max(1, round((1 - self.settings.not_taught) * len(losses)))
            loss = losses.topk(taught, largest=False).values.mean() if taught < len(losses) else losses.mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.team.average_gradients(self.weights)
        torch.nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        self.optimiser.step()
        return loss.item()

    def _set_step_width(self, step: int) -> None:
        """Linear warm-up, and half a cosine down to a twentieth."""
        rise = min(1.0, step / max(1.0, self.settings.warm_up * self.steps))
        fall = 0.05 + 0.95 * (1 + math.cos(math.pi * step / self.steps)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * rise * fall

    def _held_out_loss(self, size: int) -> float | None:
        """Mean loss of the held-out items without the worst; None where nothing is held out."""
        index = _some(self.split.early_stop)
        if not len(index):
            return None
        self.task.eval()
        draw = Draw.per_item(HELD_OUT_SEED, self.device)
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            losses = torch.cat([self.task.loss(b, draw) for b in Batches(self.item_set, index, size, self.device)])
        kept = losses.float().sort().values[: max(1, round((1 - WORST_HELD_OUT) * len(losses)))]
        return self.team.agreed(kept.mean().item(), self.device)


def _some(index: np.ndarray) -> np.ndarray:
    """`HELD_OUT_ITEMS` of the held-out items at most, evenly."""
    if len(index) <= HELD_OUT_ITEMS:
        return index
    return np.asarray(index[np.linspace(0, len(index) - 1, HELD_OUT_ITEMS).astype(int)])


class _Shuffled:
    """The items in a new random order for every pass, without the last few that make no full batch."""

    def __init__(self, items: np.ndarray, seed: int) -> None:
        self.items, self.random = items, np.random.default_rng(seed)
        self.order, self.used, self.epoch = self.random.permutation(items), 0, 0

    @property
    def passes(self) -> float:
        return self.epoch + self.used / len(self.items)

    def take(self, size: int) -> np.ndarray:
        size = min(size, len(self.items))
        if self.used + size > len(self.items):
            self.order, self.used, self.epoch = self.random.permutation(self.items), 0, self.epoch + 1
        self.used += size
        return self.order[self.used - size : self.used]


class _RunningMean:
    """Means of the training loss: over the current pass, and since last asked."""

    def __init__(self) -> None:
        self.epoch, self.total, self.count = 0, 0.0, 0
        self.unasked: list[float] = []

    def add(self, loss: float, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch, self.total, self.count = epoch, 0.0, 0
        self.total, self.count = self.total + loss, self.count + 1
        self.unasked.append(loss)

    @property
    def of_epoch(self) -> float:
        return self.total / self.count

    def since_asked(self) -> float:
        mean, self.unasked = sum(self.unasked) / len(self.unasked), []
        return mean


class _Best:
    """The weights of the lowest held-out loss so far."""

    def __init__(self) -> None:
        self.loss: float | None = None
        self.weights: dict[str, Tensor] | None = None
        self.checks_without_gain = 0

    def offer(self, loss: float | None, task: Pretext) -> None:
        if loss is None:
            return
        if self.loss is None or loss < self.loss - LEAST_GAIN * abs(self.loss):
            self.loss, self.checks_without_gain = loss, 0
            fixed = "encoder." if task.encoder.pretrained else "-"  # large, and always the same
            values = {name: value for name, value in task.state_dict().items() if not name.startswith(fixed)}
            self.weights = {name: value.detach().clone() for name, value in values.items()}
        else:
            self.checks_without_gain += 1

    def restore(self, task: Pretext) -> None:
        if self.weights is not None:
            task.load_state_dict(self.weights, strict=False)
