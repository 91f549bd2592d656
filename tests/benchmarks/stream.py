"""`python -m tests.benchmarks.stream`: how many ticks per second a stream scores on one core, by method and block size.

Printed, never asserted. The aim: a recording of 10 channels at 1 kHz keeps up, tick by tick. Beside it stand several
windows scored together, blocks of ticks, the file at once, and the share of the time that the model took: the rest is
the stream's own.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

from ad_core import pipeline
from ad_core.detector.detector import Detector
from ad_core.methods.scorer import ScoreModel

AIM_HZ, CHANNELS, TICKS, WINDOW, BLOCK, TOGETHER = 1000, 10, 8_000, 128, 100, 8
METHODS = {
    "balanced": {},
    "mahalanobis": {},
    "nearest_neighbours": {},
    "autoencoder": {"training": {"max_steps": 20}},
    "masked_window": {"training": {"max_steps": 20}},
}
"""Method -> settings; how long it was trained has no effect on the time that a score takes."""


class Watched:
    """A model whose time is taken."""

    def __init__(self, model: ScoreModel) -> None:
        self.model, self.seconds = model, 0.0
        self.extras = model.extras

    def score(self, x: torch.Tensor) -> torch.Tensor:
        return self._timed(self.model.score, x)

    def over_time(self, x: torch.Tensor) -> torch.Tensor | None:
        return self._timed(self.model.over_time, x)

    def _timed(self, work: Callable[[torch.Tensor], Any], x: torch.Tensor) -> Any:
        began = time.perf_counter()
        found = work(x)
        self.seconds += time.perf_counter() - began
        return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    torch.set_num_threads(1)
    print(f"{CHANNELS} channels, windows of {WINDOW} samples every {WINDOW // 8}; aim: {AIM_HZ:,} ticks/s one by one")
    heads = ("one by one", f"{TOGETHER} windows", f"blocks of {BLOCK}", "a whole file")
    print(f"{'ticks/s (of it the model)':26}" + "".join(f"{head:>18}" for head in heads))
    for method in parser.parse_args().methods:
        data = pipeline.open_dataset(recording(4000, 0), time="time")
        settings = {"reader": {"window": WINDOW}, **METHODS[method]}
        detector = pipeline.train(data, method, training_rows="clean", settings=settings)
        new = recording(TICKS, 1)
        works = (
            one_by_one(detector, new),
            one_by_one(detector, new, TOGETHER),
            in_blocks(detector, new),
            at_once(detector, new),
        )
        print(f"{method:26}" + "".join(f"{spent(detector, work):>18}" for work in works), flush=True)


def recording(rows: int, seed: int) -> pd.DataFrame:
    """Sines with noise, at 1 kHz."""
    rng, t = np.random.default_rng(seed), np.arange(rows)
    values = np.sin(t[:, None] / np.linspace(5, 20, CHANNELS)) + 0.1 * rng.normal(size=(rows, CHANNELS))
    table = pd.DataFrame(values, columns=[f"c{i}" for i in range(CHANNELS)])
    table.insert(0, "time", t / AIM_HZ)
    return table


def one_by_one(detector: Detector, new: pd.DataFrame, together: int = 1) -> Callable[[], None]:
    ticks = new.to_dict("records")

    def work() -> None:
        stream = detector.stream(together=together)
        for tick in ticks:
            stream.push(tick["time"], tick)

    return work


def in_blocks(detector: Detector, new: pd.DataFrame) -> Callable[[], None]:
    blocks = [new.iloc[i : i + BLOCK] for i in range(0, len(new), BLOCK)]

    def work() -> None:
        stream = detector.stream()
        for block in blocks:
            stream.push_table(block)

    return work


def at_once(detector: Detector, new: pd.DataFrame) -> Callable[[], None]:
    dataset = pipeline.open_like(detector, new)

    def work() -> None:
        detector.score(dataset)

    return work


def spent(detector: Detector, work: Callable[[], None]) -> str:
    """Ticks per second of processor time, which a busy machine blurs less, and the share of the model."""
    watched, model = Watched(detector.model), detector.model
    detector.model = watched
    began, worked = time.perf_counter(), time.process_time()
    work()
    wall, worked = time.perf_counter() - began, time.process_time() - worked
    detector.model = model
    return f"{TICKS / worked:,.0f} ({watched.seconds / wall:.0%})"


if __name__ == "__main__":
    main()
