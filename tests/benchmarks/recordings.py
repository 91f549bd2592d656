"""`python -m tests.benchmarks.recordings [--rows N] [--method NAME]`: a long recording, from Parquet to scores.

Printed, never asserted. The aims: 1,000,000 time stamps of 20 channels are trained on and scored within minutes and
3 GB; and what the product adds to scoring windows with a network stays under 15 % of the same network in bare torch.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from ad_core.data.item_set import ItemSet
from ad_core.methods.encoder import build_encoder
from ad_core.methods.pretexts.forecast import Forecast, ForecastSettings
from ad_core.methods.scorer import SCORE_SEED, SCORERS, TaskModel
from ad_core.pipeline import open_dataset, train_all
from ad_core.training.choice import Choice
from ad_core.training.fit import score_items
from ad_core.types import Draw
from tests.benchmarks.large import Progress, peak_gb
from tests.benchmarks.overhead import said

CHANNELS, TAUGHT = 20, 0.5
AIM_GB, AIM_ROWS = 3, 1_000_000
WINDOWS, TURNS = 2000, 5


def main() -> None:
    """Write, train, score, print; then the overhead of scoring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--method", default="balanced")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "long.parquet"
        write(file, options.rows)
        print(f"{options.rows:,} time stamps x {CHANNELS} channels, {options.method}", flush=True)
        at_start, began = peak_gb(), time.perf_counter()
        dataset = open_dataset(file, modality="sensor", time="time")
        print(f"opened: {time.perf_counter() - began:.0f} s, peak {peak_gb():.2f} GB", flush=True)
        dataset = dataset.with_training_rows(np.arange(options.rows) < TAUGHT * options.rows)
        trained = train_all(dataset, Choice(pretext=options.method, preset="quick"), Progress())
    seconds = time.perf_counter() - began
    scored = int(trained.scores["score"].notna().sum())
    print(f"{scored:,} time stamps scored in {seconds:.0f} s in all: {scored / seconds:,.0f} a second")
    aim = (AIM_GB - at_start) * options.rows / AIM_ROWS + at_start
    print(f"peak resident memory {peak_gb():.2f} GB (aim {aim:.2f} GB: {AIM_GB} GB at {AIM_ROWS:,} time stamps)")
    torch.set_num_threads(1)
    overhead(trained.item_set)


def write(file: Path, rows: int) -> None:
    """Channels that swing together, each with its own noise."""
    random = np.random.default_rng(0)
    beats = np.sin(2 * np.pi * np.arange(rows)[:, None] / np.array([37.0, 211.0, 1440.0]))
    values = beats @ random.normal(size=(3, CHANNELS)) + random.normal(0, 0.2, (rows, CHANNELS))
    columns = {f"channel {i}": values[:, i].astype(np.float32) for i in range(CHANNELS)}
    time_stamps = np.datetime64("2024-01-01") + np.arange(rows).astype("timedelta64[s]")
    pq.write_table(pa.table({"time": time_stamps, **columns}), file)


def overhead(item_set: ItemSet) -> None:
    """Windows scored by the forecasting network, one thread: the product's loop and the bare one."""
    settings = ForecastSettings()
    encoder = build_encoder("dilated_conv", item_set.shape, Forecast.encoder_settings(settings, item_set.shape))
    scorer = SCORERS.get("own_score")
    model = TaskModel(Forecast(settings, item_set.shape, encoder), scorer(scorer.Settings())).eval()
    index, found = np.arange(min(WINDOWS, len(item_set))), dict[str, np.ndarray]()

    def product() -> None:
        found["product"] = score_items(model, item_set, index)

    def bare() -> None:
        starts, size = item_set.items["start"].to_numpy()[index], item_set.items_at_a_time
        with torch.no_grad():
            parts = [
                model.task.score(torch.from_numpy(item_set.x[starts[begin : begin + size]]), Draw.shared(SCORE_SEED))
                for begin in range(0, len(index), size)
            ]
        found["bare"] = torch.cat(parts).numpy()

    said("windows scored, 1 thread", len(index), TURNS, product, bare)
    print(f"{'':28}largest difference of a score {np.abs(found['product'] - found['bare']).max():.1e}")


if __name__ == "__main__":
    main()
