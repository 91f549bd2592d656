"""Open, profile, split, fit, calibrate and score: the entry points for jobs, the command line and Python."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core import __version__
from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet, Split
from ad_core.data.opening import as_used, open_as, open_dataset, open_declared
from ad_core.data.reader import READER_OF
from ad_core.errors import DataError
from ad_core.progress import Report, Silent
from ad_core.training.catalogue import recipe_class
from ad_core.training.choice import Choice, method_of
from ad_core.types import MethodKind, Modality, TrainingRows

if TYPE_CHECKING:
    from ad_core.data.reader import Reader
    from ad_core.detector.detector import Detector
    from ad_core.detector.info import DetectorInfo

__all__ = [
    "Choice",
    "Trained",
    "load_detector",
    "open_as",
    "open_dataset",
    "open_declared",
    "open_like",
    "reference_scores",
    "train",
    "train_all",
    "versions",
]


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
    trim_calibration: bool | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    report: Report | None = None,
) -> "Detector":
    """Train a detector on the training rows of a data set.

    Args:
        pretext: a pretext task, classical detector or recipe; None = the default for this kind of data.
        training_rows: what you know of the training rows: "clean", "mixed" (may hold anomalies) or "unsure".
        trim_calibration: whether calibration rows that are taken for anomalies are left out of the calibration, see
            `ad_core.alerts.trimming`; None = where the training rows are "mixed".
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
        trim_calibration=trim_calibration,
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


def open_like(
    detector: "Detector", sources: Any, also: Mapping[str, Any] | None = None, *, allow_missing: bool = False
) -> Dataset:
    """`Detector.open`, as a function."""
    return detector.open(sources, also, allow_missing=allow_missing)


def train_all(dataset: Dataset, choice: Choice, report: Report, *, references: bool = True) -> Trained:
    """`train`, with the scores of all rows by the detector and by the classical detectors.

    Args:
        references: whether the classical detectors are run; a comparison of many methods needs them only once.
    """
    from ad_core.alerts.guarantee_words import trimmed_in_words
    from ad_core.data.label_questions import refuse_undecided
    from ad_core.data.profiling import profile
    from ad_core.detector.assembly import assembled, scores_of_all, watched_too
    from ad_core.training.by_method import fit_method
    from ad_core.training.fit import Fit, choose_device
    from ad_core.training.references import classical_scores

    method, kind = method_of(choice, dataset.modality)
    device = choose_device(choice.device)

    report.stage("profile")
    refuse_undecided(dataset, "python")
    if blockers := profile(dataset).blockers:
        raise DataError(" ".join(blockers))

    report.stage("split")
    data = _prepared(dataset, *_settings_and_shares(method, kind, choice, dataset.modality), choice.seed)
    for notice in data.notices:
        report.say(notice)
    fit = Fit(data.item_set.learnt(), data.split, choice.seed, device, report, choice.training_rows)

    report.stage("train")
    began = perf_counter()
    result = fit_method(method, kind, choice, fit)

    report.say(dataset.report().summary)

    report.stage("calibrate")
    item_scores = scores_of_all(result.fitted, fit)
    whole = replace(fit, item_set=data.item_set)
    result, item_scores = watched_too(result, whole, item_scores)
    seconds = {"method": perf_counter() - began}
    info = _info(dataset, choice, data, result.facts)
    trims = choice.training_rows == "mixed" if choice.trim_calibration is None else choice.trim_calibration
    detector = assembled(dataset, (data.reader, whole), result, item_scores, info, trims=trims)
    if sentence := trimmed_in_words(detector.calibration):
        report.say(sentence)

    report.stage("score")
    scores = _row_scores(dataset, detector, data, item_scores)
    table, of_references = classical_scores(fit) if references else (pd.DataFrame(), {})
    return Trained(detector, data.item_set, data.split, item_scores, scores, table, seconds | of_references)


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
    return classical_scores(Fit(data.item_set.learnt(), data.split, seed, report=report), names)


def _info(dataset: Dataset, choice: Choice, data: _Prepared, training: Mapping[str, Any]) -> "DetectorInfo":
    """A detector's record of its data and training.

    Args:
        training: the summary of the training, with `notices` of its own.
    """
    from ad_core.detector.info import DetectorInfo, SplitSizes, TrainingData

    method, kind = method_of(choice, dataset.modality)
    split = data.split
    return DetectorInfo(
        method=method,
        kind=kind,
        scorer=choice.scorer or ("own_score" if kind == "pretext" else None),
        preset=choice.preset,
        seed=choice.seed,
        training_rows=choice.training_rows,
        settings=choice.settings,
        modality=dataset.modality,
        declared=as_used(dataset),
        data=TrainingData(name=dataset.name, rows=len(dataset), fingerprint=dataset.fingerprint),
        split=SplitSizes(fit=len(split.fit), early_stop=len(split.early_stop), calibration=len(split.calibration)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions(),
        notices=(*dataset.notices, *data.notices, *training.get("notices", ())),
        training={name: value for name, value in training.items() if name != "notices"},
    )


def versions() -> dict[str, str]:
    """Versions of the software that the numbers of a run depend on."""
    packages = ("torch", "numpy", "pandas", "scikit-learn", "captum")
    return {"anomaly_lens": __version__, "python": platform.python_version()} | {p: version(p) for p in packages}
