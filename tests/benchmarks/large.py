"""`python -m tests.benchmarks.large [--rows N]`: a table larger than comfortable, from Parquet to scores.

Printed, never asserted. The aim: 5,000,000 rows of 40 columns are trained on and scored within 6 GB.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ad_core.pipeline import open_dataset, train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice

COLUMNS, CATEGORIES = 40, 4
AIM_GB, AIM_ROWS = 6, 5_000_000
GROUP_ROWS = 100_000


def main() -> None:
    """Write, train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.parquet"
        write(file, rows)
        print(f"{rows:,} rows x {COLUMNS} columns, {file.stat().st_size / 2**20:.0f} MB of Parquet", flush=True)
        at_start = peak_gb()
        began = time.perf_counter()
        dataset = open_dataset(file, modality="table")
        print(f"opened: {time.perf_counter() - began:.0f} s, peak {peak_gb():.2f} GB", flush=True)
        trained = train_all(dataset, Choice(pretext="masked_cells", preset="quick"), Progress())
    seconds = time.perf_counter() - began
    scored = int(trained.scores["score"].notna().sum())
    print(f"{scored:,} rows scored in {seconds:.0f} s in all: {scored / seconds:,.0f} rows/s")
    aim = (AIM_GB - at_start) * rows / AIM_ROWS + at_start
    print(f"peak resident memory {peak_gb():.2f} GB (aim {aim:.2f} GB: {AIM_GB} GB at {AIM_ROWS:,} rows)")


class Progress(Silent):
    """When each stage began, and how much memory had been in use by then."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    def stage(self, name: str) -> None:
        print(f"{time.perf_counter() - self.began:7.0f} s  {peak_gb():.2f} GB  {name}", flush=True)


def write(file: Path, rows: int) -> None:
    """Numbers that hang together, with gaps, and a few categories; never more than one row group in memory."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(6, COLUMNS - CATEGORIES))
    writer = None
    for begin in range(0, rows, GROUP_ROWS):
        n = min(GROUP_ROWS, rows - begin)
        numbers = random.normal(size=(n, 6)) @ mixing + random.normal(0, 0.3, (n, COLUMNS - CATEGORIES))
        columns = {f"sensor {i}": numbers[:, i] for i in range(COLUMNS - CATEGORIES)}
        columns["sensor 0"] = np.where(random.random(n) < 0.05, np.nan, columns["sensor 0"])
        for i in range(CATEGORIES):
            level = (numbers[:, i] > 0) * 2 + random.integers(0, 2, n)
            columns[f"state {i}"] = np.array(["off", "idle", "warm", "on"])[level]
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def peak_gb() -> float:
    """The most resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
