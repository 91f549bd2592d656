"""Auto, for tables: Balanced, and where clean rows clearly speak for a pretext task, that task blended in."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from ad_core.data.item_set import ItemSet, Split
from ad_core.data.splitting import SHARES
from ad_core.errors import DataError
from ad_core.methods.pretext import PRETEXTS
from ad_core.methods.recipe import RECIPES, Fitted, HeldOut, Recipe
from ad_core.methods.scorer import ScoreModel
from ad_core.progress import Report, Within
from ad_core.settings import Settings
from ad_core.training.selection.blend import Joined, joined, trained_on
from ad_core.training.selection.ranking import ranked
from ad_core.training.selection.recommendation import CLEAR
from ad_core.training.selection.trials import Candidate, Plan, run_trials
from ad_core.types import Modality, TrainingRows

BASE = "balanced_tabular"


class AutoTabularSettings(Settings):
    """How the pretext task is looked for, and how much it counts."""

    task: str = Field(
        "", description="Pretext task to blend in, where it is known already; empty = the trials look for one."
    )
    share: float = Field(0.33, gt=0, le=0.5, description="Share of the task in the score; the rest is Balanced's.")
    steps: int = Field(600, ge=1, le=1_000_000, description="Training steps of the task that is blended in.")
    seeds: int = Field(2, ge=1, le=20, description="Short trainings of each task in the trials.")
    minutes: float = Field(10.0, gt=0, le=10_000, description="Time after which no further trial begins.")


@RECIPES.register
class AutoTabular(Recipe[AutoTabularSettings]):
    """The trials and their judgement are those of `recommend`. It says what it did and why."""

    title = "Auto"
    about = (
        "Balanced. Only where the training rows are declared free of anomalies, and one pretext task is clearly better "
        "on synthetic anomalies, that task is blended in; Balanced keeps the larger share. Takes minutes more."
    )
    source = "Own; after the trials of `recommend`"
    modalities = frozenset({Modality.TABLE})
    Settings = AutoTabularSettings
    shares = (1.0, 0.0, 0.0)

    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> Fitted:
        fitted = self._base().fit(item_set, split, training_rows, Within(report, 0, 0.2))
        task = self.settings.task or self._found(item_set, split, training_rows, Within(report, 0.2, 0.7))
        if not task:
            return fitted
        PRETEXTS.get(task)  # an unknown one is told before anything is trained
        device = torch.device(self.device)
        fit = trained_on(
            task, item_set, self.settings.steps, training_rows, self.seed, device, Within(report, 0.7, 1.0)
        )
        model, held_out = joined(
            cast(nn.Module, fitted.model),
            cast(HeldOut, fitted.held_out),
            item_set,
            fit,
            self.settings.share,
            self.seed,
            device,
        )
        share = f"{self.settings.share:.0%}"
        report.say(f"Auto: {PRETEXTS.get(task).title} counts for {share} of the score, Balanced for the rest.")
        return Fitted(model, held_out)

    def _found(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> str:
        """The task that clearly beats Balanced on synthetic anomalies; "" where none does, or none may be tried."""
        if training_rows != "clean":
            report.say(
                f"Auto is Balanced here: the training rows are declared {training_rows!r}, and synthetic anomalies "
                f"mislead where training rows may be anomalies."
            )
            return ""
        plan = Plan(seeds=self.settings.seeds, minutes=self.settings.minutes)
        candidates = [Candidate("balanced", "recipe", BASE)]
        candidates += [Candidate(name, "pretext", name) for name in PRETEXTS.names(Modality.TABLE)]
        try:
            trials = run_trials(
                item_set,
                _dealt(split, self.seed),
                candidates,
                plan,
                training_rows,
                self.seed,
                torch.device(self.device),
                report,
            )
        except DataError as error:
            report.say(f"Auto is Balanced here. {error}")
            return ""
        found = ranked(trials, Modality.TABLE, training_rows, self.seed)
        report.say(" ".join(found.sentences[:2]))
        if found.task is None or found.beats_balanced is None or found.beats_balanced < CLEAR:
            report.say(f"Auto is Balanced here: no pretext task is better in {CLEAR:.0%} of resamples.")
            return ""
        return found.task

    def state(self, model: ScoreModel) -> tuple[dict[str, Any], Mapping[str, np.ndarray | Tensor]]:
        own = model if isinstance(model, Joined) else None
        facts, arrays = self._base().state(cast(ScoreModel, own.base) if own else model)
        named: dict[str, np.ndarray | Tensor] = {f"base/{name}": value for name, value in arrays.items()}
        if own:
            named |= {f"own/{name}": value for name, value in own.arrays().items()}
        return {"base": facts, "own": own.facts() if own else None}, named

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ScoreModel:
        base = self._base().restore(facts["base"], _below("base/", arrays))
        if facts["own"] is None:
            return base
        return Joined.restored(cast(nn.Module, base), facts["own"], _below("own/", arrays))

    def _base(self) -> Recipe:
        cls = RECIPES.get(BASE)
        return cls(cls.Settings(), self.seed, self.device)


def _dealt(split: Split, seed: int) -> Split:
    """All training items, dealt out for the trials: these hold some out."""
    items = np.concatenate([split.fit, split.early_stop, split.calibration])
    order = np.random.default_rng(seed).permutation(items)
    cuts = np.round(np.cumsum(SHARES[:2]) * len(order)).astype(int)
    fit, stop, held_out = (np.sort(part) for part in np.split(order, cuts))
    return Split(fit, stop, held_out)


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
