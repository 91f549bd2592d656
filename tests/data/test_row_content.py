"""The content of rows: equal for equal values, other for other values, and no matter how the last bits are rounded."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ad_core.data.item_set import ItemSet
from ad_core.data.row_content import CONTENT, RowContent, has_content, known_rows
from ad_core.types import ItemShape, Modality, PartKind, Parts


def parts(d: int) -> Parts:
    return Parts(
        names=tuple(f"c{i}" for i in range(d)),
        of_entry=tuple(range(d)),
        kinds=(PartKind.NUMBER,) * d,
        units=(None,) * d,
    )


def table(x: np.ndarray) -> ItemSet:
    n, d = x.shape
    rows = pd.DataFrame({"row_id": [f"r{i}" for i in range(n)], "sample": np.arange(n), "note": ""})
    shape = ItemShape(modality=Modality.TABLE, size=(d,), parts=parts(d))
    return ItemSet(shape, x.astype(np.float32), pd.DataFrame({"start": np.arange(n)}), rows)


def recording(samples: np.ndarray, window: int = 8, stride: int = 1) -> ItemSet:
    n, channels = samples.shape
    x = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), window, axis=0)
    rows = pd.DataFrame({"row_id": np.arange(n).astype(str), "sample": np.arange(n), "note": ""})
    shape = ItemShape(modality=Modality.SENSOR, size=(channels, window), parts=parts(channels))
    return ItemSet(shape, x, pd.DataFrame({"start": np.arange(0, n - window + 1, stride)}), rows, span=window)


def known(item_set: ItemSet) -> pd.DataFrame:
    return item_set.rows[["row_id"]].join(RowContent.of(item_set).table())


X = np.random.default_rng(0).normal(size=(50, 6))


def test_rows_are_known_by_id_and_values_together():
    other_values, other_ids = X.copy(), table(X)
    other_values[7, 2] += 0.01
    other_ids = replace(other_ids, rows=other_ids.rows.assign(row_id=[f"s{i}" for i in range(50)]))

    assert known_rows(known(table(X)), table(X)).tolist() == list(range(50))
    assert np.flatnonzero(known_rows(known(table(X)), table(other_values)) < 0).tolist() == [7]
    assert (known_rows(known(table(X)), other_ids) < 0).all()
    moved = known_rows(known(table(X)), table(np.roll(X, 1, axis=0)))
    assert (moved < 0).all()


def test_rounding_in_the_last_bits_is_no_other_content():
    rounded = np.nextafter(X.astype(np.float32), np.float32(np.inf))

    assert (known_rows(known(table(X)), table(rounded)) >= 0).all()


def test_rows_that_cannot_be_scored_are_not_known():
    item_set = table(X)
    missing = replace(item_set, rows=item_set.rows.assign(sample=[-1, *range(1, 50)]))

    assert known_rows(known(item_set), missing)[0] == -1
    assert np.isnan(RowContent.of(missing).sums[0]).all()


def test_without_stored_content_the_id_decides():
    older = known(table(X)).drop(columns=CONTENT)

    assert not has_content(older)
    assert known_rows(older, table(X + 1)).tolist() == list(range(50))


@pytest.mark.parametrize("stride", [1, 3])
def test_a_time_step_has_the_same_content_in_every_window(stride):
    samples = np.random.default_rng(1).normal(size=(40, 3))

    whole, cut = RowContent.of(recording(samples)), RowContent.of(recording(samples[5:], stride=stride))

    np.testing.assert_allclose(cut.sums[:30], whole.sums[5:35])


def test_tiles_of_an_image_add_up_to_its_content():
    tiles = np.random.default_rng(2).integers(0, 255, (4, 1, 16, 16)).astype(np.uint8)
    rows = pd.DataFrame({"row_id": ["a", "b"], "sample": [0, 1], "note": "", "height": 16, "width": 32})
    items = pd.DataFrame({"start": [0, 0, 1, 1], "at": range(4), "top": 0, "left": [0, 16, 0, 16]})
    items = items.assign(height=16, width=16)
    shape = ItemShape(modality=Modality.IMAGE, size=(1, 16, 16), parts=parts(1))
    item_set = ItemSet(shape, tiles, items, rows)
    other = tiles.copy()
    other[3, 0, 4, 4] ^= 64

    assert known_rows(known(item_set), item_set).tolist() == [0, 1]
    assert known_rows(known(item_set), replace(item_set, x=other)).tolist() == [0, -1]
