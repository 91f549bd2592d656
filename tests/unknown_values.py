"""Training data, and new data with values that these never had, for the tests of every verb, job and page."""

from pathlib import Path

import numpy as np
import pandas as pd

from ad_core import pipeline

METHOD = "mahalanobis"
ODD = [0, 1, 2, 3]
"""Rows of the new table whose 0/1 column, boolean, category and number cell are unknown or unreadable."""


def pumps(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Two correlated numbers, a 0/1 column, a boolean, a category and a label."""
    rng = np.random.default_rng(seed)
    size = rng.normal(50, 5, rows)
    return pd.DataFrame(
        {
            "pump": [f"p{seed}-{i}" for i in range(rows)],
            "size": size.round(2),
            "load": (2 * size + rng.normal(0, 1, rows)).round(2),
            "valve": rng.integers(0, 2, rows),
            "locked": rng.random(rows) < 0.5,
            "plant": rng.choice(["north", "south", "east"], rows),
            "truth": 0,
        }
    )


def odd_pumps() -> pd.DataFrame:
    """New rows of which four hold an unknown value each, plants in capitals, and a label of classes."""
    new = pumps(60, seed=1).astype({"locked": object, "size": object})
    new["plant"] = new["plant"].str.upper()
    new.loc[0, "valve"] = 2
    new.loc[1, "locked"] = "jammed"
    new.loc[2, "plant"] = "west"
    new.loc[3, "size"] = "ERR"
    new["truth"] = np.where(np.arange(60) < 4, "leak", "fine so far")
    return new


def signals(rows: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Two sines that keep step, a switch that follows one of them, and a mode of two words."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    return pd.DataFrame(
        {
            "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(t, unit="s"),
            "flow": np.sin(t / 7) + rng.normal(0, 0.05, rows),
            "pressure": np.sin(t / 7 + 1) + rng.normal(0, 0.05, rows),
            "open": (np.sin(t / 7) > 0.5).astype(int),
            "mode": np.where(np.sin(t / 70) > 0, "run", "idle"),
        }
    )


def written(folder: Path) -> dict[str, Path]:
    """Both tables as CSV files, a third without the column `load`, and the bundle of a detector of the first."""
    files = {name: folder / f"{name}.csv" for name in ("train", "odd", "short")}
    for name, table in (("train", pumps()), ("odd", odd_pumps()), ("short", odd_pumps().drop(columns="load"))):
        table.to_csv(files[name], index=False)
    dataset = pipeline.open_dataset(files["train"], label="truth", id="pump")
    return files | {"bundle": pipeline.train(dataset, METHOD).save(folder / "bundle")}
