"""Draws are shared in scoring, frames lead item scores back to rows, maps back to pixels."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ad_core.data.item_set import ItemSet
from ad_core.types import Draw, ItemShape, Modality, PartKind, Parts


def windows(entities: list[int], span: int, stride: int) -> ItemSet:
    """Recordings of these lengths, one after the other, one channel that counts samples."""
    total = sum(entities)
    series = np.arange(total, dtype=np.float32)[:, None]
    begins = np.concatenate([[0], np.cumsum(entities)[:-1]])
    starts = [
        start
        for begin, length in zip(begins, entities, strict=True)
        for start in sorted(
            {*range(begin, begin + length - span + 1, stride), *([begin + length - span] if length >= span else [])}
        )
    ]
    shape = ItemShape(
        modality=Modality.SENSOR,
        size=(1, span),
        parts=Parts(names=("c",), of_entry=(0,), kinds=(PartKind.NUMBER,), units=(None,)),
    )
    rows = pd.DataFrame({"row_id": np.arange(total).astype(str), "sample": np.arange(total), "note": ""})
    view = np.lib.stride_tricks.sliding_window_view(series, span, axis=0)
    return ItemSet(shape, view, pd.DataFrame({"start": starts}), rows, span)


def test_in_scoring_all_items_share_one_row_of_random_numbers():
    draw = Draw.shared(seed=3)

    values = draw.normal(5, 4)

    assert values.shape == (5, 4)
    assert (values == values[0]).all()


def test_in_training_every_item_has_its_own_row():
    values = Draw.per_item(seed=3).normal(5, 4)

    assert len(torch.unique(values, dim=0)) == 5


def test_a_shared_draw_does_not_depend_on_how_many_items_ask():
    assert torch.equal(Draw.shared(7).integers(100, 2, 6)[0], Draw.shared(7).integers(100, 50, 6)[0])


def test_permutations_hold_every_number_once():
    assert (Draw.per_item(0).permutations(6, 20).sort(dim=1).values == torch.arange(6)).all()


def test_windows_are_views_and_never_copied_out():
    item_set = windows([100], span=16, stride=4)

    assert np.shares_memory(item_set.x[0], item_set.x[5])
    assert item_set.take(np.array([3])).shape == (1, 1, 16)


def test_a_time_stamp_gets_the_mean_of_the_windows_that_cover_it():
    item_set = windows([6], span=4, stride=2)  # windows 0..3 and 2..5

    assert item_set.reduce(np.array([1.0, 3.0])).tolist() == [1, 1, 2, 2, 3, 3]
    assert item_set.reduce(np.array([1.0, 3.0]), how="max").tolist() == [1, 1, 3, 3, 3, 3]


def test_scores_per_sample_of_a_window_go_to_their_own_time_stamps():
    item_set = windows([4], span=4, stride=1)

    assert item_set.reduce(np.array([[1.0, 2.0, 3.0, 4.0]])).tolist() == [1, 2, 3, 4]


def test_a_row_that_no_item_covers_has_no_score():
    item_set = windows([3, 6], span=4, stride=2)

    assert np.isnan(item_set.reduce(np.ones(len(item_set)))).tolist() == [True] * 3 + [False] * 6


def test_items_within_chosen_rows_never_straddle_a_border():
    item_set = windows([20], span=4, stride=1)

    inside = item_set.items_within(np.arange(20) < 10)

    assert item_set.items["start"].to_numpy()[inside].tolist() == [0, 1, 2, 3, 4, 5, 6]


@given(
    entities=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    span=st.integers(1, 12),
    stride=st.integers(1, 6),
    value=st.floats(-1e6, 1e6),
)
def test_a_constant_score_stays_that_constant_on_every_covered_row(entities, span, stride, value):
    if max(entities) < span:
        entities.append(span)
    item_set = windows(entities, span, min(stride, span))

    rows = item_set.reduce(np.full(len(item_set), value))

    covered = np.repeat([length >= span for length in entities], entities)
    assert np.isnan(rows[~covered]).all()
    assert rows[covered] == pytest.approx(value, rel=1e-12)


def test_pixels_of_eight_and_sixteen_bits_are_scaled_to_one():
    shape = ItemShape(
        modality=Modality.IMAGE,
        size=(1, 2, 2),
        parts=Parts(names=("grey",), of_entry=(0,), kinds=(PartKind.NUMBER,), units=(None,)),
    )
    rows = pd.DataFrame({"row_id": ["a"], "sample": [0], "note": [""], "height": [6], "width": [4]})
    items = pd.DataFrame({"start": [0]})

    eight = ItemSet(shape, np.full((1, 1, 2, 2), 255, np.uint8), items, rows)
    sixteen = ItemSet(shape, np.full((1, 1, 2, 2), 65535, np.uint16), items, rows)

    assert eight.take(slice(None)).unique().tolist() == [1.0]
    assert sixteen.take(slice(None)).unique().tolist() == [1.0]
    assert eight.place(np.ones((1, 2, 2)), 0).shape == (6, 4)
