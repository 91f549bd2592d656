"""Short trainings of many methods on the same few items, and their scores of held-out and of synthetic items.

Nothing is judged here. Every method sees the same held-out items and the same synthetic ones, so that two methods can
be compared item by item; a seed draws the training items and starts the training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from ad_core.data.item_set import ItemSet, Split
from ad_core.data.reservoir import drawn_items
from ad_core.errors import AdError, Cancelled, DataError
from ad_core.methods.pretext import PRETEXTS, Pretext
from ad_core.methods.recipe import RECIPES, Recipe
from ad_core.methods.reference import REFERENCES, Reference
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Quiet, Report
from ad_core.registry import Registry
from ad_core.settings import Settings
from ad_core.training.fit import fit_reference, fit_task_model, per_item, score_items
from ad_core.training.synthetic.anomaly import SyntheticAnomaly
from ad_core.training.synthetic.inject import Injected, inject
from ad_core.types import Modality, TrainingRows

CandidateKind = Literal["recipe", "pretext", "reference"]
REGISTRIES: dict[CandidateKind, Registry[Recipe] | Registry[Pretext] | Registry[Reference]] = {
    "recipe": RECIPES,
    "pretext": PRETEXTS,
    "reference": REFERENCES,
}

FEWEST = 20
"""With fewer held-out items nothing is compared."""

OVERLAPS = (1, 2, 4, 8)
"""Held-out windows begin a window after each other, or half, a quarter, an eighth of one where they are too few."""

HELD_OUT: dict[Modality, int] = {Modality.TABLE: 500, Modality.SENSOR: 400, Modality.IMAGE: 60}
"""So many held-out items are scored at most."""

FAILURES = (AdError, ArithmeticError, MemoryError, RuntimeError, ValueError)
"""What a method may raise on data that it can't take; it then is a line with its reason, and the others go on. What
only bugs raise (TypeError, KeyError, IndexError, ...) end the trials."""


class Plan(Settings):
    """How much is tried."""

    seeds: int = Field(2, ge=1, le=20, description="Trainings of each method, each on another draw of the items.")
    items: int = Field(2000, ge=20, le=100_000, description="Rows, images or windows that each training learns from.")
    synthetic: int = Field(150, ge=20, le=5000, description="Synthetic anomalies of each kind.")
    steps: int = Field(200, ge=1, le=100_000, description="Training steps of a pretext task at most.")
    minutes: float = Field(
        10.0, gt=0, le=10_000, description="After so long no further training begins; what is missing is said."
    )


OF_IMAGES = {"items": 200, "synthetic": 30, "steps": 40}
"""What a plan asks for of images unless it is told: an image costs what hundreds of rows do."""


def usual_plan(modality: Modality, **chosen: float) -> Plan:
    """The plan for a kind of data, with what was chosen.

    Raises:
        SettingsError: a setting is unknown or out of range.
    """
    return Plan.parse({**(OF_IMAGES if modality is Modality.IMAGE else {}), **chosen}, "recommend")


@dataclass(frozen=True)
class Candidate:
    """A method that can be tried."""

    name: str
    """As `--pretext` takes it."""
    kind: CandidateKind
    plug_in: str
    """Its name in its registry; a recipe's ends in the kind of data."""

    @property
    def title(self) -> str:
        return REGISTRIES[self.kind].get(self.plug_in).title


@dataclass(frozen=True)
class Trial:
    """One short training."""

    method: str
    seed: int
    usual: np.ndarray
    """(n,) scores of the held-out items, the same for all trials."""
    synthetic: dict[str, np.ndarray]
    """Kind -> (k,) scores, of the same items for all trials."""
    seconds: float


@dataclass
class Trials:
    """All of them, and what did not come about."""

    candidates: list[Candidate]
    flaws: list[SyntheticAnomaly]
    done: list[Trial] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Method -> why it has no trial, or fewer than the others."""
    notices: list[str] = field(default_factory=list)


def run_trials(
    item_set: ItemSet,
    split: Split,
    candidates: Sequence[Candidate],
    plan: Plan,
    training_rows: TrainingRows,
    seed: int,
    device: torch.device,
    report: Report,
) -> Trials:
    """Train every candidate with every seed, the first seed of all before the second.

    Args:
        split: its calibration items are held out: nothing learns from them, and synthetic anomalies are made of them.

    Raises:
        DataError: too few items are held out, or no synthetic anomaly can be made of them.
        Cancelled: the report says so.
    """
    held_out, notices = held_out_items(item_set, split.calibration, seed)
    synthetic, impossible = inject(item_set, held_out, split.fit, plan.synthetic, seed)
    if not synthetic:
        raise DataError("No synthetic anomaly fits these data, so methods can't be compared by them. Take Balanced.")
    trials = Trials(list(candidates), [kind.flaw for kind in synthetic])
    trials.notices += notices + [f"“{flaw.title}” can't be made of these data and is left out." for flaw in impossible]
    queue = [(candidate, seed + more) for more in range(plan.seeds) for candidate in candidates]
    began = perf_counter()
    for number, (candidate, own_seed) in enumerate(queue):
        report.check()
        report.step(number / len(queue))
        if candidate.name in trials.failed:
            continue
        if perf_counter() - began > 60 * plan.minutes:
            trials.failed[candidate.name] = f"No time was left for its seed {own_seed} ({plan.minutes:g} minutes)."
            continue
        part = Quiet(report, number / len(queue), (number + 1) / len(queue))
        try:
            taught = _drawn(split, plan.items, own_seed)
            trials.done.append(
                _tried(candidate, item_set, taught, held_out, synthetic, plan, training_rows, own_seed, device, part)
            )
        except Cancelled:
            raise
        except FAILURES as error:
            trials.failed[candidate.name] = str(error).strip().split("\n")[0] or type(error).__name__
    report.step(1.0)
    return trials


def held_out_items(item_set: ItemSet, index: np.ndarray, seed: int) -> tuple[np.ndarray, list[str]]:
    """Items that share no sample with each other, as overlapping windows count as one piece of evidence several times.

    Where these are too few, windows may overlap as little as gives enough of them, and a sentence says so.

    Raises:
        DataError: there are too few even so.
    """
    most, chosen, part = HELD_OUT[item_set.shape.modality], index, 1
    if item_set.span > 1:
        for part in OVERLAPS:
            chosen = apart(item_set, index, item_set.span // part)
            if len(chosen) >= FEWEST:
                break
    if len(chosen) < FEWEST:
        raise DataError(
            f"Only {len(chosen)} items can be held out, and at least {FEWEST} are needed to compare methods. "
            f"Add training rows, or take Balanced."
        )
    overlap = f"The {len(chosen)} held-out windows overlap, for the recording is short: the intervals are too narrow."
    return drawn_items(chosen, most, seed), [overlap] if part > 1 else []


def apart(item_set: ItemSet, index: np.ndarray, gap: int) -> np.ndarray:
    """Windows that begin at least so many samples after each other."""
    start = item_set.items["start"].to_numpy()
    chosen, free = [], -1
    for item in index[np.argsort(start[index], kind="stable")]:
        if start[item] >= free:
            chosen.append(item)
            free = start[item] + gap
    return np.array(chosen, dtype=np.int64)


def _drawn(split: Split, items: int, seed: int) -> Split:
    """What one training learns from; nothing of it is held out."""
    stop = drawn_items(split.early_stop, max(1, items // 4), seed)
    return Split(drawn_items(split.fit, items, seed), stop, split.calibration[:0])


def _tried(
    candidate: Candidate,
    item_set: ItemSet,
    split: Split,
    held_out: np.ndarray,
    synthetic: Sequence[Injected],
    plan: Plan,
    training_rows: TrainingRows,
    seed: int,
    device: torch.device,
    report: Report,
) -> Trial:
    began = perf_counter()
    model = _fitted(candidate, item_set, split, plan, training_rows, seed, device, report)
    if isinstance(model, torch.nn.Module):
        model.to(device)
    usual = per_item(score_items(model, item_set, held_out, device=device, report=report))
    scores = {
        kind.flaw.name: per_item(
            score_items(model, kind.item_set, np.arange(len(kind.item_set)), device=device, report=report)
        )
        for kind in synthetic
    }
    if not all(np.isfinite(values).all() for values in (usual, *scores.values())):
        raise DataError("Some of its scores are not numbers: the training went astray.")
    return Trial(candidate.name, seed, usual, scores, perf_counter() - began)


def _fitted(
    candidate: Candidate,
    item_set: ItemSet,
    split: Split,
    plan: Plan,
    training_rows: TrainingRows,
    seed: int,
    device: torch.device,
    report: Report,
) -> ScoreModel:
    if candidate.kind == "recipe":
        cls = RECIPES.get(candidate.plug_in)
        return cls(cls.Settings(), seed, device).fit(item_set, split, training_rows, report).model
    if candidate.kind == "reference":
        return fit_reference(candidate.plug_in, {}, item_set, split, seed, report)
    sections = {"training": {"max_steps": plan.steps}}
    model, _ = fit_task_model(
        candidate.plug_in, None, item_set, split, sections, "quick", device, seed, report, training_rows
    )
    return model
