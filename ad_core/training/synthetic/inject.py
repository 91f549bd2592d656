"""Held-out normals with typed, seeded flaws: what a method can be tried on where nobody has labelled anything.

A made-up anomaly is not a real one. What is measured on it holds for that kind of flaw alone.
"""

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import pandas as pd

from ad_core.data.frame import Frame
from ad_core.training.synthetic import images, recordings, tables
from ad_core.training.synthetic.anomaly import Flaw, Stock
from ad_core.types import Modality

TRIES = 5
"""A flaw may happen to change nothing; so often it is drawn anew."""

FLAWS: dict[Modality, tuple[Flaw, ...]] = {
    Modality.TABLE: tables.FLAWS,
    Modality.IMAGE: images.FLAWS,
    Modality.SENSOR: recordings.FLAWS,
}
"""Kinds of made-up anomalies, by kind of data."""


@dataclass(frozen=True)
class MadeUp:
    """Made-up anomalies of one kind."""

    flaw: Flaw
    frame: Frame
    """The items; it leads back to no rows."""


def made_up_items(
    frame: Frame, usual: np.ndarray, teaching: np.ndarray, count: int, seed: int
) -> tuple[list[MadeUp], list[Flaw]]:
    """Give held-out items flaws of every kind.

    Args:
        usual: positions of the held-out items to change; each is used as often as the others, or once less.
        teaching: positions of the items that flaws take cells, patches and spreads from.
        count: items of each kind.

    Returns:
        Per kind its items, as many as could be made; and the kinds that these data can't have.
    """
    stock, made, impossible = Stock(frame, teaching), [], []
    for flaw in FLAWS[frame.shape.modality]:
        random = np.random.default_rng([seed, crc32(flaw.name.encode())])  # kinds don't depend on each other
        bases = np.resize(random.permutation(usual), count)
        items = [item for base in bases if (item := _changed(flaw, frame, int(base), stock, random)) is not None]
        if len(items) * 2 < count:
            impossible.append(flaw)
        else:
            made.append(MadeUp(flaw, frame_of(frame, np.stack(items))))
    return made, impossible


def frame_of(frame: Frame, x: np.ndarray) -> Frame:
    """Items of the same shape that are no rows of the user's file.

    Args:
        x: (k, *item) float32.
    """
    return replace(frame, x=x, items=pd.DataFrame({"start": np.arange(len(x))}), rows=frame.rows.iloc[:0], times=None)


def _changed(flaw: Flaw, frame: Frame, base: int, stock: Stock, random: np.random.Generator) -> np.ndarray | None:
    """A copy of an item with the flaw; None where it can't be had, or never shows."""
    x = frame.take(np.array([base])).numpy()[0]
    for _ in range(TRIES):
        changed = flaw.make(x.copy(), stock, random)
        if changed is None:
            return None
        if not np.allclose(changed, x, atol=1e-6):
            return changed.astype(np.float32)
    return None
