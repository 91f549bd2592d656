"""Ranks as normal quantiles: by hand, beyond the ends, and for columns that say little."""

import numpy as np
import torch

from ad_core.methods.base_detectors.rank_transform import MOST_KNOTS, RankTransform

Z20 = 0.8416212
"""The 80 % quantile of the standard normal."""


def rows(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None]


def ranked(learnt: np.ndarray, *at: float) -> list[float]:
    return RankTransform.of(learnt)(torch.tensor(at)[:, None])[:, 0].tolist()


def test_tied_values_share_the_middle_of_their_ranks():
    """Of 1, 2, 2, 5: the ranks are 1, 2.5, 2.5 and 4, each of 5, so the quantiles 0.2, 0.5, 0.5 and 0.8."""
    np.testing.assert_allclose(ranked(rows(2, 5, 1, 2), 1, 2, 5), [-Z20, 0, Z20], atol=1e-6)


def test_between_values_it_is_a_line():
    np.testing.assert_allclose(ranked(rows(1, 2, 2, 5), 1.5, 3), [-Z20 / 2, Z20 / 3], atol=1e-6)


def test_beyond_the_ends_distance_goes_on_as_it_came():
    found = ranked(rows(1, 2, 2, 5), 7, 35, -1, -29)

    np.testing.assert_allclose(found, [Z20 + 2, Z20 + 30, -Z20 - 2, -Z20 - 30], rtol=1e-5)


def test_a_column_of_one_value_keeps_distances_beside_columns_of_many():
    learnt = np.column_stack([np.full(9, 3.0), np.arange(9.0)]).astype(np.float32)

    found = RankTransform.of(learnt)(torch.tensor([[3.0, 4.0], [5.0, 4.0], [2.5, 4.0]]))

    np.testing.assert_allclose(found, [[0, 0], [2, 0], [-0.5, 0]], atol=1e-6)


def test_columns_of_one_value_alone_keep_distances():
    np.testing.assert_allclose(ranked(rows(3, 3, 3), 3, 5), [0, 2], atol=1e-6)


def test_it_keeps_the_order_also_where_knots_are_thinned_out():
    random = np.random.default_rng(0)
    learnt = np.exp(3 * random.normal(size=(3 * MOST_KNOTS, 1))).astype(np.float32)
    ranks = RankTransform.of(learnt)

    found = ranks(torch.from_numpy(np.sort(learnt, axis=0)))[:, 0]

    assert ranks.knots.shape == (1, MOST_KNOTS)
    assert (found.diff() >= 0).all()
    assert abs(found.std().item() - 1) < 0.02  # normal, whatever came in


def test_it_has_a_slope_inside_and_beyond():
    x = torch.tensor([[1.5], [40.0]], requires_grad=True)

    RankTransform.of(rows(1, 2, 2, 5))(x).sum().backward()

    torch.testing.assert_close(x.grad, torch.tensor([[Z20], [1.0]]))


def test_it_is_restored_from_its_state():
    ranks, other = RankTransform.of(np.random.default_rng(0).normal(size=(30, 2))), RankTransform()
    other.load_state_dict(ranks.state_dict())

    x = torch.linspace(-5, 5, 20).reshape(10, 2)
    torch.testing.assert_close(other(x), ranks(x))
