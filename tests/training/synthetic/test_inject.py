"""Synthetic anomalies are seeded, made of held-out items, and no kind depends on another."""

import numpy as np
import pandas as pd
import pytest

from ad_core.data.item_set import ItemSet
from ad_core.training.synthetic.inject import SYNTHETIC_ANOMALIES, inject
from ad_core.types import Modality
from tests.contracts import items

HELD_OUT, TRAINING = np.arange(64, 96), np.arange(64)


@pytest.mark.parametrize("modality", Modality)
def test_every_kind_gives_items_that_differ_from_the_real_ones(modality: Modality) -> None:
    item_set = items.item_set(modality)
    made, impossible = inject(item_set, HELD_OUT, TRAINING, 24, 0)

    assert not impossible
    assert [kind.flaw for kind in made] == list(SYNTHETIC_ANOMALIES[modality])
    real = item_set.take(HELD_OUT).numpy()
    for kind in made:
        x = kind.item_set.take(np.arange(len(kind.item_set))).numpy()
        assert len(x) >= 12
        assert x.shape[1:] == real.shape[1:]
        assert x.dtype == np.float32
        assert not any((np.abs(real - item) < 1e-6).all((*range(1, real.ndim),)).any() for item in x), kind.flaw.name


@pytest.mark.parametrize("modality", Modality)
def test_the_seed_says_all(modality: Modality) -> None:
    def made(seed: int) -> list[np.ndarray]:
        return [k.item_set.x for k in inject(items.item_set(modality), HELD_OUT, TRAINING, 8, seed)[0]]

    assert all(np.array_equal(a, b) for a, b in zip(made(3), made(3), strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(made(3), made(4), strict=True))


def test_the_frame_that_they_are_made_of_stays_as_it_is() -> None:
    item_set = items.item_set(Modality.TABLE)
    before = item_set.x.copy()
    inject(item_set, HELD_OUT, TRAINING, 24, 0)

    assert np.array_equal(item_set.x, before)


def test_what_can_not_be_made_is_named() -> None:
    """A single yes-or-no column: nothing can be swapped, shifted or lie between."""
    parts = {"names": ("yes",), "of_entry": (0,), "kinds": ("number",), "units": (None,)}
    shape = items.shape(Modality.TABLE).model_validate({"modality": "table", "size": (1,), "parts": parts})
    x = (np.arange(60) % 2).astype(np.float32)[:, None]
    rows = pd.DataFrame({"row_id": np.arange(60).astype(str), "sample": np.arange(60), "note": ""})
    item_set = ItemSet(shape, x, pd.DataFrame({"start": np.arange(60)}), rows)

    made, impossible = inject(item_set, np.arange(40, 60), np.arange(40), 10, 0)

    assert not made
    assert impossible == list(SYNTHETIC_ANOMALIES[Modality.TABLE])
