"""Auto, for tables: Balanced, combined with a pretext task if that is clearly better on clean rows."""

from collections.abc import Mapping
from dataclasses import replace
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
from ad_core.training.fit_inputs import Fit
from ad_core.training.selection.blend import Joined, joined, trainer, unseen_by
from ad_core.training.selection.ranking import ranked
from ad_core.training.selection.recommendation import CLEAR
from ad_core.training.selection.trials import Candidate, Plan, run_trials
from ad_core.types import Modality, TrainingRows

BASE = "balanced_tabular"


class AutoTabularSettings(Settings):
    """Choice of the pretext task, and its weight."""

    task: str = Field("", description="Pretext task to combine with Balanced; empty = short trials choose one.")
    share: float = Field(0.33, gt=0, le=0.5, description="Weight of the task in the score; the rest is Balanced's.")
    steps: int = Field(600, ge=1, le=1_000_000, description="Training steps of that task.")
    seeds: int = Field(2, ge=1, le=20, description="Number of short trainings of each task in the trials.")
    minutes: float = Field(10.0, gt=0, le=10_000, description="Minutes after which no further trial begins.")


@RECIPES.register
class AutoTabular(Recipe[AutoTabularSettings]):
    """Balanced or its weighted mean with a task, chosen by the trials of `recommend`. The report gives the reason."""

    title = "Auto"
    about = (
        "Balanced. If the training rows are declared free of anomalies and one pretext task is clearly better on "
        "synthetic anomalies, the weighted mean of both, with a larger weight for Balanced. Takes minutes longer."
    )
    source = "Own; after the trials of `recommend`"
    modalities = frozenset({Modality.TABLE})
    Settings = AutoTabularSettings
    shares = (1.0, 0.0, 0.0)

    def fit(self, item_set: ItemSet, split: Split, training_rows: TrainingRows, report: Report) -> Fitted:
        fitted = self._base().fit(item_set, split, training_rows, Within(report, 0, 0.2))
        fit = Fit(item_set, split, self.seed, torch.device(self.device), report, training_rows)
        task = self.settings.task or self._found(replace(fit, report=Within(report, 0.2, 0.7)))
        if not task:
            return fitted
        title = PRETEXTS.get(task).title  # an unknown task is an error before anything is trained
        rest = replace(fit, report=Within(report, 0.7, 1.0))
        train_on = trainer(task, self.settings.steps, rest)
        base, of_base = cast(nn.Module, fitted.model), cast(HeldOut, fitted.held_out)
        model, held_out = joined(base, of_base, train_on, self.settings.share, rest)
        report.say(f"Auto: {title} counts for {self.settings.share:.0%} of the score, Balanced for the rest.")
        return Fitted(model, held_out)

    def _found(self, fit: Fit) -> str:
        """The task that clearly beats Balanced on synthetic anomalies; "" if there is none or none may be tried."""
        report = fit.report
        if fit.training_rows != "clean":
            report.say(
                f"Auto is Balanced here: the training rows are declared {fit.training_rows!r}, and synthetic anomalies "
                f"mislead if there are anomalies among the training rows."
            )
            return ""
        plan = Plan(seeds=self.settings.seeds, minutes=self.settings.minutes)
        candidates = [Candidate("balanced", "recipe", BASE)]
        candidates += [Candidate(name, "pretext", name) for name in PRETEXTS.names(Modality.TABLE)]
        try:
            trials = run_trials(candidates, replace(fit, split=_split_again(fit.split, self.seed)), plan)
        except DataError as error:
            report.say(f"Auto is Balanced here. {error}")
            return ""
        found = ranked(trials, Modality.TABLE, fit.training_rows, self.seed)
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
        model = Joined.restored(cast(nn.Module, base), facts["own"], _below("own/", arrays))
        if not len(model.unseen_by) and (n := self._base().fitted_to(base)) is not None:  # of an older version
            model.unseen_by = unseen_by(n, self.seed)
        return model

    def fitted_to(self, model: ScoreModel) -> int | None:
        return self._base().fitted_to(cast(ScoreModel, model.base) if isinstance(model, Joined) else model)

    def _base(self) -> Recipe:
        cls = RECIPES.get(BASE)
        return cls(cls.Settings(), self.seed, self.device)


def _split_again(split: Split, seed: int) -> Split:
    """A new random split of all training items, with calibration items that the trials hold out."""
    items = np.concatenate([split.fit, split.early_stop, split.calibration])
    order = np.random.default_rng(seed).permutation(items)
    cuts = np.round(np.cumsum(SHARES[:2]) * len(order)).astype(int)
    fit, stop, held_out = (np.sort(part) for part in np.split(order, cuts))
    return Split(fit, stop, held_out)


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
