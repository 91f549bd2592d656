"""`python -m tests.benchmarks.explanation_speed`: seconds until items are explained and the explanations checked.

100 rows of 30 columns (aim: 5 s), an image of 224 px (3 s), a window of 10 channels x 256 (1 s), on two cores. Printed,
never asserted.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd
import torch
from PIL import Image

from ad_core.data.dataset import Dataset
from ad_core.data.opening import open_dataset
from ad_core.explain.attribution import How
from ad_core.explain.explain import explain_items
from ad_core.pipeline import train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice

ROWS, COLUMNS, HIDDEN = 6000, 30, 6
SIDE, IMAGES = 224, 60
SAMPLES, CHANNELS, WINDOW = 6000, 10, 256
SEED = 0


def main() -> None:
    """Train each detector, explain its highest items, print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="table,image,sensor")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    print(f"{torch.get_num_threads()} threads; best of {options.turns} turns by the clock")
    with tempfile.TemporaryDirectory() as folder:
        for modality in options.only.split(","):
            dataset, how_many, settings, methods = CASES[modality](Path(folder))
            for method, declared in methods:
                chosen = {**settings, "training": {"max_steps": 50}} if method != "balanced" else settings
                choice = Choice(pretext=method, seed=SEED, training_rows=declared, settings=chosen)
                took, busy, gap = explained(dataset, choice, how_many, options.turns)
                what = f"{how_many} of {modality}, {method} ({declared})"
                print(f"{what:48}{took:7.2f} s  {busy:7.2f} s of the processor  median gap {gap:.2%}", flush=True)


def explained(dataset: Dataset, choice: Choice, how_many: int, turns: int) -> tuple[float, float, float]:
    """Seconds by the clock and of the processor, and the median of (gap of the sum / score)."""
    trained = train_all(dataset, choice, Silent(), references=False)
    highest = np.argsort(-trained.item_scores.reshape(len(trained.item_set), -1)[:, 0], kind="stable")[:how_many]
    names = trained.item_set.row_ids(highest)
    seconds = []
    for _ in range(turns):
        began, busy = perf_counter(), process_time()
        found = explain_items(trained.detector, dataset, trained.item_set, highest, names, How(), Silent())
        seconds.append((perf_counter() - began, process_time() - busy))
    return (*min(seconds), float(found.checks["gap"].median()))


def _table(_folder: Path) -> tuple[Dataset, int, dict[str, object], list[tuple[str, str]]]:
    random = np.random.default_rng(SEED)
    z = random.normal(size=(ROWS, HIDDEN)) @ random.normal(size=(HIDDEN, COLUMNS))
    rows = pd.DataFrame(z + 0.3 * random.normal(size=z.shape), columns=[f"c{i}" for i in range(COLUMNS)])
    return (
        open_dataset(rows, modality="table"),
        100,
        {},
        [
            ("balanced", "clean"),
            ("balanced", "unsure"),
            ("autoencoder", "unsure"),
        ],
    )


def _image(folder: Path) -> tuple[Dataset, int, dict[str, object], list[tuple[str, str]]]:
    random = np.random.default_rng(SEED)
    for number in range(IMAGES):
        stripes = 120 + 60 * np.sin(np.arange(SIDE) / random.uniform(8, 9))
        image = (stripes[None, :, None] + random.normal(0, 12, (SIDE, SIDE, 3))).clip(0, 255)
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{number:04d}.png")
    settings: dict[str, object] = {"reader": {"size": SIDE}}
    return open_dataset(folder), 1, settings, [("balanced", "clean"), ("autoencoder", "clean")]


def _sensor(_folder: Path) -> tuple[Dataset, int, dict[str, object], list[tuple[str, str]]]:
    random = np.random.default_rng(SEED)
    waves = np.sin(np.arange(SAMPLES)[:, None] / random.uniform(5, 40, CHANNELS) + random.uniform(0, 6, CHANNELS))
    channels = pd.DataFrame(waves + 0.1 * random.normal(size=waves.shape), columns=[f"s{i}" for i in range(CHANNELS)])
    settings: dict[str, object] = {"reader": {"window": WINDOW}}
    return open_dataset(channels, modality="sensor"), 1, settings, [("balanced", "unsure"), ("masked_window", "unsure")]


CASES = {"table": _table, "image": _image, "sensor": _sensor}

if __name__ == "__main__":
    main()
