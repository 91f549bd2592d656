"""One input, fully determined by a seed and a number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ad_core.data.dataset import ColumnKind
from ad_core.types import Modality
from tests.fuzz.images import write_images
from tests.fuzz.odd_values import made_odd
from tests.fuzz.recordings import clean_recording, odd_clock
from tests.fuzz.tables import clean_table
from tests.fuzz.writers import write


@dataclass(frozen=True)
class Input:
    """A file or a folder, and what is known about it."""

    seed: int
    number: int
    kind: Modality
    folder: Path
    """What was written lies in it."""
    path: Path
    """What is opened."""
    said: str
    """What is unusual about it."""
    rows: int
    """Number of rows that were written, -1 where it is not certain."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `open_dataset`."""
    trains: bool = False
    """A detector is also trained on it."""

    @property
    def draw(self) -> np.random.Generator:
        """Chance for what is done with the input, the same each time."""
        return np.random.default_rng([self.seed, self.number, 1])


def make_input(seed: int, number: int, folder: Path) -> Input:
    """Write input `number` of a seed into an empty folder."""
    rng = np.random.default_rng([seed, number])
    kind = Modality(str(rng.choice(["table", "sensor", "image"], p=[0.5, 0.3, 0.2])))
    if kind is Modality.IMAGE:
        path, said, rows = write_images(rng, folder)
        return Input(seed, number, kind, folder, path, said, rows, trains=rng.random() < 0.03)
    made = _recording(rng, folder) if kind is Modality.SENSOR else _table(rng, folder)
    path, said, rows, columns = made
    return Input(seed, number, kind, folder, path, said, rows, _options(rng, kind, columns), trains=rng.random() < 0.06)


def _table(rng: np.random.Generator, folder: Path) -> tuple[Path, str, int, list[str]]:
    frame, said = made_odd(rng, clean_table(rng, int(rng.integers(20, 61))), int(rng.integers(0, 4)))
    written = write(rng, frame, folder)
    return written.path, "; ".join([*written.said, *said]), written.rows, list(map(str, frame.columns))


def _recording(rng: np.random.Generator, folder: Path) -> tuple[Path, str, int, list[str]]:
    layout = int(rng.choice(3, p=[0.7, 0.15, 0.15]))
    pumps = [f"pump {name}" for name in "abc"[: int(rng.integers(1, 4))]]
    frames = [
        clean_recording(rng, int(rng.integers(20, 61)) // len(pumps) + 2, pump if layout == 1 else None)
        for pump in (pumps if layout else pumps[:1])
    ]
    if layout == 1:
        frames = [pd.concat(frames, ignore_index=True)]
    said: list[str] = [f"{len(frames)} files"] if layout == 2 else []
    paths, rows, frame = [], 0, frames[0]
    for number, clean in enumerate(frames):
        frame = odd_clock(rng, clean) if rng.random() < 0.6 else clean
        frame, changes = made_odd(rng, frame, int(rng.integers(0, 3)))
        written = write(rng, frame, folder / "pumps", f"pump_{number}")
        rows = rows + written.rows if min(rows, written.rows) >= 0 else -1
        paths.append(written.path)
        said += [*written.said, *changes]
    return paths[0].parent if layout == 2 else paths[0], "; ".join(said), rows, list(map(str, frame.columns))


def _options(rng: np.random.Generator, kind: Modality, columns: list[str]) -> dict[str, Any]:
    """Declarations as a user may give them; seldom."""
    any_column = str(rng.choice(columns)) if columns else "x"
    match rng.integers(20):
        case 0:
            return {"modality": str(rng.choice(["table", "sensor"]))}
        case 1:
            return {"header": int(rng.choice([0, 1, 2, 5]))}
        case 2:
            return {"label": any_column}
        case 3:
            return {"id": any_column}
        case 4:
            return {"time": "time" if kind is Modality.SENSOR else any_column}
        case 5:
            return {"entity": any_column, "time": "time" if kind is Modality.SENSOR else any_column}
        case 6:
            return {"every_line": True}
        case 7:
            return {"kinds": {any_column: str(rng.choice(list(ColumnKind)))}}
        case 8:
            return {"ignore": [any_column]}
        case 9:
            return {"use": [any_column]}
    return {}
