"""`python -m tests.benchmarks.perturbation`: whether the step of SLA²P against its own answer helps on small tables.

Printed, never asserted. AD_BENCH_DATA names the folder with the data. The size of the step was not chosen by this:
labels only judge.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from ad_core.methods.pretexts.random_projections import RandomProjectionsSettings
from ad_core.pipeline import reference_scores, train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice
from tests.benchmarks.cases import Cell, opened
from tests.benchmarks.cell import figures

TABLES, MOST_ROWS, SEEDS = 6, 1500, (0, 1)
DEFAULT = RandomProjectionsSettings().epsilon
SIZES = (0.0, DEFAULT, 30.0)
BESIDE = ("nearest_neighbours", "isolation_forest")
DECLARED = {"B": "mixed", "A": "clean"}


def main() -> None:
    """Measure and print."""
    data = os.environ.get("AD_BENCH_DATA")
    if not data:
        print("Nothing measured: AD_BENCH_DATA does not name a folder with labelled data (tabular/).")
        return
    began = time.perf_counter()
    for protocol, declared in DECLARED.items():
        lines = []
        for name in smallest(Path(data)):
            for seed in SEEDS:
                cell = Cell("table", "tabular", name, protocol, "random_projections", declared, seed)
                lines += list(measured(Path(data), cell))
            print(f"{time.perf_counter() - began:4.0f} s  {protocol} {name}", flush=True)
        shown(protocol, pd.DataFrame(lines))


def smallest(data: Path) -> list[str]:
    """Names of the tables with the fewest cells."""
    files = sorted((data / "tabular").glob("*.parquet"))
    sizes = {file.stem: pq.ParquetFile(file).metadata for file in files}
    fitting = [name for name, found in sizes.items() if found.num_rows <= MOST_ROWS]
    return sorted(fitting, key=lambda name: sizes[name].num_rows * sizes[name].num_columns)[:TABLES]


def measured(data: Path, cell: Cell) -> Iterator[dict[str, Any]]:
    """Every size of the step, and the references on the same rows."""
    dataset, judged = opened(data, cell, Path(tempfile.gettempdir()))
    label = dataset.rows["label"].to_numpy(dtype=float)
    table, seconds = reference_scores(dataset, cell.seed, Silent())
    scores = {name: (table[name], seconds[name]) for name in BESIDE}
    for size in SIZES:
        settings = {"pretext": {"epsilon": size}}
        choice = Choice(
            pretext=cell.method, preset="quick", seed=cell.seed, training_rows=cell.declared, settings=settings
        )
        trained = train_all(dataset, choice, Silent(), references=False)
        scores[f"step {size:g}"] = trained.scores["score"], trained.seconds["method"]
    for method, (found, took) in scores.items():
        values = found.to_numpy(dtype=float)
        yield {"name": cell.name, "seed": cell.seed, "method": method, **figures(label, values, judged, took)}


def shown(protocol: str, lines: pd.DataFrame) -> None:
    """Means over the seeds, a line per table and one for all."""
    order = [f"step {size:g}" for size in SIZES] + list(BESIDE)
    print(f"\nProtocol {protocol}, declared {DECLARED[protocol]}; the default step is {DEFAULT:g}")
    for measure in ("auroc", "ap", "seconds"):
        wide = lines.pivot_table(index="name", columns="method", values=measure)[order]
        spread = lines.groupby(["method", "name"])[measure].std().groupby("method").mean()[order]
        wide.loc["mean"] = wide.mean()
        wide.loc["spread over seeds"] = spread
        facts = lines.groupby("name")[["rows", "base_rate"]].mean().reindex(wide.index)
        print(f"\n{measure}\n" + wide.join(facts).round(3).replace(np.nan, "").to_string(), flush=True)
    print()


if __name__ == "__main__":
    main()
