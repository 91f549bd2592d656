"""One cell of the benchmark: train, score, judge, write the figures as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from ad_core.pipeline import Choice, train_all
from ad_core.progress import Silent
from tests.benchmarks.cases import Cell, opened


def main() -> None:
    """Arguments: the cell as JSON, the data folder, the preset, the file for the figures."""
    cell, data, preset, out = Cell(**json.loads(sys.argv[1])), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
    scratch = Path(tempfile.gettempdir()) / "anomaly-lens-bench"
    dataset, judged = opened(data, cell, scratch)
    rows = "clean" if cell.protocol in ("A", "one-class") else "unsure"
    trained = train_all(
        dataset, Choice(pretext=cell.method, preset=preset, seed=cell.seed, training_rows=rows), Silent()
    )
    label = dataset.rows["label"].to_numpy(dtype=float)
    scores = trained.scores["score"].to_numpy()
    judged &= np.isfinite(scores) & np.isfinite(label)
    seconds = trained.seconds
    figures = {
        "base_rate": float(label[judged].mean()),
        "rows": int(judged.sum()),
        "seconds": seconds["method"],
        "seconds_to_if": seconds["method"] / seconds["isolation_forest"],
    }
    columns = {
        "": scores,
        "if_": trained.references["isolation_forest"],
        "nn_": trained.references["nearest_neighbours"],
    }
    for prefix, values in columns.items():
        values = np.asarray(values, dtype=float)[judged]
        figures[f"{prefix}auroc"] = float(roc_auc_score(label[judged], values))
        figures[f"{prefix}ap"] = float(average_precision_score(label[judged], values))
    out.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
