"""Which normal items are nearest: an item itself comes last, another one that has its id does not."""

import numpy as np
import pytest

from ad_core.data.item_set import ItemSet
from ad_core.explain.neighbours import nearest
from ad_core.pipeline import Trained


def restarted(item_set: ItemSet, by: int) -> ItemSet:
    """The same items in another order, under ids in the old order."""
    rows = item_set.rows.assign(row_id=np.roll(item_set.rows["row_id"].to_numpy(), by))
    return ItemSet(item_set.shape, item_set.x, item_set.items, rows, item_set.span)


@pytest.mark.parametrize("data", ["trained_on_payments", "trained_on_recording", "trained_on_plates"])
def test_a_normal_item_is_not_its_own_neighbour_but_one_of_another_id_is(data, request):
    """With ids that were moved on by one item, the nearest normal item of each normal item is that item."""
    trained: Trained = request.getfixturevalue(data)
    detector, item_set = trained.detector, trained.item_set
    by_id = {row_id: item for item, row_id in enumerate(item_set.row_ids(np.arange(len(item_set))))}
    items = np.array([by_id[row_id] for row_id in detector.normals.row_ids[:20]])

    own, own_distance = nearest(detector, item_set, items)
    _, moved_distance = nearest(detector, restarted(item_set, 3), items)

    assert (own[:, 0] != np.arange(len(items))).all()
    assert (moved_distance[:, 0] <= 1e-6).all()
    assert (own_distance[:, 0] > moved_distance[:, 0]).all()


@pytest.mark.parametrize("data", ["trained_on_payments", "trained_on_plates"])
def test_the_nearest_normal_row_stays_nearest_when_a_row_of_other_values_has_its_id(data, request):
    trained: Trained = request.getfixturevalue(data)
    detector, item_set = trained.detector, trained.item_set
    ids = item_set.rows["row_id"].to_numpy().copy()
    item = next(i for i, row_id in enumerate(ids) if row_id not in detector.normals.row_ids)
    normal = int(nearest(detector, item_set, np.array([item]))[0][0, 0])
    there = int(np.flatnonzero(ids == detector.normals.row_ids[normal])[0])
    ids[[item, there]] = ids[[there, item]]
    swapped = ItemSet(item_set.shape, item_set.x, item_set.items, item_set.rows.assign(row_id=ids))

    assert nearest(detector, swapped, np.array([item]))[0][0, 0] == normal
