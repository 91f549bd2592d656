"""Held-out normals with typed, seeded flaws: what a method can be tried on where nobody has labelled anything.

A synthetic anomaly is not a real one. What is measured on it holds for that kind of flaw alone.
"""

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet
from ad_core.training.synthetic import images, recordings, tables
from ad_core.training.synthetic.anomaly import SyntheticAnomaly, TrainingItems
from ad_core.types import Modality

TRIES = 5
"""A flaw may happen to change nothing; so often it is drawn anew."""

SYNTHETIC_ANOMALIES: dict[Modality, tuple[SyntheticAnomaly, ...]] = {
    Modality.TABLE: tables.SYNTHETIC_ANOMALIES,
    Modality.IMAGE: images.SYNTHETIC_ANOMALIES,
    Modality.SENSOR: recordings.SYNTHETIC_ANOMALIES,
}
"""Kinds of synthetic anomalies, by kind of data."""


@dataclass(frozen=True)
class Injected:
    """Synthetic anomalies of one kind."""

    flaw: SyntheticAnomaly
    item_set: ItemSet
    """The items; it leads back to no rows."""


def inject(
    item_set: ItemSet, usual: np.ndarray, teaching: np.ndarray, count: int, seed: int
) -> tuple[list[Injected], list[SyntheticAnomaly]]:
    """Give held-out items flaws of every kind.

    Args:
        usual: positions of the held-out items to change; each is used as often as the others, or once less.
        teaching: positions of the items that flaws take cells, patches and spreads from.
        count: items of each kind.

    Returns:
        Per kind its items, as many as could be made; and the kinds that these data can't have.
    """
    stock, made, impossible = TrainingItems(item_set, teaching), [], []
    for flaw in SYNTHETIC_ANOMALIES[item_set.shape.modality]:
        random = np.random.default_rng([seed, crc32(flaw.name.encode())])  # kinds don't depend on each other
        bases = np.resize(random.permutation(usual), count)
        items = [item for base in bases if (item := _changed(flaw, item_set, int(base), stock, random)) is not None]
        if len(items) * 2 < count:
            impossible.append(flaw)
        else:
            made.append(Injected(flaw, item_set_of(item_set, np.stack(items))))
    return made, impossible


def item_set_of(item_set: ItemSet, x: np.ndarray) -> ItemSet:
    """Items of the same shape that are no rows of the user's file.

    Args:
        x: (k, *item) float32.
    """
    return replace(
        item_set, x=x, items=pd.DataFrame({"start": np.arange(len(x))}), rows=item_set.rows.iloc[:0], times=None
    )


def _changed(
    flaw: SyntheticAnomaly, item_set: ItemSet, base: int, stock: TrainingItems, random: np.random.Generator
) -> np.ndarray | None:
    """A copy of an item with the flaw; None where it can't be had, or never shows."""
    x = item_set.take(np.array([base])).numpy()[0]
    for _ in range(TRIES):
        changed = flaw.make(x.copy(), stock, random)
        if changed is None:
            return None
        if not np.allclose(changed, x, atol=1e-6):
            return changed.astype(np.float32)
    return None
