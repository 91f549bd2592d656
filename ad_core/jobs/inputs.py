"""The inputs of jobs: stored data sets, opened as the user declared them, and the detector of a run."""

from typing import TYPE_CHECKING

from ad_core import pipeline
from ad_core.data.dataset import Dataset, Declared
from ad_core.data.opening import as_trained
from ad_core.storage import results

if TYPE_CHECKING:
    from ad_core.detector.detector import Detector
    from ad_core.storage.store import RunRecord, Store


def stored_dataset(store: "Store", dataset_id: str) -> Dataset:
    """A data set of the store, opened as the user declared it."""
    record = store.dataset(dataset_id)
    return pipeline.open_declared(list(record.sources), Declared.model_validate(record.declared))


def training_dataset(store: "Store", training_id: str) -> Dataset:
    """The data set of a training run, with the columns that it was trained on.

    A later version may take other columns as features, for example since it recognises more labels.
    """
    dataset = stored_dataset(store, store.run(training_id).dataset_id)
    return as_trained(dataset, results.summary(store.folder(training_id)).get("declared"))


def parent_detector(store: "Store", run: "RunRecord") -> "Detector":
    """The detector of the training run behind a run."""
    training = results.detector_run(store, run.id)
    return pipeline.load_detector(store.folder(training.id) / "bundle")


def of_parent(store: "Store", run: "RunRecord") -> tuple["RunRecord", "Detector", Dataset]:
    """The run to whose results a job adds, that run's detector, and the rows that it scored."""
    scored, detector = store.run(run.parent or ""), parent_detector(store, run)
    return scored, detector, scored_dataset(store, scored, detector)


def scored_dataset(store: "Store", scored: "RunRecord", detector: "Detector") -> Dataset:
    """The rows that a run scored, opened in the same way."""
    if scored.kind == "train":
        return training_dataset(store, scored.id)
    record = store.dataset(scored.dataset_id)
    return pipeline.open_like(detector, list(record.sources), record.declared)
