"""`make bench`: every method on every labelled data set, beside the classical detectors on the same rows.

One process per cell; a cell that has a line in the results is not run again. AD_BENCH_DATA names the folder with the
data; without it nothing is measured, and that is said.
"""

import argparse
import json
import os
import tempfile
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from tests.benchmarks.cases import Cell, cells
from tests.benchmarks.cell import measure
from tests.benchmarks.tables import print_tables, write_tables

RESULTS = Path(__file__).parent / "results"
COLUMNS = [
    "cell",
    "modality",
    "group",
    "name",
    "protocol",
    "method",
    "declared",
    "seed",
    "auroc",
    "ap",
    "base_rate",
    "rows",
    "seconds",
    "error",
    "vus_pr",
    "event_recall",
    "pixel_auroc",
    "aupro",
]


def main() -> int:
    """Run what is missing, then print the tables."""
    options = _options()
    data = os.environ.get("AD_BENCH_DATA")
    if not data:
        print("Nothing measured: AD_BENCH_DATA does not name a folder with labelled data (tabular/, sensor/, image/).")
        return 0
    wanted = [c for c in cells(Path(data), options.seeds) if _fits(c, options.only)]
    file = RESULTS / f"cells_{options.preset}.tsv"
    RESULTS.mkdir(exist_ok=True)
    with_all_columns(file)
    done = set(pd.read_csv(file, sep="\t")["cell"])
    missing = [cell for cell in wanted if cell.key not in done]
    for number, cell in enumerate(missing, 1):
        print(f"[{number}/{len(missing)}] {cell.key}", flush=True)
        lines = _run(cell, Path(data), options.preset)
        pd.DataFrame(lines, columns=COLUMNS).to_csv(file, sep="\t", index=False, mode="a", header=False)
    results = pd.read_csv(file, sep="\t")
    print_tables(results[results["cell"].isin({c.key for c in wanted})])
    write_tables(results, RESULTS, options.preset)
    return 0


def with_all_columns(file: Path) -> None:
    """Begin a file of results, or give one that was written before some columns existed the empty ones."""
    if not file.exists():
        pd.DataFrame(columns=COLUMNS).to_csv(file, sep="\t", index=False)
        return
    lines = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)  # figures stay as they were written
    if list(lines) != COLUMNS:
        lines.reindex(columns=COLUMNS, fill_value="").to_csv(file, sep="\t", index=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="comma-separated texts; a cell runs when its key holds any of them")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")], default=[0])
    return parser.parse_args()


def _fits(cell: Cell, only: str) -> bool:
    return not only or any(part in cell.key for part in only.split(","))


def _run(cell: Cell, data: Path, preset: str) -> list[dict[str, object]]:
    """One cell in a process of its own, so that memory and caches of one can't help or harm another.

    The process is forked from this one, which has loaded the libraries once for all and computed nothing.
    """
    line = {"cell": cell.key, **vars(cell)}
    with tempfile.TemporaryDirectory() as folder:
        out, said = Path(folder) / "figures", Path(folder) / "error"
        process = get_context("fork").Process(target=_work, args=(cell, data, preset, out, said))
        process.start()
        process.join()
        if process.exitcode:
            error = said.read_text() if said.exists() else f"ended with exit code {process.exitcode}"
            return [{**line, "error": error[-200:]}]
        return [{**line, **json.loads(text)} for text in out.read_text().splitlines()]


def _work(cell: Cell, data: Path, preset: str, out: Path, said: Path) -> None:
    try:
        measure(cell, data, preset, out)
    except Exception as error:
        said.write_text(f"{type(error).__name__}: {error}")
        raise


if __name__ == "__main__":
    raise SystemExit(main())
