"""Open, profile, split, fit, calibrate and score: the entry points for jobs, the command line and Python."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet, Split
from ad_core.data.opening import as_used, open_as, open_dataset, open_declared
from ad_core.data.reader import READER_OF
from ad_core.errors import DataError, MethodError, SettingsError
from ad_core.progress import Report, Silent
from ad_core.settings import SECTIONS
from ad_core.training.catalogue import DEFAULT_METHOD, kind_of, recipe_class
from ad_core.types import MethodKind, Modality, TrainingRows

if TYPE_CHECKING:
    from ad_core.data.reader import Reader
    from ad_core.detector.detector import Detector, Normals
    from ad_core.methods.recipe import Fitted, HeldOut, Recipe
    from ad_core.methods.scorer import ScoreModel
    from ad_core.training.fit_inputs import Fit

__all__ = [
    "Choice",
    "Trained",
    "load_detector",
    "open_as",
    "open_dataset",
    "open_declared",
    "open_like",
    "reference_scores",
    "score_item_set",
    "train",
    "train_all",
    "versions",
]

USUAL = 0.75
"""Share of the training items, those with the lowest scores, from which normal items are drawn if all items train."""

NORMALS_KEPT, NORMALS_BYTES = 512, 32 * 2**20
"""Maximum number and size [bytes] of the normal items that a detector keeps for neighbours and baselines."""


class Choice(BaseModel):
    """The user's choices for a training; the same fields in the app, on the command line and in a run's config."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pretext: str | None = None
    """A pretext task, a classical detector or a recipe; None = the default for this kind of data."""
    scorer: str | None = None
    preset: str = "standard"
    seed: int = 0
    device: str = "auto"
    training_rows: TrainingRows = "unsure"
    settings: dict[str, dict[str, Any]] = {}
    """Section -> setting -> value; sections are reader, training, pretext, encoder, scorer."""


@dataclass
class Trained:
    """A detector with the intermediate results of its training."""

    detector: "Detector"
    item_set: ItemSet
    split: Split
    item_scores: np.ndarray
    """As returned by `training.fit.score_items`."""
    scores: pd.DataFrame
    """One line per row, as `Detector.score` gives, with `used_for` and, where there is one, `label`."""
    references: pd.DataFrame
    """`row_id` and one score column per classical detector."""
    seconds: dict[str, float]
    """Time to fit and score, of the method and of each classical detector."""


def train(
    dataset: Dataset,
    pretext: str | None = None,
    *,
    scorer: str | None = None,
    preset: str = "standard",
    seed: int = 0,
    device: str = "auto",
    training_rows: TrainingRows = "unsure",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    report: Report | None = None,
) -> "Detector":
    """Train a detector on the training rows of a data set.

    Args:
        pretext: a pretext task, classical detector or recipe; None = the default for this kind of data.
        training_rows: what you know of the training rows: "clean", "mixed" (may hold anomalies) or "unsure".
        settings: section (reader, training, pretext, encoder, scorer) -> setting -> value.

    Raises:
        DataError, MethodError, SettingsError, ResourceError: with a sentence that says what to do.
    """
    choice = Choice(
        pretext=pretext,
        scorer=scorer,
        preset=preset,
        seed=seed,
        device=device,
        training_rows=training_rows,
        settings={section: dict(values) for section, values in (settings or {}).items()},
    )
    return train_all(dataset, choice, report or Silent()).detector


def load_detector(folder: str | Path) -> "Detector":
    """Read a detector from its bundle folder.

    Raises:
        BundleError: it is missing, damaged, or of a newer format.
    """
    from ad_core.detector.detector import Detector

    return Detector.load(folder)


def open_like(detector: "Detector", sources: Any, also: Mapping[str, Any] | None = None) -> Dataset:
    """Open new data for a detector, with the roles and kinds that its training data had.

    Args:
        also: declarations for the new data; their label and entity columns take precedence.

    Raises:
        DataError: the data can't be read, or are of another kind than the detector's.
    """
    return open_as(detector.facts["declared"], sources, also)


def train_all(dataset: Dataset, choice: Choice, report: Report, *, references: bool = True) -> Trained:
    """`train`, with the scores of all rows by the detector and by the classical detectors.

    Args:
        references: whether the classical detectors are run; a comparison of many methods needs them only once.
    """
    from ad_core.data.profiling import profile
    from ad_core.training.fit import Fit, choose_device
    from ad_core.training.references import classical_scores

    method, kind = _method(choice, dataset.modality)
    device = choose_device(choice.device)

    report.stage("profile")
    if blockers := profile(dataset).blockers:
        raise DataError(" ".join(blockers))

    report.stage("split")
    data = _prepared(dataset, *_settings_and_shares(method, kind, choice, dataset.modality), choice.seed)
    for notice in data.notices:
        report.say(notice)
    fit = Fit(data.item_set, data.split, choice.seed, device, report, choice.training_rows)

    report.stage("train")
    began = perf_counter()
    result = _fit(method, kind, choice, fit)

    report.stage("calibrate")
    item_scores = _item_scores(result.fitted, fit)
    seconds = {"method": perf_counter() - began}
    facts = _facts(dataset, choice, method, kind, data.split) | {
        "notices": [*dataset.notices, *data.notices, *result.facts.pop("notices", [])],
        "training": result.facts,
    }
    detector = _detector(data.reader, fit, result, item_scores, facts)

    report.stage("score")
    scores = _row_scores(dataset, detector, data, item_scores)
    table, of_references = classical_scores(fit) if references else (pd.DataFrame(), {})
    return Trained(detector, data.item_set, data.split, item_scores, scores, table, seconds | of_references)


def _method(choice: Choice, modality: Modality) -> tuple[str, MethodKind]:
    """The name of the chosen method and what it is.

    Raises:
        MethodError: it is unknown, doesn't fit the kind of data, or takes no scorer.
        SettingsError: there are settings of an unknown section, or of one that the method doesn't use.
    """
    _check_sections(choice.settings)
    method = choice.pretext or DEFAULT_METHOD
    kind = kind_of(method, modality)
    if choice.scorer and kind != "pretext":
        raise MethodError(f"{method!r} scores by itself: leave --scorer out, or choose a pretext task.")
    if kind != "pretext" and (unused := [s for s in ("training", "encoder", "scorer") if choice.settings.get(s)]):
        raise SettingsError(
            f"{method!r} trains no network: it takes no settings of {' and '.join(unused)}. Leave them out, or choose "
            f"a pretext task."
        )
    return method, kind


def _settings_and_shares(
    method: str, kind: MethodKind, choice: Choice, modality: Modality
) -> tuple[dict[str, Any], tuple[float, float, float]]:
    """Settings of the reader, and the shares of the training rows: fit, early stop, calibration."""
    from ad_core.data.splitting import SHARES

    own = choice.settings.get("reader", {})
    if kind != "recipe":
        return own, SHARES
    recipe = recipe_class(method, modality)
    return {**recipe.reader_defaults, **own}, recipe.shares


@dataclass(frozen=True)
class _Prepared:
    """A data set as items."""

    reader: "Reader"
    """Fitted on the fit rows."""
    item_set: ItemSet
    row_parts: np.ndarray
    """(rows,) int: 0 = fit, 1 = early stop, 2 = calibration, others are not for training."""
    split: Split
    notices: list[str]


def _prepared(dataset: Dataset, reader_settings: Mapping[str, Any], shares: Sequence[float], seed: int) -> _Prepared:
    """Split the rows, fit the reader on the fit rows, and make the items."""
    from ad_core.data.reader import READERS
    from ad_core.data.splitting import split_items, split_rows

    reader_class = READERS.get(READER_OF[dataset.modality])
    reader = reader_class(reader_class.Settings.parse(reader_settings, "reader"))
    row_parts = split_rows(dataset, shares, seed)
    reader.fit(dataset, row_parts == 0)
    item_set = reader.item_set(dataset)
    split, notices = split_items(item_set, row_parts, shares)
    return _Prepared(reader, item_set, row_parts, split, [*item_set.notices, *notices])


@dataclass(frozen=True)
class _Result:
    """The result of a training by any kind of method."""

    fitted: "Fitted"
    recipe: "Recipe | None" = None
    facts: dict[str, Any] = field(default_factory=dict)
    """Summary of the training of a network, as JSON."""


def _fit(method: str, kind: MethodKind, choice: Choice, fit: "Fit") -> _Result:
    """Train a recipe, a classical detector or a pretext task."""
    from ad_core.methods.recipe import Fitted
    from ad_core.training.fit import fit_reference, fit_task_model

    settings = choice.settings.get("pretext", {})
    if kind == "recipe":
        cls = recipe_class(method, fit.modality)
        recipe = cls(cls.Settings.parse(settings, "pretext"), fit.seed, fit.device)
        return _Result(recipe.fit(fit.item_set, fit.split, fit.training_rows, fit.report), recipe)
    if kind == "reference":
        return _Result(Fitted(fit_reference(method, fit, settings)))
    model, summary = fit_task_model(method, fit, scorer=choice.scorer, sections=choice.settings, preset=choice.preset)
    return _Result(Fitted(model), facts=asdict(summary))


def _detector(
    reader: "Reader", fit: "Fit", result: _Result, item_scores: np.ndarray, facts: dict[str, Any]
) -> "Detector":
    """The detector: the fitted model with its calibration, normal items and typical values."""
    from ad_core.alerts.calibration_rows import calibrated, of_items
    from ad_core.detector.detector import Detector

    fitted = result.fitted
    rows = of_items(fit.item_set, fitted.held_out or _held_out(fit.split, item_scores))
    return Detector(
        reader=reader,
        model=fitted.model,
        calibration=calibrated(rows),
        normals=_normals(fitted, fit, item_scores),
        facts=facts,
        residuals=_residuals(fitted.model, fit),
        out_of_bag=None if fitted.held_out is None else _kept_scores(fit.item_set, fitted.held_out),
        recipe=result.recipe,
        part_levels=_part_levels(fitted, fit),
        device=fit.device,
        calibration_rows=rows,
    )


def _row_scores(dataset: Dataset, detector: "Detector", data: _Prepared, item_scores: np.ndarray) -> pd.DataFrame:
    """One line per row, with `used_for` and, if there is one, `label`."""
    scores = detector.scored_rows(data.item_set, item_scores)
    parts = data.row_parts
    scores["used_for"] = np.select([parts == 0, parts == 1, parts == 2], ["fit", "early_stop", "calibration"], "")
    if "label" in dataset.rows:
        scores["label"] = dataset.rows["label"].to_numpy()
    return scores


def reference_scores(
    dataset: Dataset,
    seed: int,
    report: Report,
    names: Sequence[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Scores of the classical detectors alone: `row_id` and a column for each, and the seconds that they took.

    Args:
        names: of the detectors; None = all for this kind of data.
        settings: section -> setting -> value; only the section reader is used.
    """
    from ad_core.training.fit import Fit
    from ad_core.training.references import classical_scores

    reader = (settings or {}).get("reader", {})
    data = _prepared(dataset, reader, (1.0, 0.0, 0.0), seed)  # they need no calibration
    return classical_scores(Fit(data.item_set, data.split, seed, report=report), names)


def _item_scores(fitted: "Fitted", fit: "Fit") -> np.ndarray:
    """Scores of all items, as returned by `score_items`; training items keep their out-of-bag scores."""
    import torch

    from ad_core.training.fit import score_items

    if isinstance(fitted.model, torch.nn.Module):
        fitted.model.to(fit.device)
    held_out, item_set = fitted.held_out, fit.item_set
    if held_out is None:
        return score_items(fitted.model, item_set, np.arange(len(item_set)), device=fit.device, report=fit.report)
    rest = np.setdiff1d(np.arange(len(item_set)), held_out.items)
    scores = np.empty((len(item_set), *held_out.scores.shape[1:]), dtype=held_out.scores.dtype)
    scores[held_out.items] = held_out.scores
    if len(rest):
        scores[rest] = score_items(fitted.model, item_set, rest, device=fit.device, report=fit.report)
    return scores


def _facts(dataset: Dataset, choice: Choice, method: str, kind: str, split: Split) -> dict[str, Any]:
    """A detector's record of its data and training, as JSON."""
    return {
        "method": method,
        "kind": kind,
        "scorer": choice.scorer or ("own_score" if kind == "pretext" else None),
        **choice.model_dump(include={"preset", "seed", "training_rows", "settings"}),
        "modality": str(dataset.modality),
        "declared": as_used(dataset).model_dump(mode="json"),
        "data": {"name": dataset.name, "rows": len(dataset), "fingerprint": dataset.fingerprint},
        "split": {part: len(getattr(split, part)) for part in ("fit", "early_stop", "calibration")},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of the software that the numbers of a run depend on."""
    packages = ("torch", "numpy", "pandas", "scikit-learn", "captum")
    return {"anomaly_lens": version("anomaly-lens"), "python": platform.python_version()} | {
        p: version(p) for p in packages
    }


def _check_sections(settings: Mapping[str, Mapping[str, Any]]) -> None:
    for section in settings:
        if section not in SECTIONS:
            raise SettingsError(f"There is no section {section!r} of settings. There is: {', '.join(SECTIONS)}.")


def _held_out(split: Split, item_scores: np.ndarray) -> "HeldOut":
    """Calibration items, or for a recording too short for any the early-stop items, which no weight was fitted to."""
    from ad_core.methods.recipe import HeldOut

    chosen = split.calibration if len(split.calibration) else split.early_stop
    return HeldOut(chosen, item_scores[chosen])


def _kept_scores(item_set: ItemSet, held_out: "HeldOut") -> pd.DataFrame:
    rows = item_set.only(held_out.items).reduce(held_out.scores)
    return pd.DataFrame({"row_id": item_set.rows["row_id"], "score": rows}).dropna()


def _normals(fitted: "Fitted", fit: "Fit", item_scores: np.ndarray) -> "Normals":
    """A sample of the training items; if none is held out, of those with the lower scores."""
    import torch

    from ad_core.detector.detector import Normals
    from ad_core.training.fit import embed_items, per_item

    item_set = fit.item_set
    keep = int(max(32, min(NORMALS_KEPT, NORMALS_BYTES // (4 * item_set.shape.entries))))
    usual = fit.split.fit
    if fitted.held_out is not None:
        scores = per_item(item_scores[usual])
        usual = usual[scores <= np.quantile(scores, USUAL)]
    chosen = np.sort(np.random.default_rng(fit.seed).permutation(usual)[:keep])
    embeddings = embed_items(fitted.model, item_set, chosen, device=fit.device)
    return Normals(item_set.take(chosen), item_set.row_ids(chosen), torch.from_numpy(embeddings))


def _residuals(model: "ScoreModel", fit: "Fit") -> np.ndarray | None:
    """5 % and 95 % quantile of actual minus expected per entry, on held-out rows of a table."""
    import torch

    calibration = fit.split.calibration
    if fit.modality is not Modality.TABLE or not len(calibration):
        return None
    found = []
    with torch.no_grad():
        for batch in fit.item_set.batches(calibration[:5000], 1024):
            expected = model.expected(batch.x.to(fit.device))
            if expected is None:
                return None
            found.append((batch.x - expected.cpu()).numpy())
    return np.asarray(np.quantile(np.concatenate(found), [0.05, 0.95], axis=0), dtype=np.float32)


def _part_levels(fitted: "Fitted", fit: "Fit") -> np.ndarray | None:
    """(channel,) high quantile of the part scores of a recording's channels, on items that weren't in the fit."""
    import torch

    from ad_core.detector.leading_channels import reference_levels

    if fit.modality is not Modality.SENSOR:
        return None
    if fitted.held_out is None:
        items = fit.split.calibration if len(fit.split.calibration) else fit.split.early_stop
        return reference_levels(fitted.model, fit.item_set, items, fit.device)
    if isinstance(fitted.held_out.model, torch.nn.Module):
        model = fitted.held_out.model.to(fit.device)
        return reference_levels(model, fit.item_set, fitted.held_out.items, fit.device)
    return None


def score_item_set(detector: "Detector", item_set: ItemSet, report: Report) -> np.ndarray:
    """Scores of all items of an item set, as returned by `training.fit.score_items`."""
    from ad_core.training.fit import score_items

    return score_items(detector.model, item_set, np.arange(len(item_set)), device=detector.device, report=report)
