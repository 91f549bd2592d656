"""From a method's name to a fitted model, and scores and embeddings in batches."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ad_core.data.batches import Batches
from ad_core.data.item_set import ItemSet, Split
from ad_core.devices import Halver, choose_device, seeded
from ad_core.errors import DataError, SettingsError
from ad_core.methods.building import build_model, check_fits
from ad_core.methods.contamination import LEFT_OUT, LEFT_OUT_OF_TRAINING, judged_items, trusted
from ad_core.methods.encoder import EncoderChoice
from ad_core.methods.reference import REFERENCES, ReferenceModel, fitting_rows, flat
from ad_core.methods.scorer import ScoreModel, TaskModel, finest_scores
from ad_core.progress import Report, Silent
from ad_core.training.loop import TrainingSettings, TrainingSummary, train_task
from ad_core.types import Modality, TrainingRows

__all__ = [
    "PRESETS",
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
"""Preset -> what it changes of `TrainingSettings`."""

OF_MODALITY: dict[Modality, dict[str, Any]] = {
    Modality.TABLE: {"batch_size": 128, "learning_rate": 3e-3},
    Modality.IMAGE: {"batch_size": 16, "learning_rate": 2e-3},
    Modality.SENSOR: {"batch_size": 64, "learning_rate": 2e-3},
}
"""Kind of data -> what it changes of `TrainingSettings`."""

IMAGE_STEP = 4
"""A step on images costs many times one on rows or windows; presets take so many times fewer of them."""


def training_settings(
    preset: str, modality: Modality, chosen: dict[str, Any], training_rows: TrainingRows = "clean"
) -> TrainingSettings:
    """What the kind of data and of training rows asks for, the preset, and what the user set, the last winning.

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
    scorer: str | None,
    item_set: ItemSet,
    split: Split,
    sections: dict[str, dict[str, Any]],
    preset: str,
    device: torch.device,
    seed: int,
    report: Report,
    training_rows: TrainingRows = "clean",
) -> tuple[TaskModel, TrainingSummary]:
    """Train a pretext task on the fit items and fit its scorer on them.

    Args:
        scorer: None = the task's own score.
        sections: `training`, `pretext`, `encoder` (its `name` among them) and `scorer` settings; other sections are not
            looked at.
        training_rows: what is known of them; unless they are clean, the most suspicious ones are left out.

    Returns:
        The model, on the device and in evaluation mode, and how the training went.

    Raises:
        MethodError, SettingsError, ResourceError, DataError: with a sentence that says what to do.
        Cancelled: the report says so.
    """
    settings = training_settings(preset, item_set.shape.modality, sections.get("training", {}), training_rows)

    def trained(fit: np.ndarray) -> tuple[TaskModel, TrainingSummary]:
        with seeded(seed, device):
            model = build_model(
                method,
                scorer or "own_score",
                item_set.shape,
                sections.get("pretext", {}),
                sections.get("scorer", {}),
                EncoderChoice.of_section(sections.get("encoder", {})),
            )
        summary = train_task(model.task, item_set, replace(split, fit=fit), settings, device, seed, report)
        model.to(device).eval()
        with torch.no_grad():
            Halver(summary.batch_size, report)(
                lambda size: model.scorer.fit(model.task, Batches(item_set, fit, size, device))
            )
        return model.to(device), summary

    if not settings.leave_out:
        return _with_origin(*trained(split.fit), report)
    judged = judged_items(split.fit, seed)
    fit = trusted(item_set, judged, settings.leave_out, seed)
    model, summary = trained(fit)
    for _ in range(settings.refits):
        scores = score_items(model, item_set, judged, device=device, report=report)
        fit = judged[scores <= np.quantile(scores, 1 - settings.leave_out)]
        model, summary = trained(fit)
    if left_out := len(judged) - len(fit):
        drawn = f", drawn at random from {len(split.fit):,}" if len(judged) < len(split.fit) else ""
        summary.notices.append(
            f"{left_out:,} of {len(judged):,} training items{drawn}, the most suspicious ones, were left out: the rows "
            f"were declared {training_rows!r}."
        )
    return _with_origin(model, summary, report)


def fit_reference(
    name: str,
    settings: dict[str, Any],
    item_set: ItemSet,
    split: Split,
    seed: int,
    report: Report,
    rows: np.ndarray | None = None,
) -> ReferenceModel:
    """Fit a classical detector on the fit items, on a random sample of very many.

    Args:
        rows: what `fitting_rows` gives for them, where it is known already.

    Raises:
        MethodError: the name is unknown or does not fit the kind of data.
        SettingsError: a setting is unknown or out of range.
        DataError: there is nothing to fit on.
    """
    check_fits(REFERENCES, name, item_set.shape.modality)
    cls, index = REFERENCES.get(name), split.fit
    if not len(index):
        raise DataError("No rows are left to train on. Choose more training rows, or repair the rows that have a note.")
    rows = fitting_rows(cls, item_set, index, seed) if rows is None else rows
    if len(rows) < len(index):
        report.say(f"{cls.title}: fitted on {len(rows):,} of {len(index):,} items, drawn at random.")
    return ReferenceModel(cls(cls.Settings.parse(settings, "pretext"), seed), item_set.shape.modality, rows)


def score_items(
    model: ScoreModel,
    item_set: ItemSet,
    index: np.ndarray,
    batch_size: int | None = None,
    device: torch.device | None = None,
    report: Report | None = None,
) -> np.ndarray:
    """(len(index),) float64 scores of the items at these positions; (len(index), span) float32 by models that tell the
    samples of a window apart. `ItemSet.reduce` leads both back to rows, `per_item` makes the second like the first.

    Args:
        batch_size: None = as many as are handled well at a time; the scores don't depend on it.
        device: where the model is; None = the cpu.
    """
    scores = _in_batches(partial(finest_scores, model), model, item_set, index, batch_size, device, report)
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
    """(len(index), d) float32 embeddings of the items at these positions; of a model without any, the flat items."""

    def embedded(x: Tensor) -> Tensor:
        z = model.embed(x)
        return torch.from_numpy(flat(x.cpu(), item_set.shape.modality)) if z is None else z

    rows = _in_batches(embedded, model, item_set, index, batch_size, device, report)
    return rows.astype(np.float32) if len(rows) else np.zeros((0, 0), dtype=np.float32)


def _in_batches(
    compute: Callable[[Tensor], Tensor],
    model: ScoreModel,
    item_set: ItemSet,
    index: np.ndarray,
    batch_size: int | None,
    device: torch.device | None,
    report: Report | None,
) -> np.ndarray:
    """(len(index), ...) results, batch by batch, the batch halved when memory runs out.

    No `inference_mode`: a score may take a gradient inside. Results go into one array at once: very many small ones
    would tear the memory to pieces.
    """
    if isinstance(model, nn.Module):
        model.eval()
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


def _with_origin(model: TaskModel, summary: TrainingSummary, report: Report) -> tuple[TaskModel, TrainingSummary]:
    """What weights that were learnt elsewhere are is said with every run."""
    if origin := model.task.encoder.origin:
        summary.notices.append(origin)
        report.say(origin)
    return model, summary
