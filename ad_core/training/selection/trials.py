"""Short trainings of many methods on the same few items, and their scores of held-out and of synthetic items.

The scores are compared in `ranking`. Every method scores the same held-out and the same synthetic items, so that two
methods can be compared item by item; a seed determines the training items and the training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

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
from ad_core.progress import Quiet
from ad_core.registry import Registry
from ad_core.settings import Settings
from ad_core.training.fit import fit_reference, fit_task_model, per_item, score_items
from ad_core.training.fit_inputs import Fit
from ad_core.training.synthetic.anomaly import SyntheticAnomaly
from ad_core.training.synthetic.inject import Injected, inject
from ad_core.types import MethodKind, Modality

REGISTRIES: dict[MethodKind, Registry[Recipe] | Registry[Pretext] | Registry[Reference]] = {
    "recipe": RECIPES,
    "pretext": PRETEXTS,
    "reference": REFERENCES,
}

FEWEST = 20
"""Minimum number of held-out items for a comparison."""

OVERLAPS = (1, 2, 4, 8)
"""Held-out windows start one window's length after each other; if these are too few, a half, a quarter or an eighth."""

HELD_OUT: dict[Modality, int] = {Modality.TABLE: 500, Modality.SENSOR: 400, Modality.IMAGE: 60}
"""Maximum number of held-out items, by kind of data."""

FAILURES = (AdError, ArithmeticError, MemoryError, RuntimeError, ValueError)
"""Errors after which a method is reported as failed and the others continue. Errors that only a bug raises (TypeError,
KeyError, IndexError, ...) end the trials."""


class Plan(Settings):
    """Size of the trials."""

    seeds: int = Field(
        2, ge=1, le=20, description="Number of trainings of each method, each on another random sample of the items."
    )
    items: int = Field(
        2000, ge=20, le=100_000, description="Maximum number of training rows, images or windows of each training."
    )
    synthetic: int = Field(150, ge=20, le=5000, description="Number of synthetic anomalies of each kind.")
    steps: int = Field(200, ge=1, le=100_000, description="Maximum number of training steps of a pretext task.")
    minutes: float = Field(
        10.0,
        gt=0,
        le=10_000,
        description="Minutes after which no further training begins; methods left out are reported.",
    )


OF_IMAGES = {"items": 200, "synthetic": 30, "steps": 40}
"""Smaller default plan for images, which cost as much as hundreds of rows."""


def usual_plan(modality: Modality, **chosen: float) -> Plan:
    """The default plan for a kind of data, with the chosen settings.

    Raises:
        SettingsError: a setting is unknown or out of range.
    """
    return Plan.parse({**(OF_IMAGES if modality is Modality.IMAGE else {}), **chosen}, "recommend")


@dataclass(frozen=True)
class Candidate:
    """A method that can be tried."""

    name: str
    """As `--pretext` takes it."""
    kind: MethodKind
    plug_in: str
    """Name in its registry; that of a recipe ends in the kind of data."""

    @property
    def title(self) -> str:
        return REGISTRIES[self.kind].get(self.plug_in).title


@dataclass(frozen=True)
class Trial:
    """One short training."""

    method: str
    seed: int
    usual: np.ndarray
    """(n,) scores of the held-out items, which are the same in all trials."""
    synthetic: dict[str, np.ndarray]
    """Kind -> (k,) scores of synthetic anomalies, which are the same in all trials."""
    seconds: float


@dataclass
class Trials:
    """All trials, and the methods that failed."""

    candidates: list[Candidate]
    flaws: list[SyntheticAnomaly]
    done: list[Trial] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Method -> the reason why it has no or fewer trials."""
    notices: list[str] = field(default_factory=list)


def run_trials(candidates: Sequence[Candidate], fit: Fit, plan: Plan) -> Trials:
    """Train every candidate with every seed; the second seed follows after the first of all candidates.

    Args:
        fit: its calibration items are held out: no method is trained on them, and anomalies are injected into them.

    Raises:
        DataError: too few items are held out, or no synthetic anomaly can be made of them.
        Cancelled: the report says so.
    """
    to_score, trials = _prepared(candidates, fit, plan)
    report = fit.report
    queue = [(candidate, fit.seed + more) for more in range(plan.seeds) for candidate in candidates]
    began = perf_counter()
    for number, (candidate, seed) in enumerate(queue):
        report.check()
        report.step(number / len(queue))
        if candidate.name in trials.failed:
            continue
        if perf_counter() - began > 60 * plan.minutes:
            trials.failed[candidate.name] = f"No time was left for its seed {seed} ({plan.minutes:g} minutes)."
            continue
        part = Quiet(report, number / len(queue), (number + 1) / len(queue))
        try:
            own = replace(fit, split=_drawn(fit.split, plan.items, seed), seed=seed, report=part)
            trials.done.append(_tried(candidate, own, plan.steps, to_score))
        except Cancelled:
            raise
        except FAILURES as error:
            trials.failed[candidate.name] = str(error).strip().split("\n")[0] or type(error).__name__
    report.step(1.0)
    return trials


@dataclass(frozen=True)
class _ToScore:
    """The items that every trial scores."""

    held_out: np.ndarray
    """(n,) positions in the item set."""
    synthetic: list[Injected]


def _prepared(candidates: Sequence[Candidate], fit: Fit, plan: Plan) -> tuple[_ToScore, Trials]:
    """The items to score, and the trials before the first one."""
    held_out, notices = held_out_items(fit.item_set, fit.split.calibration, fit.seed)
    synthetic, impossible = inject(fit.item_set, held_out, fit.split.fit, plan.synthetic, fit.seed)
    if not synthetic:
        raise DataError("No synthetic anomaly fits these data, so methods can't be compared by them. Take Balanced.")
    trials = Trials(list(candidates), [kind.flaw for kind in synthetic])
    trials.notices += notices + [f"“{flaw.title}” can't be made of these data and is left out." for flaw in impossible]
    return _ToScore(held_out, synthetic), trials


def held_out_items(item_set: ItemSet, index: np.ndarray, seed: int) -> tuple[np.ndarray, list[str]]:
    """Items that share no sample, since overlapping windows are not independent evidence.

    If these are too few, windows overlap by as little as possible, and a sentence says so.

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
    """Windows that start at least `gap` samples after each other."""
    start = item_set.items["start"].to_numpy()
    chosen, free = [], -1
    for item in index[np.argsort(start[index], kind="stable")]:
        if start[item] >= free:
            chosen.append(item)
            free = start[item] + gap
    return np.array(chosen, dtype=np.int64)


def _drawn(split: Split, items: int, seed: int) -> Split:
    """The training and early-stop items of one training; none of them is held out."""
    stop = drawn_items(split.early_stop, max(1, items // 4), seed)
    return Split(drawn_items(split.fit, items, seed), stop, split.calibration[:0])


def _tried(candidate: Candidate, fit: Fit, steps: int, to_score: _ToScore) -> Trial:
    """Train a candidate and score the held-out and the synthetic items."""
    began = perf_counter()
    model = _fitted(candidate, fit, steps)
    if isinstance(model, torch.nn.Module):
        model.to(fit.device)

    def scored(item_set: ItemSet, index: np.ndarray) -> np.ndarray:
        return per_item(score_items(model, item_set, index, device=fit.device, report=fit.report))

    usual = scored(fit.item_set, to_score.held_out)
    synthetic = {kind.flaw.name: scored(kind.item_set, np.arange(len(kind.item_set))) for kind in to_score.synthetic}
    if not all(np.isfinite(values).all() for values in (usual, *synthetic.values())):
        raise DataError("Some of its scores are not numbers: the training diverged.")
    return Trial(candidate.name, fit.seed, usual, synthetic, perf_counter() - began)


def _fitted(candidate: Candidate, fit: Fit, steps: int) -> ScoreModel:
    if candidate.kind == "recipe":
        cls = RECIPES.get(candidate.plug_in)
        recipe = cls(cls.Settings(), fit.seed, fit.device)
        return recipe.fit(fit.item_set, fit.split, fit.training_rows, fit.report).model
    if candidate.kind == "reference":
        return fit_reference(candidate.plug_in, fit)
    return fit_task_model(candidate.plug_in, fit, sections={"training": {"max_steps": steps}}, preset="quick")[0]
