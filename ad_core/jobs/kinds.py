"""What each kind of job does: train, score a new file, explain some rows, recommend a method, test whether alerts are
stable, score edited rows, find what would make a case normal.
Results are published as soon as they exist.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core import pipeline
from ad_core.alerts.threshold import apply_or_without_segment
from ad_core.data.dataset import Dataset
from ad_core.data.item_set import ItemSet
from ad_core.detector.drift import gate
from ad_core.detector.events import event_rule, find_events
from ad_core.errors import AdError, DamagedError
from ad_core.evaluation.mask_metrics import mask_metrics
from ad_core.evaluation.of_run import run_metrics
from ad_core.explain.anomaly_maps import anomaly_maps, heat_scale
from ad_core.explain.attribution import How, methods_for
from ad_core.explain.describe import Explained
from ad_core.explain.explain import explain_items, explain_rows, highest_rows, items_of_rows
from ad_core.jobs.change_jobs import counterfactual_job, what_if_job
from ad_core.jobs.inputs import of_parent, parent_detector, stored_dataset, training_dataset
from ad_core.jobs.sensitivity import SHARES, sensitivity
from ad_core.progress import Report
from ad_core.projection.of_detector import embedding_map
from ad_core.projection.sprite_sheet import write_sheet
from ad_core.storage import results
from ad_core.training.fit import per_item
from ad_core.training.selection.recommend import recommend
from ad_core.types import Modality

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector
    from ad_core.storage.store import RunRecord, Store

EXPLAINED = {Modality.TABLE: 100, Modality.IMAGE: 24, Modality.SENSOR: 20}
"""Number of rows, images, or events of recordings that are explained within the job; the rest on demand."""

MAP_POINTS = 500_000
"""Maximum number of items on the map; of more, a seeded sample with all of the highest scores. The page says so."""


@dataclass(frozen=True)
class ScoredRun:
    """A run whose rows have just been scored, and what is published of it."""

    folder: Path
    detector: "Detector"
    dataset: Dataset
    item_set: ItemSet
    item_scores: np.ndarray
    """As `training.score_items` gives them."""
    scores: pd.DataFrame
    """One line per row, with `used_for`."""
    facts: dict[str, Any]
    """The summary of the run; it grows while the job works."""


def run_job(store: "Store", run_id: str, report: Report) -> dict[str, Any]:
    """Do the work of a run, by its kind.

    Returns:
        Facts for the run's summary.
    """
    run = store.run(run_id)
    work = {
        "train": train_job,
        "score": score_job,
        "explain": explain_job,
        "recommend": recommend_job,
        "sensitivity": sensitivity_job,
        "masks": masks_job,
        "whatif": what_if_job,
        "counterfactual": counterfactual_job,
    }[run.kind]
    return work(store, run, report)


def train_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Train; publish scores; then the map; then the explanations."""
    folder = store.folder(run.id)
    report.stage("load")
    dataset = stored_dataset(store, run.dataset_id)
    for notice in dataset.notices:
        report.say(notice)
    trained = pipeline.train_all(dataset, pipeline.Choice.model_validate(run.config), report)
    detector = trained.detector
    detector.save(folder / "bundle")
    facts = {**detector.info.to_facts(), "calibration": detector.calibration.facts()}
    facts["explanation_methods"] = methods_for(detector.model)
    facts["evaluation"] = run_metrics(dataset, trained.scores, trained.references)
    scored = ScoredRun(folder, detector, dataset, trained.item_set, trained.item_scores, trained.scores, facts)
    events = _publish_scores(scored, report)
    results.publish(folder, "references", trained.references)
    if (scale := heat_scale(detector, trained.item_set, report)) is not None:
        facts["heat_scale"] = scale.model_dump()
    _map(scored, report)
    _explain_highest(scored, events, report)
    return facts


def score_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Score a new data set with the detector of the parent run."""
    folder = store.folder(run.id)
    report.stage("load")
    detector = parent_detector(store, run)
    record = store.dataset(run.dataset_id)
    dataset = pipeline.open_like(detector, list(record.sources), record.declared)
    matches = detector.match(dataset)
    for sentence in (*dataset.notices, *matches):
        report.say(sentence)
    report.stage("score")
    item_set = detector.matched_items(dataset)
    item_scores = detector.item_scores(item_set, report)
    scores = detector.scored_rows(item_set, item_scores)
    scores["used_for"] = np.where(detector.used_in_training(scores, dataset), "fit", "")
    if "label" in dataset.rows:
        scores["label"] = dataset.rows["label"].to_numpy()
    facts = {
        "modality": str(detector.modality),
        "method": detector.info.method,
        "matches": matches,
        "notices": list(dataset.notices),
        "calibration": detector.calibration.facts(),
        "evaluation": run_metrics(dataset, scores, None),
    }
    trained = None if detector.histograms is not None else _training_data(store, run, report)
    compared = gate(detector, dataset, scores, item_set, trained)
    report.say(compared.sentence)
    facts["drift"], scores["withdrawn"] = compared.facts(), compared.withdrawn
    scored = ScoredRun(folder, detector, dataset, item_set, item_scores, scores, facts)
    events = _publish_scores(scored, report)
    _map(scored, report)
    _explain_highest(scored, events, report)
    return facts


def explain_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Explain the rows that the config names; the results are added to those of the run that scored them."""
    report.stage("load")
    scored, detector, dataset = of_parent(store, run)
    report.stage("explain")
    how = How(run.config.get("method"), run.config.get("baseline", "nearest"))
    explained = explain_rows(detector, dataset, list(run.config["row_ids"]), how, report)
    add_explanations(store.folder(scored.id), explained, report)
    return {"row_ids": run.config["row_ids"]}


def recommend_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Try every suitable method briefly on synthetic anomalies; the config holds the arguments of `recommend`."""
    report.stage("load")
    recommendation = recommend(stored_dataset(store, run.dataset_id), **run.config, report=report)
    return {"recommendation": recommendation.model_dump(mode="json")}


def sensitivity_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Train the parent's detector again without suspicious rows; the ranks are added to the parent's results."""
    training = results.detector_run(store, run.parent or "")
    report.stage("load")
    dataset = training_dataset(store, training.id)
    ranks = sensitivity(dataset, pipeline.Choice.model_validate(training.config), report)
    results.publish(store.folder(training.id), "sensitivity", ranks)
    return {"trainings": len(SHARES)}


def masks_job(store: "Store", run: "RunRecord", report: Report) -> dict[str, Any]:
    """Compare the anomaly maps of all images of the parent with the masks in the folder that the config names."""
    report.stage("load")
    scored, detector, dataset = of_parent(store, run)
    report.stage("score")
    rows = dataset.rows
    labels = dict(zip(rows["row_id"], rows["label"].astype(float), strict=True)) if "label" in rows else None
    metrics = mask_metrics(anomaly_maps(detector, dataset, report), Path(run.config["masks"]), labels)
    results.publish(store.folder(scored.id), "masks", metrics.images)
    return {"masks": metrics.facts()}


def add_explanations(folder: Path, explained: Explained, report: Report) -> None:
    """Add new explanations to those of a run; those of a row that is explained again are replaced."""
    for name, new in (
        ("explanations", explained.parts),
        ("neighbours", explained.neighbours),
        ("checks", explained.checks),
    ):
        try:
            old = results.table(folder, name)
        except DamagedError as error:
            report.say(f"{error} The explanations of other rows in it are gone.")
            old = None
        if old is not None and len(old) and len(new):
            new = pd.concat([old[~old["row_id"].isin(new["row_id"].unique())], new], ignore_index=True)
        results.publish(folder, name, new)
    for row_id, values in explained.maps.items():
        results.keep_map(folder, row_id, values)
    for row_id, window in explained.windows.items():
        results.keep_window(folder, row_id, window)


def _training_data(store: "Store", run: "RunRecord", report: Report) -> Dataset | None:
    """The data that the parent's detector was trained on, for bundles without histograms; None for images, and where
    they can't be opened any more.
    """
    if store.dataset(run.dataset_id).modality == Modality.IMAGE:
        return None
    try:
        return training_dataset(store, results.detector_run(store, run.id).id)
    except AdError as error:
        report.say(f"No column is compared, since the training data can't be opened: {error}")
        return None


def _publish_scores(run: ScoredRun, report: Report) -> pd.DataFrame | None:
    """Publish the scores, and of recordings before them the events by the rule in force, which are returned."""
    detector, events = run.detector, None
    if detector.modality is Modality.SENSOR:
        alerts, problem = apply_or_without_segment(
            detector.rule, run.scores, detector.calibration, detector.calibration_rows
        )
        if problem:
            report.say(f"Events are made with one threshold for all recordings. {problem}")
        run.facts["events"] = event_rule(detector, run.item_set, alerts.rule)
        events = find_events(detector, run.scores, run.item_set, alerts)
        results.publish(run.folder, "events", events)
    _summarise(run)
    results.publish(run.folder, "scores", run.scores)
    return events


def _summarise(run: ScoredRun) -> None:
    results.summarise(run.folder, run.facts)


def _map(run: ScoredRun, report: Report) -> None:
    report.stage("map")
    placed, trust = embedding_map(run.detector, run.item_set, run.item_scores, MAP_POINTS, report)
    run.facts["map"] = trust
    _summarise(run)
    if run.detector.modality is Modality.IMAGE:
        write_sheet(run.folder, placed, run.dataset, report)
    results.publish(run.folder, "map", placed)


def _explain_highest(run: ScoredRun, events: pd.DataFrame | None, report: Report) -> None:
    report.stage("explain")
    row_ids = highest_rows(run.scores, events, EXPLAINED[run.detector.modality])
    items = items_of_rows(run.item_set, row_ids, per_item(run.item_scores))
    found = explain_items(run.detector, run.dataset, run.item_set, items, row_ids, How(), report)
    add_explanations(run.folder, found, report)
