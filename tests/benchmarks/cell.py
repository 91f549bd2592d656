"""One cell of the benchmark: train, score, judge, write the figures as JSON lines."""

import json
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from ad_core.data.dataset import Dataset
from ad_core.data.recordings.rows import clock_times
from ad_core.errors import DataError
from ad_core.evaluation.metrics import evaluate_recordings
from ad_core.pipeline import reference_scores, train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice
from ad_core.types import Modality
from tests.benchmarks.cases import RANDOM, REFERENCES, VARIANTS, Cell, opened
from tests.benchmarks.causal import without_look_ahead
from tests.benchmarks.images import of_references, of_trained, pixel_figures


def measure(cell: Cell, data: Path, preset: str, out: Path) -> None:
    """Run one cell and write a line per method."""
    dataset, judged = opened(data, cell, Path(tempfile.gettempdir()) / "anomaly-lens-bench")
    if cell.modality == "image" and cell.method != RANDOM:
        out.write_text("\n".join(map(json.dumps, _of_images(cell, dataset, judged, data, preset))))
        return
    if cell.method == RANDOM:
        seconds = {RANDOM: 0.0}
        by_chance = np.random.default_rng([cell.seed, crc32(cell.name.encode())])  # else all sets would share one draw
        found = {RANDOM: by_chance.random(len(dataset))}
    elif cell.method == REFERENCES:
        table, seconds = reference_scores(dataset, cell.seed, Silent())
        found = {name: table[name].to_numpy(dtype=float) for name in seconds}
        if cell.modality == "sensor":
            found["mahalanobis_64"], seconds["mahalanobis_64"] = _on_short_windows(dataset, cell.seed, table, seconds)
    else:
        choice = Choice(pretext=cell.method, preset=preset, seed=cell.seed, training_rows=cell.declared)
        began = perf_counter()
        trained = train_all(dataset, choice, Silent(), references=False)
        seconds = {cell.method: trained.seconds["method"], "whole": perf_counter() - began}
        found = {cell.method: trained.scores["score"].to_numpy(dtype=float)}
        if cell.modality == "sensor":
            found[f"{cell.method}, causal"] = without_look_ahead(trained.item_set, trained.item_scores)
            seconds[f"{cell.method}, causal"] = trained.seconds["method"]
    lines = [{"method": name, **figures(dataset, scores, judged, seconds[name])} for name, scores in found.items()]
    out.write_text("\n".join(map(json.dumps, lines)))


def _of_images(cell: Cell, dataset: Dataset, judged: np.ndarray, data: Path, preset: str) -> list[dict[str, Any]]:
    """A line per method, with figures of its map where it has one and the set has masks."""
    if cell.method == REFERENCES:
        found, seconds = of_references(dataset, judged, cell.seed)
    else:
        settings = {"pretext": VARIANTS.get(cell.method, {})}
        method = "balanced" if cell.method in VARIANTS else cell.method
        choice = Choice(pretext=method, preset=preset, seed=cell.seed, training_rows=cell.declared, settings=settings)
        trained = train_all(dataset, choice, Silent(), references=False)
        found = of_trained(cell.method, trained, judged)
        seconds = dict.fromkeys(found, trained.seconds["method"])
    lines = []
    for name, (scores, maps) in found.items():
        line = {"method": name, **figures(dataset, scores, judged, seconds[name])}
        if maps is not None:
            line |= {
                k: round(v, 5) for k, v in pixel_figures(dataset, judged, maps, data / "image" / cell.name).items()
            }
        lines.append(line)
    return lines


def _on_short_windows(
    dataset: Dataset, seed: int, usual: pd.DataFrame, seconds: dict[str, float]
) -> tuple[np.ndarray, float]:
    """Mahalanobis on windows of 64, which suit some series better, or on the normal ones where none fits."""
    try:
        table, took = reference_scores(dataset, seed, Silent(), ["mahalanobis"], {"reader": {"window": 64}})
    except DataError:
        table, took = usual, seconds
    return table["mahalanobis"].to_numpy(dtype=float), took["mahalanobis"]


def figures(dataset: Dataset, scores: np.ndarray, judged: np.ndarray, seconds: float) -> dict[str, Any]:
    """AUROC and AP on the rows that are judged; of recordings also VUS-PR and the share of events found."""
    label = dataset.rows["label"].to_numpy(dtype=float)
    judged = judged & np.isfinite(scores) & np.isfinite(label)
    found = {
        "auroc": float(roc_auc_score(label[judged], scores[judged])),
        "ap": float(average_precision_score(label[judged], scores[judged])),
        "base_rate": float(label[judged].mean()),
    }
    if dataset.modality is Modality.SENSOR:
        times = clock_times(dataset.rows, dataset.schema)
        ranges = evaluate_recordings(label[judged], scores[judged], time=None if times is None else times[judged])
        found |= {name: ranges[name] for name in ("vus_pr", "event_recall")}
    rounded = {name: round(value, 5) for name, value in found.items()}
    return {**rounded, "rows": int(judged.sum()), "seconds": round(seconds, 3)}
