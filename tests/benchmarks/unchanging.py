"""`python -m tests.benchmarks.unchanging`: do alarms come from what never changed in training?

Printed, never asserted. Two questions, each for Balanced and for the nearest neighbours of rows in standard deviations,
a constant column in its own unit:

- Made up: in rows that are normal otherwise, one column moves that never or hardly changed in training. Printed: AUROC
  of these rows, and the share of them that scores above all calibration rows and names the column first.
- Real: ten labelled tables in which a column that was constant among the training rows moves in anomalies. Needs
  AD_BENCH_DATA. Printed: AUROC, and the ratio of the errors, (1 - AUROC) / (1 - that of the nearest neighbours).
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from ad_core import pipeline
from ad_core.data.dataset import ColumnKind
from ad_core.explain.attribution import How
from ad_core.explain.explain import explain_rows
from ad_core.progress import Silent

TABLES = (
    "tabular/ai4i2020_machine_failure",
    "tabular/nsl_kdd_intrusion",
    "tabular/adbench_internetads",
    "tabular/adbench_cardiotocography",
    "tabular/adbench_mvtec_resnet18_bottle",
    "tabular/adbench_mvtec_resnet18_carpet",
    "tabular_many/oddbench_CustomerContactOutcomes",
    "tabular_many/oddbench_DoctorVisits",
    "tabular_many/oddbench_SystemFailureMonitoring",
    "tabular_many/oddbench_SentencingFraud",
)
TRAIN_AT_MOST, ROWS, CHANGED, SHOWN = 2000, 1000, 25, 10

PLANTED: dict[str, tuple[object, object]] = {
    "error counter 0 -> 5000": (0, 5000),
    "error counter 0 -> 1": (0, 1),
    "flag False -> True": (False, True),
    "firmware v1 -> v2": ("v1", "v2"),
    "pressure 101.3 -> 101.4": (101.3, 101.4),
    "empty -> OVERHEAT": (None, "OVERHEAT"),
    "99 % empty, else 5 -> 1,000,000": (5.0, 1e6),
}
"""What moves -> the value in training, and the new one."""


def main() -> None:
    """Print both tables."""
    print(planted().to_string(index=False, float_format="{:.3f}".format))
    folder = os.environ.get("AD_BENCH_DATA")
    if not folder:
        print("Real tables are left out: AD_BENCH_DATA does not name a folder with labelled data.")
        return
    table = pd.DataFrame([real(Path(folder) / f"{name}.parquet") for name in TABLES])
    print(table.to_string(index=False, float_format="{:.3f}".format))
    means = table[["balanced", "nearest neighbours"]].mean()
    ratio = (1 - means["balanced"]) / (1 - means["nearest neighbours"])
    print(f"mean: balanced {means.iloc[0]:.3f}, nearest neighbours {means.iloc[1]:.3f}, ratio of errors {ratio:.2f}")


def planted() -> pd.DataFrame:
    """A line for each kind of change, in generated tables."""
    lines = []
    for what, (usual, new) in PLANTED.items():
        train, test = (generated(ROWS, seed).assign(moves=column(usual, ROWS)) for seed in (0, 1))
        is_new = np.arange(ROWS) < CHANGED
        test["moves"] = test["moves"].astype("object").where(~is_new, new)
        test = test.infer_objects()
        detector = pipeline.train(pipeline.open_dataset(train), "balanced", training_rows="clean")
        dataset = pipeline.open_like(detector, test)
        scores = detector.score(dataset)
        above = scores["score"][is_new] > detector.calibration.scores.max()
        rows = scores["row_id"][:SHOWN].tolist()
        first = explain_rows(detector, dataset, rows, How(), Silent()).parts.groupby("row_id")["part"].first()
        lines.append(
            {
                "what moves": what,
                "balanced": roc_auc_score(is_new, scores["score"]),
                "nearest neighbours": roc_auc_score(is_new, neighbours(train, test)),
                "above all calibration rows": above.mean(),
                "named first": (first == "moves").mean(),
            }
        )
    return pd.DataFrame(lines)


def generated(rows: int, seed: int) -> pd.DataFrame:
    """Numbers that depend on each other, and a category."""
    random = np.random.default_rng(seed)
    load = random.normal(50, 5, rows)
    return pd.DataFrame(
        {
            "load": load,
            "heat": 2 * load + random.normal(0, 1, rows),
            "noise": random.normal(0, 1, rows),
            "line": random.choice(["a", "b", "c"], rows),
        }
    )


def column(usual: object, rows: int) -> pd.Series:
    """The column that is to move; the value 5 is in one row of a hundred only."""
    values = [usual] * rows if usual != 5.0 else [usual if i % 100 == 0 else np.nan for i in range(rows)]
    return pd.Series(values, dtype="object").infer_objects()


def real(file: Path) -> dict[str, object]:
    """AUROC on one labelled table, of a detector that has seen normal rows only."""
    data = pd.read_parquet(file)
    is_odd = data["is_anomaly"].to_numpy() == 1
    usual = np.random.default_rng(0).permutation(np.flatnonzero(~is_odd))
    features = data.drop(columns=[name for name in ("is_anomaly", "split") if name in data])
    training = usual[: len(usual) // 2] if "split" not in data else np.flatnonzero(data["split"] == "train")
    training = np.sort(training[:TRAIN_AT_MOST])
    judged = np.setdiff1d(np.arange(len(data)), training)
    train, test = features.iloc[training].reset_index(drop=True), features.iloc[judged].reset_index(drop=True)
    kinds = dict.fromkeys(train.select_dtypes("number"), ColumnKind.NUMBER)
    opened = pipeline.open_dataset(train, modality="table", kinds=kinds)
    detector = pipeline.train(opened, "balanced", training_rows="clean")
    scores = detector.score(pipeline.open_like(detector, test))["score"]
    constant = [name for name in train if train[name].nunique(dropna=False) == 1]
    moves = (test[constant] != train[constant].iloc[0]).any(axis=1).to_numpy()
    found = {
        "balanced": roc_auc_score(is_odd[judged], scores),
        "nearest neighbours": roc_auc_score(is_odd[judged], neighbours(train, test)),
    }
    return {
        "table": file.stem.split("_", 1)[-1],
        "constant": len(constant),
        "moves in anomalies": moves[is_odd[judged]].mean(),
        "in normal rows": moves[~is_odd[judged]].mean(),
        **found,
        "ratio of errors": (1 - found["balanced"]) / max(1e-9, 1 - found["nearest neighbours"]),
    }


def neighbours(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """(rows,) mean distance to the five nearest training rows; texts and empty cells as 0 and 1."""
    old, new = (pd.get_dummies(part, dummy_na=True).astype(float) for part in (train, test))
    names = old.columns.union(new.columns)
    old, new = (part.reindex(columns=names).fillna(old.median()).fillna(0.0) for part in (old, new))
    spread = old.std(ddof=0)
    mean, spread = old.mean(), spread.where(spread > 1e-12, 1.0)
    index = NearestNeighbors(n_neighbors=5).fit((old - mean) / spread)
    return np.asarray(index.kneighbors((new - mean) / spread)[0].mean(axis=1))


if __name__ == "__main__":
    main()
