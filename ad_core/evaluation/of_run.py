"""Metrics of a run: its method and the classical detectors on the same rows."""

from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.data.recordings.rows import clock_times
from ad_core.evaluation.metrics import evaluate, evaluate_recordings
from ad_core.types import Modality


def run_metrics(dataset: Dataset, scores: pd.DataFrame, references: pd.DataFrame | None) -> dict[str, Any]:
    """AUROC and average precision of the method and of the classical detectors; {} without labels.

    For recordings also VUS-PR and event recall, and the metrics of random scores: those metrics have no fixed value for
    random scores with which they could be compared.

    Args:
        references: `row_id` and one score column per classical detector; None = there are none.
    """
    if "label" not in scores:
        return {}
    label = scores["label"].to_numpy(dtype=np.float64)
    columns = {"method": scores["score"]}
    if references is not None:
        columns |= {name: references[name] for name in references.columns.drop("row_id")}
    if dataset.modality is Modality.SENSOR:
        random = pd.Series(np.random.default_rng(0).random(len(scores)))
        columns |= {"random scores": random.where(scores["score"].notna().to_numpy())}
    arrays = {name: values.to_numpy(dtype=np.float64) for name, values in columns.items()}
    metrics = {name: evaluate(label, values) for name, values in arrays.items()}
    if dataset.modality is Modality.SENSOR:
        entity, time = dataset.rows.get("entity"), clock_times(dataset.rows, dataset.schema)
        for name, values in arrays.items():
            metrics[name] |= evaluate_recordings(label, values, recording=entity, time=time)
    return metrics
