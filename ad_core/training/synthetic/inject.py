"""Injection of synthetic anomalies into held-out normal items, to try methods without labels.

A synthetic anomaly is not a real one: a result holds for its kind of anomaly only.
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
"""Number of attempts, since a drawn anomaly may happen to change nothing."""

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
    """The items, without rows of the user's file."""


def inject(
    item_set: ItemSet, usual: np.ndarray, teaching: np.ndarray, count: int, seed: int
) -> tuple[list[Injected], list[SyntheticAnomaly]]:
    """Inject anomalies of every kind into copies of held-out items.

    Args:
        usual: positions of the held-out items; each is used equally often, up to one.
        teaching: positions of the training items, from which cells, patches and spreads are taken.
        count: number of items per kind.

    Returns:
        Per kind the items, as many as could be made; and the kinds that these data can't have.
    """
    stock, made, impossible = TrainingItems(item_set, teaching), [], []
    for flaw in SYNTHETIC_ANOMALIES[item_set.shape.modality]:
        random = np.random.default_rng([seed, crc32(flaw.name.encode())])  # independent of the other kinds
        bases = np.resize(random.permutation(usual), count)
        items = [item for base in bases if (item := _changed(flaw, item_set, int(base), stock, random)) is not None]
        if len(items) * 2 < count:
            impossible.append(flaw)
        else:
            made.append(Injected(flaw, item_set_of(item_set, np.stack(items))))
    return made, impossible


def item_set_of(item_set: ItemSet, x: np.ndarray) -> ItemSet:
    """Items of the same shape without rows of the user's file.

    Args:
        x: (k, *item) float32.
    """
    return replace(
        item_set, x=x, items=pd.DataFrame({"start": np.arange(len(x))}), rows=item_set.rows.iloc[:0], times=None
    )


def _changed(
    flaw: SyntheticAnomaly, item_set: ItemSet, base: int, stock: TrainingItems, random: np.random.Generator
) -> np.ndarray | None:
    """A copy of an item with the anomaly; None if the item can't have it or never changes."""
    x = item_set.take(np.array([base])).numpy()[0]
    for _ in range(TRIES):
        changed = flaw.make(x.copy(), stock, random)
        if changed is None:
            return None
        if not np.allclose(changed, x, atol=1e-6):
            return changed.astype(np.float32)
    return None
