"""`python -m tests.benchmarks.explanations [--only table,image] [--per N]`: attributions against known truth.

One part of held-out normal items is broken: a cell gets another row's value, a channel's course is shuffled in time, a
defect is drawn into an image. How often does an explanation name that part first? Beside the methods of the product
stand the plain error of each part, its distance from the mean in standard deviations, and chance. And does the grade
of an explanation tell right ones from wrong ones? Printed, never asserted.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from ad_core.data.item_set import ItemSet
from ad_core.data.sample_datasets import sample
from ad_core.detector.detector import Detector
from ad_core.evaluation.precision import wilson
from ad_core.explain.attribution import baseline_from, explain, methods_for
from ad_core.explain.attribution_regions import cells, heat
from ad_core.explain.faithfulness import check
from ad_core.explain.neighbours import nearest_normals
from ad_core.methods.augmentations.drawn_defects import with_defects
from ad_core.pipeline import Trained, open_dataset, train_all
from ad_core.progress import Silent
from ad_core.training.choice import Choice
from ad_core.types import Modality
from tests.benchmarks.cases import Cell, opened

SETS = {
    "table": [
        "adbench_cardio",
        "adbench_fault",
        "adbench_ionosphere",
        "adbench_pendigits",
        "adbench_satellite",
        "adbench_waveform",
    ],
    "sensor": [
        "skab/valve1_00",
        "skab/valve1_04",
        "asd_servers/omi-1",
        "asd_servers/omi-4",
        "asd_servers/omi-8",
        "msl_rover/C-1",
    ],
    "image": ["magnetic_tile", "deeppcb", "cifar10_automobile", "plates"],
}
METHODS = {
    "table": ["balanced", "autoencoder"],
    "sensor": ["balanced", "autoencoder"],
    "image": ["balanced"],
}
DONORS = 20
SIDE = 128
"""Images are read at so many pixels: explaining takes by far the most time, and grows with their area."""

STEPS = {"table": 64, "sensor": 32, "image": 16}


def main() -> None:
    """Train, break, explain, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="table,sensor,image")
    parser.add_argument("--per", type=int, default=60)
    parser.add_argument("--all-methods", action="store_true", help="every method that a detector can take")
    options = parser.parse_args()
    data = os.environ.get("AD_BENCH_DATA")
    if not data:
        print("Nothing measured: AD_BENCH_DATA does not name a folder with labelled data.")
        return
    found = []
    for modality in options.only.split(","):
        for name in SETS[modality]:
            for method in METHODS[modality]:
                lines = pd.DataFrame(_measured(modality, name, method, Path(data), options.per, options.all_methods))
                found.append(lines.assign(modality=modality, set=name, detector=method))
                rates = lines.groupby("by", sort=False)["hit"].mean().round(2).to_dict()
                print(f"{modality} {name} {method}: {rates}", flush=True)
    _print(pd.concat(found, ignore_index=True))


def _measured(modality: str, name: str, method: str, data: Path, per: int, every: bool) -> Iterator[dict[str, object]]:
    dataset = _dataset(modality, name, data)
    settings = {"reader": {"size": SIDE}} if modality == "image" else {}
    choice = Choice(pretext=method, preset="quick", training_rows="clean", settings=settings)
    trained = train_all(dataset, choice, Silent(), references=False)
    detector, frame = trained.detector, trained.item_set
    chosen = np.random.default_rng(0).permutation(_held_out(trained))[:per]
    x, truth = _broken(frame, chosen, trained.split.fit)
    z = detector.model.embed(x).detach().numpy() if detector.model.embed(x[:1]) is not None else x.flatten(1).numpy()  # type: ignore[union-attr]
    near, _ = nearest_normals(z, detector.normals.embeddings.numpy())
    baseline = baseline_from(detector.normals.x, near)
    for by in methods_for(detector.model) if every else methods_for(detector.model)[:1]:
        result = explain(detector.model, frame.shape, x, baseline, by, STEPS[modality])
        tested = check(detector.model, frame.shape, x, baseline, result, detector.normals.x.std(0)).table([""] * len(x))
        hits, areas = _hits(frame, result.values, truth), _areas(frame, result.values, truth)
        gap = np.abs(result.delta / result.score)
        for i in range(len(x)):
            yield {"by": by, "hit": hits[i], "area": areas[i], "grade": tested["grade"][i], "gap": gap[i]}
    for by, values in _plain(detector, x).items():
        hits, areas = _hits(frame, values, truth), _areas(frame, values, truth)
        yield from ({"by": by, "hit": hit, "area": area} for hit, area in zip(hits, areas, strict=True))


def _held_out(trained: Trained) -> np.ndarray:
    """Training Items nothing and are normal; where none is known, items that calibrated."""
    label = trained.scores.get("label", pd.Series(np.nan, index=trained.scores.index))
    usual = (trained.scores["used_for"] == "") & (label == 0)
    return trained.item_set.items_within(usual.to_numpy()) if usual.any() else trained.split.calibration


def _dataset(modality: str, name: str, data: Path) -> object:
    if name == "plates":
        plates = sample("machined_plates_synthetic")
        return open_dataset(list(plates.train), **plates.declared)
    group, _, alone = name.rpartition("/")
    protocol = {"table": "A", "sensor": "train-part", "image": "one-class"}[modality]
    cell = Cell(modality, group or modality, alone, protocol, "balanced", "clean", 0)
    return opened(data, cell, Path(tempfile.gettempdir()) / "anomaly-lens-bench")[0]


def _broken(item_set: ItemSet, chosen: np.ndarray, fit: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """(k, *item) items with one broken part, and (k, piece) bool which pieces were touched."""
    random, x = np.random.default_rng(1), item_set.take(chosen)
    before, parts = x.clone(), item_set.shape.parts
    some = item_set.take(random.choice(fit, min(len(fit), 300), replace=False))
    for i, item in enumerate(x):
        if item_set.shape.modality is Modality.IMAGE:
            other = item_set.take(random.choice(fit, 1))[0].numpy()
            damaged, _ = with_defects(item.numpy(), other, random, ("scratch", "stain", "rectangle"))
            x[i] = torch.from_numpy(np.ascontiguousarray(damaged))
            continue
        entries = parts.entries(int(random.integers(len(parts.names))))
        if item_set.shape.modality is Modality.SENSOR:
            begin, length = item_set.span // 4, item_set.span // 2
            order = random.permutation(length)
            noise = torch.from_numpy(random.normal(0, 2, length).astype(np.float32)) * some[:, entries].std()
            x[i, entries, begin : begin + length] = item[entries][:, begin + order] + noise
            continue
        donors = item_set.take(random.choice(fit, DONORS))[:, entries]
        x[i, entries] = donors[(donors - item[entries]).abs().sum(1).argmax()]
    return x, _by_piece(item_set, (x - before).abs().numpy()) > 1e-6


def _by_piece(item_set: ItemSet, values: np.ndarray) -> np.ndarray:
    """(k, *item) -> (k, part) of tables and recordings, (k, cell) of images."""
    if item_set.shape.modality is Modality.IMAGE:
        mask = cells(item_set.shape).numpy().ravel()
        return np.stack([np.bincount(mask, v.ravel()) for v in values.astype(np.float64)])
    owner = np.asarray(item_set.shape.parts.of_entry)
    sums = values.reshape(len(values), values.shape[1], -1).sum(2)
    return np.stack([np.bincount(owner, v) for v in sums.astype(np.float64)])


def _hits(item_set: ItemSet, values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    first = _by_piece(item_set, values).argmax(1)
    return np.where(truth.any(1), truth[np.arange(len(truth)), first].astype(float), np.nan)


def _areas(item_set: ItemSet, values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(k,) of images: AUROC of the smoothed attribution over the cells that were touched."""
    if item_set.shape.modality is not Modality.IMAGE:
        return np.full(len(values), np.nan)
    smooth = _by_piece(item_set, heat(values)[:, None].repeat(values.shape[1], 1))
    both = truth.any(1) & ~truth.all(1)
    return np.array([roc_auc_score(t, s) if b else np.nan for t, s, b in zip(truth, smooth, both, strict=True)])


def _plain(detector: Detector, x: Tensor) -> dict[str, np.ndarray]:
    """What needs no attribution."""
    normals = detector.normals.x
    found = {"z-score": ((x - normals.mean(0)).abs() / normals.std(0).clamp_min(1e-3)).numpy()}
    with torch.no_grad():
        own = detector.model.part_scores(x)
        expected = detector.model.expected(x)
    if expected is not None:
        found["error of each part"] = (x - expected).abs().numpy()
    if own is not None and own.ndim == 3 and x.ndim == 4:
        size = x.shape[2:]
        fine = torch.nn.functional.interpolate(own[:, None].float(), size, mode="bilinear")
        found["own map"] = fine.expand(-1, x.shape[1], -1, -1).numpy()
    found["chance"] = np.random.default_rng(2).random(x.shape).astype(np.float32)
    return found


def _print(found: pd.DataFrame) -> None:
    """Hit rates by method; hit rates by grade with 95 % intervals; completeness."""
    table = found.pivot_table(index=["modality", "detector", "set"], columns="by", values="hit", sort=False)
    print("\nshare of items whose broken part is named first\n" + table.round(2).to_string())
    areas = found.dropna(subset="area")
    if len(areas):
        print("\nAUROC over cells\n" + areas.pivot_table(index="set", columns="by", values="area").round(3).to_string())
    print("\nby grade of the explanation")
    for (modality, by, grade), lines in found.dropna(subset=["grade", "hit"]).groupby(["modality", "by", "grade"]):
        hits = int(lines["hit"].sum())
        low, high = wilson(hits, len(lines))
        rate = f"{hits / len(lines):.2f} [{low:.2f}, {high:.2f}]"
        print(f"{modality:7} {by:22} {grade:14} {hits:4} of {len(lines):4} right  {rate}")
    gaps = found.dropna(subset="gap").groupby(["modality", "detector", "by"])["gap"].median()
    print("\nmedian of |sum - (score - baseline score)| / |score|\n" + gaps.round(4).to_string())


if __name__ == "__main__":
    main()
