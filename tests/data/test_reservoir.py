"""Drawing from a stream."""

import numpy as np
import pytest
import torch

from ad_core.data.reservoir import at_positions, drawn, drawn_items

ROWS = torch.arange(1000.0)[:, None]


def test_everything_is_kept_where_it_fits():
    assert torch.equal(drawn(ROWS.split(300), 1000), ROWS)


@pytest.mark.parametrize("size", [1, 7, 300, 1000])
def test_the_draw_does_not_depend_on_how_the_rows_are_cut(size):
    assert torch.equal(drawn(ROWS.split(size), 50, seed=3), drawn([ROWS], 50, seed=3))


def test_every_row_has_about_the_same_chance():
    """100 of 1000 rows, 200 times: a row is drawn 20 times on average, with a standard deviation of 4.2."""
    counts = torch.zeros(1000)
    for seed in range(200):
        counts[drawn(ROWS.split(64), 100, seed)[:, 0].long()] += 1

    assert counts.sum() == 200 * 100
    assert abs(counts[:500].sum() - 10_000) < 5 * 70  # 70 = standard deviation of the count in one half
    assert 3 < counts.std() < 6


def test_nothing_to_draw_from_is_a_bug():
    with pytest.raises(ValueError, match="no chunk"):
        drawn([], 5)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_rows_at_positions_are_those_however_the_stream_is_cut(size):
    rows = torch.arange(40.0).view(20, 2)
    positions = torch.tensor([0, 2, 3, 11, 19])

    assert torch.equal(at_positions(rows.split(size), positions), rows[positions])


def test_of_few_positions_all_are_taken_and_of_many_some_in_order():
    index = np.arange(100, 200)[::-1]

    some = drawn_items(index, 30, seed=1)

    assert drawn_items(index, 100, seed=1) is index
    assert len(set(some)) == 30
    assert np.isin(some, index).all()
    assert (np.diff(some) > 0).all()
    assert not np.array_equal(some, drawn_items(index, 30, seed=2))
