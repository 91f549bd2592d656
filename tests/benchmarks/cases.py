"""Labelled data sets and protocols of the benchmark. Labels judge, after the fact; nothing here lets them choose."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.dataset import Dataset
from ad_core.pipeline import open_dataset
from ad_core.training import catalogue
from ad_core.types import Modality

REFERENCES = "references"
"""The cell in which all classical detectors are run."""

RANDOM = "random"
"""Scores drawn by chance: what the figures are worth where nothing was learnt."""

VARIANTS: dict[str, dict[str, Any]] = {
    "balanced, object": {"question": "object"},
    "balanced, own features": {"features": "own"},
}
"""The default for images, told that another object is looked for, and without weights from ImageNet."""

FIRST = {
    "table": [
        REFERENCES,
        RANDOM,
        "balanced",
        "masked_retrieval",
        "masked_cells",
        "random_projections",
        "autoencoder",
        "deep_svdd",
        "denoising_score",
        "internal_contrast",
        "random_transformations",
        "learnt_transformations",
        "scale_order",
        "masked_contrast",
    ],
    "sensor": [REFERENCES, RANDOM, "balanced", "masked_window", "autoencoder"],
    "image": [REFERENCES, RANDOM, "balanced", *VARIANTS, "autoencoder", "rotation", "cutpaste", "simclr"],
}
"""The methods in the order in which they are measured."""

SERIES = [tuple(line.split()) for line in (Path(__file__).parent / "sensor_series.txt").read_text().splitlines()]
"""Family and name of every labelled series with an anomalous row among those that are judged."""

ROWS = 6000
"""A table is cut to so many rows, drawn with the seed."""


@dataclass(frozen=True)
class Cell:
    """One training: a data set, a protocol, a method, a seed."""

    modality: str
    group: str
    name: str
    protocol: str
    method: str
    declared: str
    """What the user says of the training rows: clean, mixed or unsure; of references and of random scores, which are
    told nothing: reference."""
    seed: int

    @property
    def key(self) -> str:
        """Unique and readable, also a part of a file name."""
        method = f"{self.method}-{self.declared}"
        return "__".join((self.modality, self.group, self.name, self.protocol, method, str(self.seed)))


def cells(data: Path, seeds: list[int]) -> Iterator[Cell]:
    """Every cell of the benchmark, in a fixed order: what matters most first."""
    for seed in seeds:
        for method in methods("table"):
            for file in sorted((data / "tabular").glob("*.parquet")):
                for protocol, true in (("A", "clean"), ("B", "mixed")):
                    for declared in dict.fromkeys((true, "unsure") if method == "balanced" else (true,)):
                        yield Cell("table", "tabular", file.stem, protocol, *_told(method, declared), seed)
        for method in methods("sensor"):
            for family, name in SERIES:
                yield Cell("sensor", family, name, "train-part", *_told(method, "unsure"), seed)
        for method in methods("image"):
            for name in ("magnetic_tile", "deeppcb", "cifar10_automobile"):
                yield Cell("image", "image", name, "one-class", *_told(method, "clean"), seed)


def methods(modality: str) -> list[str]:
    """Every installed method of `FIRST`; of recordings and images also the others, in alphabetical order."""
    cards = catalogue.methods(Modality(modality))
    installed = [card.name for card in cards if card.kind in ("recipe", "pretext")]
    others = installed if modality != "table" else []
    known = {REFERENCES, RANDOM, *VARIANTS, *installed}
    return list(dict.fromkeys([name for name in FIRST[modality] if name in known] + others))


def _told(method: str, declared: str) -> tuple[str, str]:
    return method, "reference" if method in (REFERENCES, RANDOM) else declared


def opened(data: Path, cell: Cell, scratch: Path) -> tuple[Dataset, np.ndarray]:
    """The data set of a cell, and which of its rows are judged."""
    return {"table": _table, "sensor": _sensor, "image": _image}[cell.modality](data, cell, scratch)


def _table(data: Path, cell: Cell, scratch: Path) -> tuple[Dataset, np.ndarray]:
    """A: a random half of the normal rows teaches, the rest is judged. B: all rows teach and are judged."""
    manifest = json.loads((data / "tabular" / "manifest.json").read_text())
    frame = pd.read_parquet(data / "tabular" / f"{cell.name}.parquet").drop(columns=_dropped(manifest, cell.name))
    if len(frame) > ROWS:
        frame = frame.sample(ROWS, random_state=cell.seed).sort_index().reset_index(drop=True)
    dataset = open_dataset(frame, modality="table", label="is_anomaly", use=list(frame.columns.drop("is_anomaly")))
    if cell.protocol == "B":
        return dataset, np.ones(len(frame), dtype=bool)
    normal = np.flatnonzero(frame["is_anomaly"].to_numpy() == 0)
    teaches = np.zeros(len(frame), dtype=bool)
    teaches[np.random.default_rng(cell.seed).permutation(normal)[: len(normal) // 2]] = True
    return dataset.with_training_rows(teaches), ~teaches


def _dropped(manifest: list[dict[str, Any]], name: str) -> list[str]:
    return next((list(entry.get("drop_columns") or []) for entry in manifest if entry["name"] == name), [])


def _sensor(data: Path, cell: Cell, scratch: Path) -> tuple[Dataset, np.ndarray]:
    """The family's own training part teaches; the rows after it are judged."""
    frame = pd.read_parquet(data / "sensor" / cell.group / f"{cell.name}.parquet")
    if cell.group == "skab":
        teaches = np.arange(len(frame)) < 400
    elif cell.group == "nab":
        teaches = np.arange(len(frame)) < int(0.15 * len(frame))
    else:
        teaches = frame["split"].to_numpy() == 0
    frame = frame.drop(columns=[c for c in ("split", "changepoint", "is_anomaly_point") if c in frame])
    time = next((c for c in ("timestamp", "datetime", "time") if c in frame), None)
    dataset = open_dataset(frame, modality="sensor", label="is_anomaly", time=time)
    return dataset.with_training_rows(teaches), ~teaches


def _image(data: Path, cell: Cell, scratch: Path) -> tuple[Dataset, np.ndarray]:
    """Normal training images teach, the test part is judged."""
    folder = data / "image" / cell.name
    if (archive := folder / "cifar10_automobile_vs_rest.npz").exists():
        folder = _unpacked(archive, scratch)
    train = sorted((folder / "train" / "good").iterdir())
    test = sorted(p for p in (folder / "test").rglob("*") if p.is_file())
    dataset = open_dataset([folder / "train", folder / "test"], modality="image")
    anomalous = np.array(["/good/" not in f"/{p}" for p in dataset.rows["row_id"]])
    teaches = np.zeros(len(dataset), dtype=bool)
    names = {p.name for p in train} - {p.name for p in test}
    teaches[[Path(r).name in names for r in dataset.rows["row_id"]]] = True
    dataset.rows["label"] = anomalous.astype(float)
    return dataset.with_training_rows(teaches), ~teaches


def _unpacked(archive: Path, scratch: Path) -> Path:
    from PIL import Image

    folder = scratch / archive.stem
    if (folder / "done").exists():
        return folder
    arrays = np.load(archive, allow_pickle=False)
    for split, kinds in (("train", np.zeros(len(arrays["x_train"]))), ("test", arrays["y_test"])):
        for i, (pixels, kind) in enumerate(zip(arrays[f"x_{split}"], kinds, strict=True)):
            target = folder / split / ("good" if kind == 0 else "other") / f"{split}_{i:05d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(target)
    (folder / "done").touch()
    return folder
