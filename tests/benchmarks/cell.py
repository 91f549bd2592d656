"""One cell of the benchmark: train, score, judge, write the figures as JSON lines."""

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from ad_core.pipeline import Choice, reference_scores, train_all
from ad_core.progress import Silent
from tests.benchmarks.cases import REFERENCES, Cell, opened


def main() -> None:
    """Arguments: the cell as JSON, the data folder, the preset, the file for the figures."""
    cell, data, preset, out = Cell(**json.loads(sys.argv[1])), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
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


if __name__ == "__main__":
    main()
