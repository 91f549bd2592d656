"""Train a recipe, a classical detector or a pretext task by its name."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ad_core.methods.recipe import Fitted, Recipe
from ad_core.training.catalogue import recipe_class
from ad_core.training.choice import Choice
from ad_core.training.fit import fit_reference, fit_task_model
from ad_core.training.fit_inputs import Fit
from ad_core.types import MethodKind


@dataclass(frozen=True)
class MethodFit:
    """The outcome of a training by any kind of method."""

    fitted: Fitted
    recipe: Recipe | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """Summary of the training of a network, as JSON."""


def fit_method(method: str, kind: MethodKind, choice: Choice, fit: Fit) -> MethodFit:
    """Train a recipe, a classical detector or a pretext task."""
    settings = choice.settings.get("pretext", {})
    if kind == "recipe":
        cls = recipe_class(method, fit.modality)
        recipe = cls(cls.Settings.parse(settings, "pretext"), fit.seed, fit.device)
        return MethodFit(recipe.fit(fit.item_set, fit.split, fit.training_rows, fit.report), recipe)
    if kind == "reference":
        return MethodFit(Fitted(fit_reference(method, fit, settings)))
    model, summary = fit_task_model(method, fit, scorer=choice.scorer, sections=choice.settings, preset=choice.preset)
    return MethodFit(Fitted(model), facts=asdict(summary))
