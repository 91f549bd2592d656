"""Tiny real data of all three kinds, and one detector trained on each, shared by the whole test session."""

from pathlib import Path

import hypothesis
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ad_core import pipeline
from ad_core.progress import Silent

hypothesis.settings.register_profile("calm", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("calm")

FEW_STEPS = {"training": {"max_steps": 60}}


def payments(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Amount follows the category, hours are office hours; the last five rows break that."""
    rng = np.random.default_rng(seed)
    shop = rng.choice(["food", "fuel", "travel"], rows)
    amount = np.select([shop == "food", shop == "fuel"], [30.0, 70.0], 900.0) * rng.lognormal(0, 0.2, rows)
    frame = pd.DataFrame(
        {
            "payment": [f"P{i:05d}" for i in range(rows)],
            "amount [EUR]": amount.round(2),
            "shop": shop,
            "hour": rng.integers(8, 19, rows).astype(float),
            "card_present": rng.random(rows) < 0.8,
            "is_fraud": 0,
        }
    )
    broken = frame.index[-5:]
    frame.loc[broken, ["amount [EUR]", "shop", "hour", "is_fraud"]] = [4980.0, "food", 3.0, 1]
    frame.loc[::17, "hour"] = np.nan
    return frame


def recording(rows: int = 1200, seed: int = 0, broken: bool = True) -> pd.DataFrame:
    """Two sines that keep step; from row 1000 on one of them is noise for 60 rows."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    frame = pd.DataFrame(
        {
            "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(t, unit="s"),
            "flow [l/s]": np.sin(t / 7) + rng.normal(0, 0.05, rows),
            "pressure [bar]": np.sin(t / 7 + 1) + rng.normal(0, 0.05, rows),
            "is_anomaly": 0,
        }
    )
    if broken:
        frame.loc[1000:1059, "pressure [bar]"] = rng.normal(0, 2, 60)
        frame.loc[1000:1059, "is_anomaly"] = 1
    return frame


def plates(folder: Path, good: int = 40, scratched: int = 3, side: int = 40) -> Path:
    """Grey plates with a dark hole in a corner; scratched ones have a bright diagonal."""
    rng = np.random.default_rng(0)
    for kind, count in (("good", good), ("scratch", scratched)):
        (folder / kind).mkdir(parents=True)
        for i in range(count):
            pixels = rng.normal(130, 4, (side, side))
            pixels[5:12, 5:12] = 30
            if kind == "scratch":
                at = np.arange(10, 30)
                pixels[at, at] = pixels[at, at + 1] = 250
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / kind / f"{i:03d}.png")
    return folder


@pytest.fixture(scope="session")
def payments_file(tmp_path_factory) -> Path:
    """A CSV with numbers, a category, a boolean, missing cells, an id and a label."""
    file = tmp_path_factory.mktemp("payments") / "payments.csv"
    payments().to_csv(file, index=False)
    return file


@pytest.fixture(scope="session")
def recording_file(tmp_path_factory) -> Path:
    """A Parquet recording with a label."""
    file = tmp_path_factory.mktemp("recording") / "pump.parquet"
    recording().to_parquet(file, index=False)
    return file


@pytest.fixture(scope="session")
def plates_folder(tmp_path_factory) -> Path:
    """A folder of PNG images, `good/` and `scratch/`."""
    return plates(tmp_path_factory.mktemp("plates"))


@pytest.fixture(scope="session")
def trained_on_payments(payments_file) -> pipeline.Trained:
    """Masked cells on the payments."""
    dataset = pipeline.open_dataset(payments_file, label="is_fraud", id="payment")
    return pipeline.train_all(dataset, pipeline.Choice(pretext="masked_cells", settings=FEW_STEPS), Silent())


@pytest.fixture(scope="session")
def trained_on_recording(recording_file) -> pipeline.Trained:
    """Masked windows on the first 900 rows of the recording."""
    dataset = pipeline.open_dataset(recording_file, label="is_anomaly", time="time")
    settings = {**FEW_STEPS, "reader": {"window": 32}}
    teaching = dataset.with_training_rows(np.arange(len(dataset)) < 900)
    return pipeline.train_all(teaching, pipeline.Choice(pretext="masked_window", settings=settings), Silent())


@pytest.fixture(scope="session")
def trained_on_plates(plates_folder) -> pipeline.Trained:
    """An autoencoder on the good plates."""
    dataset = pipeline.open_dataset(plates_folder, only=["folder=good"])
    settings = {**FEW_STEPS, "reader": {"size": 32}}
    return pipeline.train_all(dataset, pipeline.Choice(pretext="autoencoder", settings=settings), Silent())
