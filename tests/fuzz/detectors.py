"""Detectors that were trained once, on clean data of each kind."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ad_core import pipeline
from ad_core.detector.detector import Detector
from ad_core.types import Modality
from tests.fuzz.images import clean_images
from tests.fuzz.recordings import clean_recording
from tests.fuzz.tables import clean_table

METHODS = {
    Modality.TABLE: ("nearest_neighbours", "balanced"),
    Modality.SENSOR: ("nearest_neighbours", "balanced"),
    Modality.IMAGE: ("histogram", "nearest_neighbours"),
}
"""A quick one, and the default method where that is quick too."""
SETTINGS = {Modality.SENSOR: {"reader": {"window": 8}}}
"""Windows that fit into short recordings."""


@cache
def trained(kind: Modality, method: str) -> Detector:
    """A detector of clean data, trained on few of them."""
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        dataset = pipeline.open_dataset(_clean(rng, kind, Path(folder)))
        return pipeline.train(dataset, method, settings=SETTINGS.get(kind))


def _clean(rng: np.random.Generator, kind: Modality, folder: Path) -> Path:
    if kind is Modality.IMAGE:
        return clean_images(rng, folder / "good", 40)
    frame = clean_table(rng, 120) if kind is Modality.TABLE else clean_recording(rng, 240)
    frame.to_csv(folder / "clean.csv", index=False)
    return folder / "clean.csv"
