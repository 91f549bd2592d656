"""What synthetic anomalies do to a picture of a bright square on dark ground."""

import numpy as np
import pytest

from ad_core.training.synthetic.anomaly import TrainingItems
from ad_core.training.synthetic.images import SYNTHETIC_ANOMALIES
from ad_core.types import ItemShape, Modality, PartKind, Parts
from tests.training.synthetic.test_tables import item_set

BY_NAME = {flaw.name: flaw for flaw in SYNTHETIC_ANOMALIES}
SHAPE = ItemShape(
    modality=Modality.IMAGE,
    size=(3, 48, 48),
    parts=Parts(names=("red", "green", "blue"), of_entry=(0, 1, 2), kinds=(PartKind.NUMBER,) * 3, units=(None,) * 3),
)


def images(n: int = 12) -> np.ndarray:
    random = np.random.default_rng(0)
    x = random.normal(60, 4, (n, 3, 48, 48))
    x[:, :, 12:36, 12:36] += 120
    return x.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def stock() -> TrainingItems:
    return TrainingItems(item_set(images(), SHAPE), np.arange(12))


@pytest.mark.parametrize("name", BY_NAME)
def test_a_flaw_changes_a_part_of_the_image_and_leaves_the_rest(name: str, stock: TrainingItems) -> None:
    random, x = np.random.default_rng(2), images().astype(np.float32) / 255
    changed = np.stack([BY_NAME[name].make(image.copy(), stock, random) for image in x])

    assert changed.min() >= 0
    assert changed.max() <= 1
    moved = (np.abs(changed - x) > 0.02).any(1).mean((1, 2))
    assert moved.max() < 0.6
    assert (moved > 0).mean() > 0.6


def test_a_missing_part_shows_the_tone_of_the_border(stock: TrainingItems) -> None:
    x = images().astype(np.float32)[0] / 255
    changed = BY_NAME["missing_part"].make(x.copy(), stock, np.random.default_rng(0))
    moved = (changed != x).any(0)
    rows, columns = np.flatnonzero(moved.any(1)), np.flatnonzero(moved.any(0))
    part = changed[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

    assert np.ptp(part, axis=(1, 2)).max() == 0
    assert part[:, 0, 0] == pytest.approx([60 / 255] * 3, abs=0.02)
    assert 0.1 * 48 <= len(rows) <= 0.45 * 48
