"""Fit a method by its name, and compute scores and embeddings in batches."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ad_core.data.batches import Batches
from ad_core.data.item_set import ItemSet
from ad_core.devices import Halver, choose_device, seeded
from ad_core.errors import SettingsError
from ad_core.methods.building import build_model, check_fits
from ad_core.methods.contamination import LEFT_OUT, LEFT_OUT_OF_TRAINING, ranked_items, trusted
from ad_core.methods.encoder import EncoderChoice
from ad_core.methods.reference import REFERENCES, ReferenceModel, fitting_rows, flat
from ad_core.methods.scorer import ScoreModel, TaskModel, finest_scores
from ad_core.progress import Report, Silent
from ad_core.training.fit_inputs import Fit
from ad_core.training.loop import TrainingSettings, TrainingSummary, train_task
from ad_core.types import Modality, TrainingRows

__all__ = [
    "PRESETS",
    "Fit",
    "TrainingSettings",
    "TrainingSummary",
    "build_model",
    "choose_device",
    "embed_items",
    "fit_reference",
    "fit_task_model",
    "score_items",
    "train_task",
    "training_settings",
]

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"max_steps": 300},
    "standard": {"max_steps": 1200},
    "thorough": {"max_steps": 6000, "checks": 40},
}
"""Preset -> the `TrainingSettings` that it changes."""

OF_MODALITY: dict[Modality, dict[str, Any]] = {
    Modality.TABLE: {"batch_size": 128, "learning_rate": 3e-3},
    Modality.IMAGE: {"batch_size": 16, "learning_rate": 2e-3},
    Modality.SENSOR: {"batch_size": 64, "learning_rate": 2e-3},
}
"""Kind of data -> the `TrainingSettings` that it changes."""

IMAGE_STEP = 4
"""Divisor of a preset's number of steps for images, since a step costs far more than on rows or windows."""


Sections = Mapping[str, Mapping[str, Any]]
"""Section -> setting -> value, as in `pipeline.Choice.settings`."""


def training_settings(
    preset: str, modality: Modality, chosen: dict[str, Any], training_rows: TrainingRows = "clean"
) -> TrainingSettings:
    """Settings for the kind of data and the training rows, then the preset's, then the user's; later ones win.

    Raises:
        SettingsError: the preset or a setting does not exist, or a value is out of range.
    """
    if preset not in PRESETS:
        raise SettingsError(f"There is no preset {preset!r}. There is: {', '.join(PRESETS)}.")
    values = {**OF_MODALITY[modality], **PRESETS[preset]}
    values |= {"leave_out": LEFT_OUT[training_rows], "not_taught": LEFT_OUT_OF_TRAINING[training_rows]}
    if modality is Modality.IMAGE:
        values["max_steps"] //= IMAGE_STEP
    return TrainingSettings.parse({**values, **chosen}, "training")


def fit_task_model(
    method: str,
    fit: Fit,
    *,
    scorer: str | None = None,
    sections: Sections | None = None,
    preset: str = "standard",
) -> tuple[TaskModel, TrainingSummary]:
    """Train a pretext task on the fit items and fit its scorer on them.

    Args:
        scorer: None = the task's own score.
        sections: settings of `training`, `pretext`, `encoder` (with its `name`) and `scorer`; other sections are
            ignored.

    Returns:
        The model, on the device and in evaluation mode, and a summary of the training.

    Raises:
        MethodError, SettingsError, ResourceError, DataError: with a sentence that says what to do.
        Cancelled: the report says so.
    """
    chosen = sections or {}
    settings = training_settings(preset, fit.modality, dict(chosen.get("training", {})), fit.training_rows)
    train = partial(_trained, method, scorer or "own_score", chosen, settings)
    model, summary = _trained_without_suspicious(train, fit, settings) if settings.leave_out else train(fit)
    if origin := model.task.encoder.origin:
        summary.notices.append(origin)
        fit.report.say(origin)
    return model, summary


def _trained(
    method: str, scorer: str, sections: Sections, settings: TrainingSettings, fit: Fit
) -> tuple[TaskModel, TrainingSummary]:
    """A new model, trained on the fit items."""
    with seeded(fit.seed, fit.device):
        model = build_model(
            method,
            scorer,
            fit.item_set.shape,
            dict(sections.get("pretext", {})),
            dict(sections.get("scorer", {})),
            EncoderChoice.of_section(sections.get("encoder", {})),
        )
    summary = train_task(model.task, fit, settings)
    model.to(fit.device).eval()
    with torch.no_grad():
        Halver(summary.batch_size, fit.report)(
            lambda size: model.scorer.fit(model.task, Batches(fit.item_set, fit.split.fit, size, fit.device))
        )
    return model.to(fit.device), summary


def _trained_without_suspicious(
    train: Callable[[Fit], tuple[TaskModel, TrainingSummary]], fit: Fit, settings: TrainingSettings
) -> tuple[TaskModel, TrainingSummary]:
    """Train without the items that robust detectors, and in refits the trained model itself, score highest."""
    every = fit.split.fit
    ranked = ranked_items(every, fit.seed)
    kept = trusted(fit.item_set, ranked, settings.leave_out, fit.seed)
    model, summary = train(fit.train_on(kept))
    for _ in range(settings.refits):
        scores = score_items(model, fit.item_set, ranked, device=fit.device, report=fit.report)
        kept = ranked[scores <= np.quantile(scores, 1 - settings.leave_out)]
        model, summary = train(fit.train_on(kept))
    if left_out := len(ranked) - len(kept):
        drawn = f", drawn at random from {len(every):,}" if len(ranked) < len(every) else ""
        summary.notices.append(
            f"{left_out:,} of {len(ranked):,} training items{drawn}, the most suspicious ones, were left out: the rows "
            f"were declared {fit.training_rows!r}."
        )
    return model, summary


def fit_reference(
    name: str, fit: Fit, settings: Mapping[str, Any] | None = None, rows: np.ndarray | None = None
) -> ReferenceModel:
    """Fit a classical detector on the fit items, or on a random sample if there are very many.

    Args:
        rows: (n, *vector), the output of `fitting_rows` if it is known already.

    Raises:
        MethodError: the name is unknown or does not fit the kind of data.
        SettingsError: a setting is unknown or out of range.
        DataError: there are no items to fit on.
    """
    check_fits(REFERENCES, name, fit.modality)
    fit.check_items()
    cls, index = REFERENCES.get(name), fit.split.fit
    rows = fitting_rows(cls, fit.item_set, index, fit.seed) if rows is None else rows
    if len(rows) < len(index):
        fit.report.say(f"{cls.title}: fitted on {len(rows):,} of {len(index):,} items, drawn at random.")
    return ReferenceModel(cls(cls.Settings.parse(settings or {}, "pretext"), fit.seed), fit.modality, rows)


def score_items(
    model: ScoreModel,
    item_set: ItemSet,
    index: np.ndarray,
    batch_size: int | None = None,
    device: torch.device | None = None,
    report: Report | None = None,
) -> np.ndarray:
    """(len(index),) float64 scores of the items at these positions; (len(index), span) float32 by models that score the
    samples of a window. `ItemSet.reduce` maps both to rows, `per_item` turns the second into the first.

    Args:
        batch_size: None = the item set's default; the scores don't depend on it.
        device: where the model is; None = the cpu.
    """
    _to_evaluation(model)
    scores = _in_batches(partial(finest_scores, model), item_set, index, batch_size, device, report)
    return scores if scores.ndim == 2 else scores.astype(np.float64)


def per_item(scores: np.ndarray) -> np.ndarray:
    """(n,) or (n, span) -> (n,) float64 score of each item: the mean over its samples."""
    return np.asarray(scores.mean(axis=1, dtype=np.float64)) if scores.ndim == 2 else scores


def embed_items(
    model: ScoreModel,
    item_set: ItemSet,
    index: np.ndarray,
    batch_size: int | None = None,
    device: torch.device | None = None,
    report: Report | None = None,
) -> np.ndarray:
    """(len(index), d) float32 embeddings of the items at these positions; for models without any, the flat items."""

    def embedded(x: Tensor) -> Tensor:
        z = model.embed(x)
        return torch.from_numpy(flat(x.cpu(), item_set.shape.modality)) if z is None else z

    _to_evaluation(model)
    rows = _in_batches(embedded, item_set, index, batch_size, device, report)
    return rows.astype(np.float32) if len(rows) else np.zeros((0, 0), dtype=np.float32)


def _to_evaluation(model: ScoreModel) -> None:
    if isinstance(model, nn.Module):
        model.eval()


def _in_batches(
    compute: Callable[[Tensor], Tensor],
    item_set: ItemSet,
    index: np.ndarray,
    batch_size: int | None,
    device: torch.device | None,
    report: Report | None,
) -> np.ndarray:
    """(len(index), ...) results, batch by batch; the batch is halved when memory runs out.

    Without `inference_mode`, since a score may compute a gradient inside. Results are written into one array:
    very many small ones would fragment the memory.
    """
    report, device = report or Silent(), device or torch.device("cpu")
    halver = Halver(batch_size or item_set.items_at_a_time, report)
    results, done = np.zeros(0), 0
    with torch.no_grad():
        while done < len(index):
            report.check()
            found = halver(lambda size: compute(item_set.take(index[done : done + size]).to(device)))  # noqa: B023
            if not done:
                results = np.empty((len(index), *found.shape[1:]), dtype=found.cpu().numpy().dtype)
            results[done : done + len(found)] = found.cpu().numpy()
            done += len(found)
            report.step(done / len(index))
    return results
