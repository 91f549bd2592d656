"""Does a guaranteed false share of alerts hold? Five detectors on three tables, each trained once on normal rows, then
50 draws of who calibrates and who is tested, with clean calibration rows and with 1 % anomalies among them.

    AD_BENCH_DATA=... python -m tests.benchmarks.guarantee

A review confirms the true anomalies among the 50 highest calibration rows, as a reviewer without error would; only
these are left out. The standard error is over the draws, which share one detector and one pool of rows.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ad_core import pipeline
from ad_core.alerts.calibration import Calibration
from ad_core.alerts.calibration_rows import calibrated
from ad_core.alerts.threshold import Rule, apply
from ad_core.review.recalibration import LONGEST

TABLES = ("adbench_cardio", "adbench_waveform", "adbench_satimage_2")
METHODS = ("balanced", "isolation_forest", "nearest_neighbours", "mahalanobis", "autoencoder")
SHARES = (0.05, 0.1, 0.2)
DRAWS = 50
TAUGHT = 0.4
"""Of the normal rows; the others are calibrated with and tested on by turns."""
DIRT = 0.01
MOST_ANOMALIES = 0.1
"""Of the normal rows that are tested on."""


def main() -> None:
    """Print a line per table, method and guarantee, then how many of them held."""
    folder = os.environ.get("AD_BENCH_DATA")
    if not folder:
        sys.exit("Set AD_BENCH_DATA to a folder of labelled data; see tests/benchmarks/cases.py. Nothing was done.")
    lines: list[dict[str, Any]] = []
    for name in TABLES:
        data = pd.read_parquet(Path(folder) / "tabular" / f"{name}.parquet")
        for method in METHODS:
            usual, odd = scored(data, method)
            found = [draw(usual, odd, seed) for seed in range(DRAWS)]
            part = summary([line for lines_of_draw in found for line in lines_of_draw])
            lines += [{"table": name.removeprefix("adbench_"), "method": method, **line} for line in part]
            print(f"{name}, {method}: {len(usual):,} normal rows, {len(odd):,} anomalies", file=sys.stderr, flush=True)
    table = pd.DataFrame(lines)
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    print(overall(table).to_string(index=False, float_format=lambda x: f"{x:.3f}"))


def scored(data: pd.DataFrame, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Scores of usual training rows nothing, and of all anomalies."""
    label = data["is_anomaly"].to_numpy()
    features = data.drop(columns="is_anomaly")
    usual = np.random.default_rng(0).permutation(np.flatnonzero(label == 0))
    taught, rest = np.split(usual, [round(TAUGHT * len(usual))])
    odd = np.flatnonzero(label == 1)
    with tempfile.TemporaryDirectory() as scratch:
        for stem, rows in (("taught", taught), ("rest", rest), ("odd", odd)):
            features.iloc[rows].to_parquet(Path(scratch) / f"{stem}.parquet", index=False)
        dataset = pipeline.open_dataset(Path(scratch) / "taught.parquet")
        detector = pipeline.train(dataset, method, preset="quick", training_rows="clean", device="cpu")
        of_rest, of_odd = (
            detector.score(pipeline.open_like(detector, [Path(scratch) / f"{stem}.parquet"]))["score"].to_numpy()
            for stem in ("rest", "odd")
        )
    return of_rest, of_odd


def draw(usual: np.ndarray, odd: np.ndarray, seed: int) -> list[dict[str, float]]:
    """One division into calibration and test rows; a line per guaranteed share."""
    rng = np.random.default_rng(seed)
    usual, odd = rng.permutation(usual), rng.permutation(odd)
    n = len(usual) // 2
    dirt = max(1, round(DIRT * n))
    tested = np.r_[usual[n:], odd[dirt : dirt + round(MOST_ANOMALIES * (len(usual) - n))]]
    false = np.arange(len(tested)) < len(usual) - n
    rows = pd.DataFrame({"row_id": [f"u{i}" for i in range(n)], "score": usual[:n]})
    added = pd.DataFrame({"row_id": [f"a{i}" for i in range(dirt)], "score": odd[:dirt]})
    dirty = pd.concat([rows.iloc[dirt:], added], ignore_index=True)
    highest = dirty.nlargest(LONGEST, "score")["row_id"]
    confirmed = [row_id for row_id in highest if row_id.startswith("a")]
    lines = []
    for share in SHARES:
        line: dict[str, float] = {"guaranteed": share}
        ways = {"clean": calibrated(rows), "dirty": calibrated(dirty), "reviewed": calibrated(dirty, confirmed)}
        for way, calibration in ways.items():
            alert = alerted(tested, calibration, share)
            line[f"{way} FDR"] = alert[false].sum() / max(1, alert.sum())
            line[f"{way} power"] = alert[~false].mean()
        lines.append(line)
    return lines


def alerted(scores: np.ndarray, calibration: Calibration, share: float) -> np.ndarray:
    """(rows,) bool."""
    rows = pd.DataFrame({"row_id": np.arange(len(scores)).astype(str), "score": scores})
    rows["p_value"], rows["percentile"] = calibration.p_value(scores), calibration.percentile(scores)
    return apply(Rule(kind="fdr", value=share), rows, calibration).of_rows


def summary(lines: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Means over the draws, the standard error of the clean FDR, and whether the guarantee held."""
    found = []
    for share, part in pd.DataFrame(lines).groupby("guaranteed"):
        mean = part.mean()
        error = float(part["clean FDR"].std() / np.sqrt(len(part)))
        held = {"SE": error, "holds": "yes" if mean["clean FDR"] <= share + 2 * error else "NO"}
        after = part["reviewed FDR"].std() / np.sqrt(len(part))
        ends = {"holds reviewed": "yes" if mean["reviewed FDR"] <= share + 2 * after else "NO"}
        first = {"guaranteed": share, "clean FDR": mean["clean FDR"], **held}
        found.append({**first, **mean.drop(["guaranteed", "clean FDR"]).to_dict(), **ends})
    return found


def overall(table: pd.DataFrame) -> pd.DataFrame:
    """Means over tables and methods by guarantee, and how often it held."""
    grouped = table.groupby("guaranteed")
    means = grouped[[column for column in table if column.endswith(("FDR", "power"))]].mean()
    held = grouped[["holds", "holds reviewed"]].agg(lambda column: f"{(column == 'yes').sum()} of {len(column)}")
    return means.join(held).reset_index()


if __name__ == "__main__":
    main()
