"""One cell of the benchmark: train, score, judge, write the figures as JSON lines."""

import json
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from ad_core.pipeline import Choice, reference_scores, train_all
from ad_core.progress import Silent
from tests.benchmarks.cases import REFERENCES, Cell, opened


def measure(cell: Cell, data: Path, preset: str, out: Path) -> None:
    """Run one cell and write a line per method."""
    dataset, judged = opened(data, cell, Path(tempfile.gettempdir()) / "anomaly-lens-bench")
    label = dataset.rows["label"].to_numpy(dtype=float)
    if cell.method == REFERENCES:
        table, seconds = reference_scores(dataset, cell.seed, Silent())
        found = {name: table[name].to_numpy(dtype=float) for name in seconds}
    else:
        choice = Choice(pretext=cell.method, preset=preset, seed=cell.seed, training_rows=cell.declared)
        began = perf_counter()
        trained = train_all(dataset, choice, Silent(), references=False)
        seconds = {cell.method: trained.seconds["method"], "whole": perf_counter() - began}
        found = {cell.method: trained.scores["score"].to_numpy(dtype=float)}
    lines = [{"method": name, **figures(label, scores, judged, seconds[name])} for name, scores in found.items()]
    out.write_text("\n".join(map(json.dumps, lines)))


def figures(label: np.ndarray, scores: np.ndarray, judged: np.ndarray, seconds: float) -> dict[str, Any]:
    """AUROC and AP on the rows that are judged."""
    judged = judged & np.isfinite(scores) & np.isfinite(label)
    return {
        "auroc": round(float(roc_auc_score(label[judged], scores[judged])), 5),
        "ap": round(float(average_precision_score(label[judged], scores[judged])), 5),
        "base_rate": round(float(label[judged].mean()), 5),
        "rows": int(judged.sum()),
        "seconds": round(seconds, 3),
    }
