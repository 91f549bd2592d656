"""Open -> profile -> split -> fit -> calibrate -> score: what a job, the command line and Python call."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from ad_core import __version__
from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet, Split
from ad_core.data.opening import as_used, open_as, open_dataset, open_declared
from ad_core.data.reader import READER_OF
from ad_core.errors import DataError, MethodError, SettingsError
from ad_core.progress import Report, Silent
from ad_core.settings import SECTIONS
from ad_core.training.catalogue import DEFAULT_METHOD, kind_of, recipe_class
from ad_core.types import Modality, TrainingRows

if TYPE_CHECKING:
    from ad_core.data.reader import Reader
    from ad_core.detector.detector import Detector, Normals
    from ad_core.methods.recipe import Fitted, HeldOut

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
"""Share of the items, the least anomalous ones, that can be a normal to compare with where all items teach."""

NORMALS_KEPT, NORMALS_BYTES = 512, 32 * 2**20
"""At most so many items, and so many bytes of them, stay with a detector for neighbours and baselines."""


class Choice(BaseModel):
    """What the user chose for a training; the same fields in the app, on the command line and in a run's config."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pretext: str | None = None
    """A pretext task, a reference or a recipe; None = the default for this kind of data."""
    scorer: str | None = None
    preset: str = "standard"
    seed: int = 0
    device: str = "auto"
    training_rows: TrainingRows = "unsure"
    settings: dict[str, dict[str, Any]] = {}
    """Section -> setting -> value; sections are reader, training, pretext, encoder, scorer."""


@dataclass
class Trained:
    """A detector with what its training left behind, so that nothing has to be computed twice."""

    detector: "Detector"
    item_set: ItemSet
    split: Split
    item_scores: np.ndarray
    """As `training.score_items` gives them."""
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
    """Train a detector on the rows of a data set that may teach.

    Args:
        pretext: a pretext task, reference or recipe; None = the default for this kind of data.
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
        also: what was declared of the new data themselves; their label and their entity column count.

    Raises:
        DataError: the data can't be read, or are of another kind than the detector's.
    """
    return open_as(detector.facts["declared"], sources, also)


def train_all(dataset: Dataset, choice: Choice, report: Report, *, references: bool = True) -> Trained:
    """`train`, with the scores of all rows and of the classical references from the same run.

    Args:
        references: whether the classical detectors are run too; a comparison of many methods needs them once.
    """
    from ad_core.alerts.calibration_rows import calibrated, of_items
    from ad_core.data.profiling import profile
    from ad_core.data.splitting import SHARES
    from ad_core.detector.detector import Detector
    from ad_core.training.fit import choose_device
    from ad_core.training.references import classical_scores

    _check_sections(choice.settings)
    method = choice.pretext or DEFAULT_METHOD
    kind = kind_of(method, dataset.modality)
    if choice.scorer and kind != "pretext":
        raise MethodError(f"{method!r} scores by itself: leave --scorer out, or choose a pretext task.")
    if kind != "pretext" and (unused := [s for s in ("training", "encoder", "scorer") if choice.settings.get(s)]):
        raise SettingsError(
            f"{method!r} trains no network: it takes no settings of {' and '.join(unused)}. Leave them out, or choose "
            f"a pretext task."
        )
    device = choose_device(choice.device)

    report.stage("profile")
    if blockers := profile(dataset).blockers:
        raise DataError(" ".join(blockers))

    report.stage("split")
    shares, settings = SHARES, choice.settings
    if kind == "recipe":
        recipe_type = recipe_class(method, dataset.modality)
        shares = recipe_type.shares
        settings = {**settings, "reader": {**recipe_type.reader_defaults, **settings.get("reader", {})}}
    reader, item_set, row_parts, split, split_notices = _prepared(dataset, settings, choice.seed, shares)
    for notice in (*item_set.notices, *split_notices):
        report.say(notice)

    report.stage("train")
    began = perf_counter()
    fitted, recipe, facts = _fit(kind, method, choice, item_set, split, device, report)

    report.stage("calibrate")
    item_scores = _item_scores(fitted, item_set, device, report)
    seconds = {"method": perf_counter() - began}
    rows = of_items(item_set, fitted.held_out or _held_out(split, item_scores))
    detector = Detector(
        reader=reader,
        model=fitted.model,
        calibration=calibrated(rows),
        normals=_normals(fitted, item_set, split, item_scores, choice.seed, device),
        facts=_facts(dataset, choice, method, kind, split)
        | {
            "notices": [*dataset.notices, *item_set.notices, *split_notices, *facts.pop("notices", [])],
            "training": facts,
        },
        residuals=_residuals(fitted.model, item_set, split, device),
        out_of_bag=None if fitted.held_out is None else _kept_scores(item_set, fitted.held_out),
        recipe=recipe,
        part_levels=_part_levels(fitted, item_set, split, device),
        device=device,
        calibration_rows=rows,
    )

    report.stage("score")
    scores = detector.scored_rows(item_set, item_scores)
    scores["used_for"] = np.select(
        [row_parts == 0, row_parts == 1, row_parts == 2], ["fit", "early_stop", "calibration"], ""
    )
    if "label" in dataset.rows:
        scores["label"] = dataset.rows["label"].to_numpy()
    table, of_references = (
        classical_scores(item_set, split, choice.seed, report) if references else (pd.DataFrame(), {})
    )
    return Trained(detector, item_set, split, item_scores, scores, table, seconds | of_references)


def reference_scores(
    dataset: Dataset,
    seed: int,
    report: Report,
    names: Sequence[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """The classical detectors alone: `row_id` and a score column for each, and the seconds that they took.

    Args:
        names: which ones; None = all that a run of this kind of data is shown beside.
        settings: section -> setting -> value; only the section reader is looked at.
    """
    from ad_core.training.references import classical_scores

    _, item_set, _, split, _ = _prepared(dataset, settings or {}, seed, (1.0, 0.0, 0.0))  # they need no calibration
    return classical_scores(item_set, split, seed, report, names)


def _prepared(
    dataset: Dataset, settings: Mapping[str, Mapping[str, Any]], seed: int, shares: Sequence[float]
) -> tuple["Reader", ItemSet, np.ndarray, Split, list[str]]:
    """The reader fitted on the fit rows, the items, which part each row and each item belongs to, and notices."""
    from ad_core.data.reader import READERS
    from ad_core.data.splitting import split_items, split_rows

    reader_class = READERS.get(READER_OF[dataset.modality])
    reader = reader_class(reader_class.Settings.parse(settings.get("reader", {}), "reader"))
    row_parts = split_rows(dataset, shares, seed)
    reader.fit(dataset, row_parts == 0)
    item_set = reader.item_set(dataset)
    split, notices = split_items(item_set, row_parts, shares)
    return reader, item_set, row_parts, split, notices


def _item_scores(fitted: "Fitted", item_set: ItemSet, device: Any, report: Report) -> np.ndarray:
    """Scores of all items, as `score_items` gives them; those that were scored out of the bag keep that score."""
    import torch

    from ad_core.training.fit import score_items

    if isinstance(fitted.model, torch.nn.Module):
        fitted.model.to(device)
    held_out = fitted.held_out
    if held_out is None:
        return score_items(fitted.model, item_set, np.arange(len(item_set)), device=device, report=report)
    rest = np.setdiff1d(np.arange(len(item_set)), held_out.items)
    scores = np.empty((len(item_set), *held_out.scores.shape[1:]), dtype=held_out.scores.dtype)
    scores[held_out.items] = held_out.scores
    if len(rest):
        scores[rest] = score_items(fitted.model, item_set, rest, device=device, report=report)
    return scores


def _facts(dataset: Dataset, choice: Choice, method: str, kind: str, split: Split) -> dict[str, Any]:
    """What a detector remembers of how it came about; JSON-able."""
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
    """What the numbers of a run depend on."""
    packages = ("torch", "numpy", "pandas", "scikit-learn", "captum")
    return {"anomaly_lens": __version__, "python": platform.python_version()} | {p: version(p) for p in packages}


def _check_sections(settings: Mapping[str, Mapping[str, Any]]) -> None:
    for section in settings:
        if section not in SECTIONS:
            raise SettingsError(f"There is no section {section!r} of settings. There is: {', '.join(SECTIONS)}.")


def _fit(
    kind: str, method: str, choice: Choice, item_set: ItemSet, split: Split, device: Any, report: Report
) -> tuple["Fitted", Any, dict[str, Any]]:
    """Train by whichever of the three ways; facts are what the training wants remembered."""
    from ad_core.methods.recipe import Fitted
    from ad_core.training.fit import fit_reference, fit_task_model

    if kind == "recipe":
        cls = recipe_class(method, item_set.shape.modality)
        recipe = cls(cls.Settings.parse(choice.settings.get("pretext", {}), "pretext"), choice.seed, device)
        return recipe.fit(item_set, split, choice.training_rows, report), recipe, {}
    if kind == "reference":
        reference = fit_reference(method, choice.settings.get("pretext", {}), item_set, split, choice.seed, report)
        return Fitted(reference), None, {}
    model, summary = fit_task_model(
        method,
        choice.scorer,
        item_set,
        split,
        choice.settings,
        choice.preset,
        device,
        choice.seed,
        report,
        choice.training_rows,
    )
    return Fitted(model), None, asdict(summary) if is_dataclass(summary) else {}


def _held_out(split: Split, item_scores: np.ndarray) -> "HeldOut":
    """Calibration items; where a recording is too short for any, the early-stop items: no weight was fitted to them."""
    from ad_core.methods.recipe import HeldOut

    chosen = split.calibration if len(split.calibration) else split.early_stop
    return HeldOut(chosen, item_scores[chosen])


def _kept_scores(item_set: ItemSet, held_out: "HeldOut") -> pd.DataFrame:
    rows = item_set.only(held_out.items).reduce(held_out.scores)
    return pd.DataFrame({"row_id": item_set.rows["row_id"], "score": rows}).dropna()


def _normals(
    fitted: "Fitted", item_set: ItemSet, split: Split, item_scores: np.ndarray, seed: int, device: Any
) -> "Normals":
    """A sample of the training items; where all rows teach, alerts among them, of the less anomalous ones."""
    import torch

    from ad_core.detector.detector import Normals
    from ad_core.training.fit import embed_items, per_item

    keep = int(max(32, min(NORMALS_KEPT, NORMALS_BYTES // (4 * item_set.shape.entries))))
    usual = split.fit
    if fitted.held_out is not None:
        scores = per_item(item_scores[usual])
        usual = usual[scores <= np.quantile(scores, USUAL)]
    chosen = np.sort(np.random.default_rng(seed).permutation(usual)[:keep])
    embeddings = embed_items(fitted.model, item_set, chosen, device=device)
    return Normals(item_set.take(chosen), item_set.row_ids(chosen), torch.from_numpy(embeddings))


def _residuals(model: Any, item_set: ItemSet, split: Split, device: Any) -> np.ndarray | None:
    """5 % and 95 % quantile of actual minus expected per entry, on held-out rows of a table."""
    import torch

    if item_set.shape.modality is not Modality.TABLE or not len(split.calibration):
        return None
    found = []
    with torch.no_grad():
        for batch in item_set.batches(split.calibration[:5000], 1024):
            expected = model.expected(batch.x.to(device))
            if expected is None:
                return None
            found.append((batch.x - expected.cpu()).numpy())
    return np.asarray(np.quantile(np.concatenate(found), [0.05, 0.95], axis=0), dtype=np.float32)


def _part_levels(fitted: "Fitted", item_set: ItemSet, split: Split, device: Any) -> np.ndarray | None:
    """(channel,) what part scores of a recording's channels usually reach, by a model that was not fitted to them."""
    import torch

    from ad_core.detector.leading_channels import reference_levels

    if item_set.shape.modality is not Modality.SENSOR:
        return None
    if fitted.held_out is None:
        return reference_levels(
            fitted.model, item_set, split.calibration if len(split.calibration) else split.early_stop, device
        )
    if isinstance(fitted.held_out.model, torch.nn.Module):
        return reference_levels(fitted.held_out.model.to(device), item_set, fitted.held_out.items, device)
    return None


def score_item_set(detector: "Detector", item_set: ItemSet, report: Report) -> np.ndarray:
    """Scores of all items of an item set, as `training.score_items` gives them."""
    from ad_core.training.fit import score_items

    return score_items(detector.model, item_set, np.arange(len(item_set)), device=detector.device, report=report)
