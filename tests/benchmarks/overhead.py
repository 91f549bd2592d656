"""`python -m tests.benchmarks.overhead`: what the product adds to the mathematics of masked cells, in rows per second.

Printed, never asserted. The aim: under 15 % more time than the same network, loss and optimiser as bare torch, without
reports, halving, splits or registries. Both start from the same weights and draw the same random numbers, and the
weights that they end with are compared: it is the same mathematics. They take turns, so a busy machine is fair to both.
"""

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ad_core.data.batches import Batches
from ad_core.data.item_set import ItemSet, Split
from ad_core.devices import seeded
from ad_core.methods.scorer import SCORE_SEED, TaskModel
from ad_core.training.fit import Fit, build_model, score_items, train_task, training_settings
from ad_core.types import ItemShape, Modality, PartKind, Parts

ROWS, COLUMNS, STEPS, BATCH, SEED = 20_000, 30, 300, 128, 0
CPU, AIM = torch.device("cpu"), 0.15
NONE = np.arange(0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    frame = table()
    print(f"masked cells, {ROWS:,} rows x {COLUMNS} columns, {STEPS} steps of {BATCH}; median of {turns} turns")
    print(f"{'':28}{'product':>12}{'bare':>12}   rows/s; more seconds than bare (lowest to highest turn)")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        training(frame, threads, turns)
        scoring(frame, threads, turns)


def table() -> ItemSet:
    """Numbers that hang together."""
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, 5)) @ random.normal(size=(5, COLUMNS)) + 0.3 * random.normal(size=(ROWS, COLUMNS))
    every = tuple(range(COLUMNS))
    parts = Parts(
        names=tuple(f"c{i}" for i in every), of_entry=every, kinds=(PartKind.NUMBER,) * COLUMNS, units=(None,) * COLUMNS
    )
    rows = pd.DataFrame({"row_id": [f"r{i}" for i in range(ROWS)], "sample": np.arange(ROWS), "note": ""})
    shape = ItemShape(modality=Modality.TABLE, size=(COLUMNS,), parts=parts)
    x = (x / x.std(0)).astype(np.float32)
    return ItemSet(shape, x, pd.DataFrame({"start": np.arange(ROWS)}), rows)


def training(item_set: ItemSet, threads: int, turns: int) -> None:
    """The steps alone, then with held-out checks. What a task does after them, once, is scoring: see there."""
    split = Split(np.arange(ROWS), NONE, NONE)
    shown = torch.from_numpy(item_set.x)
    models: dict[str, TaskModel] = {}

    def product(of: Split) -> Callable[[], None]:
        def work() -> None:
            models["product"] = untrained(item_set)
            models["product"].task.finish = nothing
            chosen = {"max_steps": STEPS, "batch_size": BATCH, "patience": 100}
            settings = training_settings("quick", Modality.TABLE, chosen)
            train_task(models["product"].task, Fit(item_set, of, SEED), settings)

        return work

    def bare() -> None:
        models["bare"] = untrained(item_set)
        bare_training(models["bare"], shown)

    said(f"training, {threads} thread(s)", STEPS * BATCH, turns, product(split), bare)
    gap = max(
        (a - b).abs().max().item()
        for a, b in zip(models["product"].parameters(), models["bare"].parameters(), strict=True)
    )
    print(f"{'':28}largest difference of a weight afterwards {gap:.1e}")
    held = Split(np.arange(0, ROWS - 3000), np.arange(ROWS - 3000, ROWS), NONE)
    said(f"  with 20 held-out checks, {threads}", STEPS * BATCH, turns, product(held), bare)


def nothing(_batches: Batches) -> None:
    """Stands in for what comes after the steps."""


def scoring(item_set: ItemSet, threads: int, turns: int) -> None:
    """All rows by a network that needs no training for it: the time is the same."""
    model, found = untrained(item_set).eval(), dict[str, np.ndarray]()

    def product() -> None:
        found["product"] = score_items(model, item_set, np.arange(ROWS))

    def bare() -> None:
        found["bare"] = bare_scores(model, torch.from_numpy(item_set.x))

    said(f"scoring, {threads} thread(s)", ROWS, turns, product, bare)
    gap = np.abs(found["product"] - found["bare"]).max() / np.abs(found["bare"]).max()
    print(f"{'':28}largest difference of a score {gap:.1e} of the largest")


def untrained(item_set: ItemSet) -> TaskModel:
    """The product's own network, always the same; the bare side takes its layers and weights."""
    with seeded(SEED, CPU):
        return build_model("masked_cells", "own_score", item_set.shape, {}, {})


def bare_training(model: TaskModel, x: Tensor) -> None:
    """Masked cells for numbers alone, as one would write them down for an experiment."""
    encoder, head = model.task.encoder, model.task.head
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, 3e-3, weight_decay=1e-4)
    generator, order, used = torch.Generator().manual_seed(SEED), np.random.default_rng(SEED), ROWS
    model.task.cells.low, model.task.cells.high = x.amin(0), x.amax(0)
    model.task.train()
    with seeded(SEED, CPU):  # of the dropout
        for step in range(1, STEPS + 1):
            if used + BATCH > ROWS:
                shuffled, used = order.permutation(ROWS), 0
            rows, used = x[shuffled[used : used + BATCH]], used + BATCH
            share = 0.1 + 0.5 * torch.rand((BATCH, 1), generator=generator)
            hidden = torch.rand((BATCH, COLUMNS), generator=generator) < share
            hidden = hidden.scatter(1, torch.randint(COLUMNS, (BATCH, 1), generator=generator), True)
            guess = head(encoder(torch.cat([rows.clamp(-6, 6) * ~hidden, hidden.float()], 1)))
            loss = (((guess - rows).square() * hidden).sum(1) / hidden.sum(1)).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            width = min(1.0, step / (0.1 * STEPS)) * (0.05 + 0.95 * (1 + math.cos(math.pi * step / STEPS)) / 2)
            optimiser.param_groups[0]["lr"] = 3e-3 * width
            optimiser.step()


def bare_scores(model: TaskModel, x: Tensor) -> np.ndarray:
    """(n,) scores, 1024 rows at a time."""
    usual, spread = model.task.usual, model.task.spread
    with torch.no_grad():
        found = [((bare_losses(model, rows) - usual) / (spread + 0.01)).mean(1) for rows in x.split(1024)]
    return torch.cat(found).numpy()


def bare_losses(model: TaskModel, x: Tensor) -> Tensor:
    """(b, columns): three rounds of four groups of hidden columns, the same for all rows."""
    order = torch.rand((1, 3, COLUMNS), generator=torch.Generator().manual_seed(SCORE_SEED)).argsort(2).argsort(2)
    masks = torch.cat([(order[0] % 4) == group for group in range(4)])  # (12, columns)
    rows, hidden = x.repeat_interleave(12, 0), masks.repeat(len(x), 1)
    guess = model.task.head(model.task.encoder(torch.cat([rows.clamp(-6, 6) * ~hidden, hidden.float()], 1)))
    losses = (guess - rows).square()
    losses = torch.where(losses > 50, 50 + (losses - 50).clamp_min(0).log1p(), losses)
    return (losses * hidden).unflatten(0, (len(x), 12)).sum(1) / 3


def said(what: str, rows: int, turns: int, product: Callable[[], None], bare: Callable[[], None]) -> None:
    """One line: both in turns, after a first one that does not count."""
    seconds = np.array([[timed(product), timed(bare)] for _ in range(turns + 1)])[1:]  # (turns, 2, wall and processor)
    more = seconds[:, 0] / seconds[:, 1] - 1
    speeds, overhead = rows / np.median(seconds[:, :, 0], 0), np.median(more, 0)
    print(
        f"{what:28}{speeds[0]:12,.0f}{speeds[1]:12,.0f}   {overhead[0]:+.1%} "
        f"({more[:, 0].min():+.1%} to {more[:, 0].max():+.1%}), of processor time {overhead[1]:+.1%}; aim {AIM:.0%}",
        flush=True,
    )


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds that it takes, by the clock and of this process: a busy machine blurs the first."""
    began, worked = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - worked


if __name__ == "__main__":
    main()
