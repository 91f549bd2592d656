"""Metrics of a run: of the method and of the classical detectors on the same rows."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.data.recordings.rows import clock_times
from ad_core.evaluation.metrics import evaluate, evaluate_recordings
from ad_core.types import Modality

if TYPE_CHECKING:
    pass


def run_metrics(dataset: Dataset, scores: pd.DataFrame, references: pd.DataFrame | None) -> dict[str, Any]:
    """AUROC and AP where labels are known, of the method and of the references on the same rows; of recordings also
    VUS-PR and event recall.
    """
    if "label" not in scores:
        return {}
    label = scores["label"].to_numpy(dtype=np.float64)
    columns = {"method": scores["score"]}
    if references is not None:
        columns |= {name: references[name] for name in references.columns.drop("row_id")}
    if dataset.modality is Modality.SENSOR:  # what figures of ranges are worth by chance is not plain
        columns |= {
            "random scores": pd.Series(np.random.default_rng(0).random(len(scores))).where(
                scores["score"].notna().to_numpy()
            )
        }
    measured = {name: values.to_numpy(dtype=np.float64) for name, values in columns.items()}
    found = {name: evaluate(label, values) for name, values in measured.items()}
    if dataset.modality is Modality.SENSOR:
        entity, time = dataset.rows.get("entity"), clock_times(dataset.rows, dataset.schema)
        for name, values in measured.items():
            found[name] |= evaluate_recordings(label, values, recording=entity, time=time)
    return found
