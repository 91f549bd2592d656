"""`make bench`: every method on every labelled data set, beside the classical detectors of the same run.

One process per cell; a cell that has a line in the results is not run again. AD_BENCH_DATA names the folder with the
data; without it nothing is measured, and that is said.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from tests.benchmarks.cases import Cell, cells

METHODS = {
    "table": ["masked_cells", "autoencoder"],
    "sensor": ["masked_window", "autoencoder"],
    "image": ["autoencoder", "rotation"],
}
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what is missing, then print the tables."""
    options = _options()
    data = os.environ.get("AD_BENCH_DATA")
    if not data:
        print("Nothing measured: AD_BENCH_DATA does not name a folder with labelled data (tabular/, sensor/, image/).")
        return 0
    wanted = [c for c in cells(Path(data), METHODS, options.seeds) if _fits(c, options.only)]
    file = RESULTS / f"cells_{options.preset}.tsv"
    RESULTS.mkdir(exist_ok=True)
    done = set(pd.read_csv(file, sep="\t")["key"]) if file.exists() else set()
    for number, cell in enumerate(wanted, 1):
        if cell.key in done:
            continue
        print(f"[{number}/{len(wanted)}] {cell.key}", flush=True)
        line = _run(cell, Path(data), options.preset)
        pd.DataFrame([line]).to_csv(file, sep="\t", index=False, mode="a", header=not file.exists())
    if file.exists():
        print_tables(pd.read_csv(file, sep="\t"), {c.key for c in wanted})
    return 0


def print_tables(table: pd.DataFrame, keys: set[str]) -> None:
    """Mean AUROC and AP per modality, family, protocol and method, beside the references of the same runs."""
    table = table[table["key"].isin(keys) & table["error"].isna()]
    measured = ["auroc", "ap", "if_auroc", "if_ap", "nn_auroc", "nn_ap", "seconds_to_if"]
    by = ["modality", "group", "protocol", "method"]
    print(table.groupby([*by, "name"])[measured].mean().round(3).to_string())
    print("\nMean over the sets")
    means = table.groupby([*by, "name"])[measured].mean().groupby(by).mean().round(3)
    means["sets"] = table.groupby(by)["name"].nunique()
    print(means.to_string())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="comma-separated texts; a cell runs when its key holds any of them")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")], default=[0])
    return parser.parse_args()


def _fits(cell: Cell, only: str) -> bool:
    return not only or any(part in cell.key for part in only.split(","))


def _run(cell: Cell, data: Path, preset: str) -> dict[str, object]:
    """One cell in a process of its own, so that memory and caches of one can't help or harm another."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [sys.executable, "-m", "tests.benchmarks.cell", json.dumps(vars(cell)), str(data), preset, out.name]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        line = {"key": cell.key, **vars(cell)}
        if finished.returncode:
            return {
                **line,
                "error": (finished.stderr.strip().splitlines() or ["no message"])[-1][:200],
            } | dict.fromkeys(FIGURES)
        return {**line, "error": None, **json.loads(Path(out.name).read_text())}


FIGURES = ("auroc", "ap", "if_auroc", "if_ap", "nn_auroc", "nn_ap", "base_rate", "rows", "seconds", "seconds_to_if")

if __name__ == "__main__":
    raise SystemExit(main())
