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

from ad_core.data.dataset import Dataset
from ad_core.data.frame import Frame, Split
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
    "Choice", "Trained", "load_detector", "open_as", "open_dataset", "open_declared", "open_like", "reference_scores",
    "score_frame", "train", "train_all", "versions",
]  # fmt: skip

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
    frame: Frame
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
        pretext=pretext, scorer=scorer, preset=preset, seed=seed, device=device, training_rows=training_rows,
        settings={section: dict(values) for section, values in (settings or {}).items()},
    )  # fmt: skip
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
    from ad_core.training.references import compared

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
    reader, frame, row_parts, split, split_notices = _prepared(dataset, settings, choice.seed, shares)
    for notice in (*frame.notices, *split_notices):
        report.say(notice)

    report.stage("train")
    began = perf_counter()
    fitted, recipe, facts = _fit(kind, method, choice, frame, split, device, report)

    report.stage("calibrate")
    item_scores = _item_scores(fitted, frame, device, report)
    seconds = {"method": perf_counter() - began}
    rows = of_items(frame, fitted.held_out or _held_out(split, item_scores))
    detector = Detector(
        reader=reader,
        model=fitted.model,
        calibration=calibrated(rows),
        normals=_normals(fitted, frame, split, item_scores, choice.seed, device),
        facts=_facts(dataset, choice, method, kind, split)
        | {"notices": [*dataset.notices, *frame.notices, *split_notices, *facts.pop("notices", [])], "training": facts},
        residuals=_residuals(fitted.model, frame, split, device),
        out_of_bag=None if fitted.held_out is None else _kept_scores(frame, fitted.held_out),
        recipe=recipe,
        part_levels=_part_levels(fitted, frame, split, device),
        device=device,
        calibration_rows=rows,
    )

    report.stage("score")
    scores = detector.scored_rows(frame, item_scores)
    scores["used_for"] = np.select(
        [row_parts == 0, row_parts == 1, row_parts == 2], ["fit", "early_stop", "calibration"], ""
    )
    if "label" in dataset.rows:
        scores["label"] = dataset.rows["label"].to_numpy()
    table, of_references = compared(frame, split, choice.seed, report) if references else (pd.DataFrame(), {})
    return Trained(detector, frame, split, item_scores, scores, table, seconds | of_references)


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
    from ad_core.training.references import compared

    _, frame, _, split, _ = _prepared(dataset, settings or {}, seed, (1.0, 0.0, 0.0))  # they need no calibration
    return compared(frame, split, seed, report, names)


def _prepared(
    dataset: Dataset, settings: Mapping[str, Mapping[str, Any]], seed: int, shares: Sequence[float]
) -> tuple["Reader", Frame, np.ndarray, Split, list[str]]:
    """The reader fitted on the fit rows, the items, which part each row and each item belongs to, and notices."""
    from ad_core.data.reader import READERS
    from ad_core.data.splitting import split_items, split_rows

    reader_class = READERS.get(READER_OF[dataset.modality])
    reader = reader_class(reader_class.Settings.parse(settings.get("reader", {}), "reader"))
    row_parts = split_rows(dataset, shares, seed)
    reader.fit(dataset, row_parts == 0)
    frame = reader.frame(dataset)
    split, notices = split_items(frame, row_parts, shares)
    return reader, frame, row_parts, split, notices


def _item_scores(fitted: "Fitted", frame: Frame, device: Any, report: Report) -> np.ndarray:
    """Scores of all items, as `score_items` gives them; those that were scored out of the bag keep that score."""
    import torch

    from ad_core.training.fit import score_items

    if isinstance(fitted.model, torch.nn.Module):
        fitted.model.to(device)
    held_out = fitted.held_out
    if held_out is None:
        return score_items(fitted.model, frame, np.arange(len(frame)), device=device, report=report)
    rest = np.setdiff1d(np.arange(len(frame)), held_out.items)
    scores = np.empty((len(frame), *held_out.scores.shape[1:]), dtype=held_out.scores.dtype)
    scores[held_out.items] = held_out.scores
    if len(rest):
        scores[rest] = score_items(fitted.model, frame, rest, device=device, report=report)
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
    return {"anomaly_lens": version("anomaly-lens"), "python": platform.python_version()} | {
        p: version(p) for p in packages
    }


def _check_sections(settings: Mapping[str, Mapping[str, Any]]) -> None:
    for section in settings:
        if section not in SECTIONS:
            raise SettingsError(f"There is no section {section!r} of settings. There is: {', '.join(SECTIONS)}.")


def _fit(
    kind: str, method: str, choice: Choice, frame: Frame, split: Split, device: Any, report: Report
) -> tuple["Fitted", Any, dict[str, Any]]:
    """Train by whichever of the three ways; facts are what the training wants remembered."""
    from ad_core.methods.recipe import Fitted
    from ad_core.training.fit import fit_reference, fit_task_model

    if kind == "recipe":
        cls = recipe_class(method, frame.shape.modality)
        recipe = cls(cls.Settings.parse(choice.settings.get("pretext", {}), "pretext"), choice.seed, device)
        return recipe.fit(frame, split, choice.training_rows, report), recipe, {}
    if kind == "reference":
        reference = fit_reference(method, choice.settings.get("pretext", {}), frame, split, choice.seed, report)
        return Fitted(reference), None, {}
    model, summary = fit_task_model(
        method,
        choice.scorer,
        frame,
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


def _kept_scores(frame: Frame, held_out: "HeldOut") -> pd.DataFrame:
    rows = frame.only(held_out.items).reduce(held_out.scores)
    return pd.DataFrame({"row_id": frame.rows["row_id"], "score": rows}).dropna()


def _normals(
    fitted: "Fitted", frame: Frame, split: Split, item_scores: np.ndarray, seed: int, device: Any
) -> "Normals":
    """A sample of the items that taught; where all rows teach, alerts among them, of the less anomalous ones."""
    import torch

    from ad_core.detector.detector import Normals
    from ad_core.training.fit import embed_items, per_item

    keep = int(max(32, min(NORMALS_KEPT, NORMALS_BYTES // (4 * frame.shape.entries))))
    usual = split.fit
    if fitted.held_out is not None:
        scores = per_item(item_scores[usual])
        usual = usual[scores <= np.quantile(scores, USUAL)]
    chosen = np.sort(np.random.default_rng(seed).permutation(usual)[:keep])
    embeddings = embed_items(fitted.model, frame, chosen, device=device)
    return Normals(frame.take(chosen), frame.row_ids(chosen), torch.from_numpy(embeddings))


def _residuals(model: Any, frame: Frame, split: Split, device: Any) -> np.ndarray | None:
    """5 % and 95 % quantile of actual minus expected per entry, on held-out rows of a table."""
    import torch

    if frame.shape.modality is not Modality.TABLE or not len(split.calibration):
        return None
    found = []
    with torch.no_grad():
        for batch in frame.batches(split.calibration[:5000], 1024):
            expected = model.expected(batch.x.to(device))
            if expected is None:
                return None
            found.append((batch.x - expected.cpu()).numpy())
    return np.asarray(np.quantile(np.concatenate(found), [0.05, 0.95], axis=0), dtype=np.float32)


def _part_levels(fitted: "Fitted", frame: Frame, split: Split, device: Any) -> np.ndarray | None:
    """(channel,) what part scores of a recording's channels usually reach, by a model that was not fitted to them."""
    import torch

    from ad_core.detector.leading_channels import usual_levels

    if frame.shape.modality is not Modality.SENSOR:
        return None
    if fitted.held_out is None:
        return usual_levels(
            fitted.model, frame, split.calibration if len(split.calibration) else split.early_stop, device
        )
    if isinstance(fitted.held_out.model, torch.nn.Module):
        return usual_levels(fitted.held_out.model.to(device), frame, fitted.held_out.items, device)
    return None


def score_frame(detector: "Detector", frame: Frame, report: Report) -> np.ndarray:
    """Scores of all items of a frame, as `training.score_items` gives them."""
    from ad_core.training.fit import score_items

    return score_items(detector.model, frame, np.arange(len(frame)), device=detector.device, report=report)
