"""The training loop: AdamW, warm-up and cosine schedule, early stop on held-out items, best weights at the end."""

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
from ad_core.devices import Halver, seeded, use_bfloat16
from ad_core.errors import MethodError
from ad_core.methods.pretext import Pretext, TrainingProgress
from ad_core.settings import Settings
from ad_core.training.distributed import ProcessGroup
from ad_core.training.fit_inputs import Fit
from ad_core.types import Draw

T = TypeVar("T")

HELD_OUT_SEED, HELD_OUT_ITEMS = 4_711, 512
"""Seed and maximum number of held-out items of the early stop and of `Pretext.examine`."""

WORST_HELD_OUT = 0.05
"""Share of the held-out items, those with the largest loss, that the held-out loss leaves out as possible anomalies."""

LEAST_GAIN = 1e-4
"""Minimum relative decrease of the held-out loss that counts as an improvement."""


class TrainingSettings(Settings):
    """How long and how a network is trained. Defaults depend on the preset and the kind of data."""

    max_steps: int = Field(1200, ge=1, le=10_000_000, description="Maximum number of training steps (batches).")
    max_epochs: int = Field(1000, ge=1, le=1_000_000, description="Maximum number of passes over the training items.")
    batch_size: int = Field(128, ge=1, le=65_536, description="Items per step; halved when memory runs out.")
    learning_rate: float = Field(3e-3, gt=0, le=1, description="Learning rate after the warm-up.")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="Weight decay of AdamW.")
    warm_up: float = Field(0.1, ge=0, le=1, description="Share of the steps over which the learning rate rises.")
    clip: float = Field(1.0, gt=0, description="Maximum norm of the gradient.")
    patience: int = Field(
        5,
        ge=1,
        le=1000,
        description="Number of checks of the held-out loss without improvement after which training stops.",
    )
    checks: int = Field(
        20, ge=1, le=10_000, description="Number of checks of the held-out loss, evenly over the steps."
    )
    leave_out: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Share of the training items, the most suspicious ones by classical detectors, that is left out.",
    )
    not_taught: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Share of each batch, the items with the largest loss, that is left out of the gradient.",
    )
    refits: int = Field(
        0,
        ge=0,
        le=5,
        description="Number of further trainings without the items that the network before scores highest.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format in training; auto = bfloat16 on CUDA devices that support it, else float32."
    )


@dataclass
class TrainingSummary:
    """Summary of a training."""

    device: str
    precision: str
    processes: int
    epochs: float = 0.0
    steps: int = 0
    seconds: float = 0.0
    batch_size: int = 0
    halvings: int = 0
    best_loss: float | None = None
    """Lowest held-out loss; None if nothing was held out."""
    curve: list[dict[str, float | None]] = field(default_factory=list)
    """Per check: `step`, `loss` (mean since the check before), `held_out_loss`."""
    notices: list[str] = field(default_factory=list)


def train_task(task: Pretext, fit: Fit, settings: TrainingSettings) -> TrainingSummary:
    """Prepare, train until the held-out loss no longer falls, restore the best weights, finish.

    If the task's own stopping rule applies (`Pretext.enough`), the current weights are kept instead of the best ones.

    Raises:
        DataError: there are no items to train on.
        MethodError: the loss is no longer a number.
        ResourceError: memory ran out even with small batches.
        Cancelled: the report says so.
    """
    fit.check_items()
    split, began = fit.split, time.perf_counter()
    with seeded(fit.seed, fit.device):
        loop = _Loop(task, fit, settings)
        loop.without_gradient(task.prepare, split.fit)
        loop.processes.same(task)
        if loop.weights:
            loop.run()
            loop.processes.same(task)
        loop.without_gradient(task.finish, split.fit)
        warnings = loop.without_gradient(task.examine, _some(split.early_stop)) if len(split.early_stop) else []
    summary, halver = loop.summary, loop.halver
    summary.batch_size, summary.halvings, summary.notices = halver.size, halver.halvings, halver.notices + warnings
    for sentence in warnings:
        fit.report.say(sentence)
    summary.seconds = time.perf_counter() - began
    return summary


class _Loop:
    """State of a training from step to step."""

    def __init__(self, task: Pretext, fit: Fit, settings: TrainingSettings) -> None:
        self.item_set, self.split, self.device, self.report = fit.item_set, fit.split, fit.device, fit.report
        self.task, self.settings = task.to(fit.device), settings
        self.processes = ProcessGroup.joined(fit.device)
        self.halver = Halver(min(settings.batch_size, len(fit.split.fit)), fit.report)
        self.steps = min(settings.max_steps, settings.max_epochs * (len(fit.split.fit) // self.halver.size))
        self.bfloat16 = use_bfloat16(settings.precision, fit.device)
        self.order = _Shuffled(fit.split.fit, fit.seed)
        self.draw = Draw.per_item(fit.seed + self.processes.rank, fit.device)
        self.weights = [p for p in task.parameters() if p.requires_grad]
        if self.weights:
            self.optimiser = torch.optim.AdamW(self.weights, settings.learning_rate, weight_decay=settings.weight_decay)
        precision = "bfloat16" if self.bfloat16 else "float32"
        self.summary = TrainingSummary(str(fit.device), precision, self.processes.size)

    def run(self) -> None:
        """Train until the last step, until the held-out loss no longer falls, or until the task stops."""
        best, losses, held_out = _Best(), _RunningMean(), None
        for step in range(1, self.steps + 1):
            self.report.check()
            self._set_learning_rate(step)
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
                self.summary.curve.append({"step": step, "loss": losses.since_last_check(), "held_out_loss": held_out})
                best.offer(held_out, self.task)
            self.report.step(step / self.steps, **facts)
            progress = TrainingProgress(step, self.order.epoch, losses.of_epoch, held_out)
            if enough := bool(self.processes.agreed(self.task.enough(progress), self.device)):
                break
            if best.checks_without_improvement >= self.settings.patience:
                break
        if not enough:
            best.restore(self.task)
        self.summary.steps, self.summary.epochs, self.summary.best_loss = step, self.order.passes, best.loss

    def without_gradient(self, work: Callable[[Batches], T], index: np.ndarray) -> T:
        """Call `work` with the items at these positions, in evaluation mode and without gradients."""
        self.task.eval()
        with torch.no_grad():
            found = self.halver(lambda size: work(Batches(self.item_set, index, size, self.device)))
        self.task.to(self.device)
        return found

    def _step(self, size: int) -> float:
        """One step on this number of items; returns their mean loss."""
        chosen = self.processes.share(self.order.take(size))
        batch = on_device(next(self.item_set.batches(chosen, size)), self.device)
        if not self.task.training:  # setting the mode of every layer takes as long as some layers
            self.task.train()
        with torch.enable_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            losses = self.task.loss(batch, self.draw)  # with gradients, even if the caller has switched them off
            kept = max(1, round((1 - self.settings.not_taught) * len(losses)))
            loss = losses.topk(kept, largest=False).values.mean() if kept < len(losses) else losses.mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.processes.average_gradients(self.weights)
        torch.nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        self.optimiser.step()
        return loss.item()

    def _set_learning_rate(self, step: int) -> None:
        """Linear warm-up, then half a cosine down to a twentieth."""
        rise = min(1.0, step / max(1.0, self.settings.warm_up * self.steps))
        fall = 0.05 + 0.95 * (1 + math.cos(math.pi * step / self.steps)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * rise * fall

    def _held_out_loss(self, size: int) -> float | None:
        """Mean loss of the held-out items without the largest ones; None if nothing is held out."""
        index = _some(self.split.early_stop)
        if not len(index):
            return None
        self.task.eval()
        draw = Draw.per_item(HELD_OUT_SEED, self.device)
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            losses = torch.cat([self.task.loss(b, draw) for b in Batches(self.item_set, index, size, self.device)])
        kept = losses.float().sort().values[: max(1, round((1 - WORST_HELD_OUT) * len(losses)))]
        return self.processes.agreed(kept.mean().item(), self.device)


def _some(index: np.ndarray) -> np.ndarray:
    """At most `HELD_OUT_ITEMS` of the held-out items, evenly spaced."""
    if len(index) <= HELD_OUT_ITEMS:
        return index
    return np.asarray(index[np.linspace(0, len(index) - 1, HELD_OUT_ITEMS).astype(int)])


class _Shuffled:
    """The items in a new random order for every pass, without the last ones that fill no batch."""

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
    """Means of the training loss: over the current pass, and since the last check."""

    def __init__(self) -> None:
        self.epoch, self.total, self.count = 0, 0.0, 0
        self.unchecked: list[float] = []

    def add(self, loss: float, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch, self.total, self.count = epoch, 0.0, 0
        self.total, self.count = self.total + loss, self.count + 1
        self.unchecked.append(loss)

    @property
    def of_epoch(self) -> float:
        return self.total / self.count

    def since_last_check(self) -> float:
        mean, self.unchecked = sum(self.unchecked) / len(self.unchecked), []
        return mean


class _Best:
    """The weights with the lowest held-out loss so far."""

    def __init__(self) -> None:
        self.loss: float | None = None
        self.weights: dict[str, Tensor] | None = None
        self.checks_without_improvement = 0

    def offer(self, loss: float | None, task: Pretext) -> None:
        if loss is None:
            return
        if self.loss is None or loss < self.loss - LEAST_GAIN * abs(self.loss):
            self.loss, self.checks_without_improvement = loss, 0
            fixed = "encoder." if task.encoder.pretrained else "-"  # large, and never changed
            values = {name: value for name, value in task.state_dict().items() if not name.startswith(fixed)}
            self.weights = {name: value.detach().clone() for name, value in values.items()}
        else:
            self.checks_without_improvement += 1

    def restore(self, task: Pretext) -> None:
        if self.weights is not None:
            task.load_state_dict(self.weights, strict=False)
