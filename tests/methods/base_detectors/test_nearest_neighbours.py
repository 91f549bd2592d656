"""Mean distance to the nearest rows: by hand, as they are and by rank."""

import numpy as np
import pytest
import torch
from scipy.special import ndtri

from ad_core.methods.base_detectors.nearest_neighbours import NearestNeighbours, RankedNearestNeighbours


def rows(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)[:, None]


def test_a_row_that_taught_is_scored_without_itself():
    """The others of 1 among 0, 1, 3 and 7 are 1, 2 and 6 away."""
    bank = rows(0, 1, 3, 7)

    found = NearestNeighbours.of(bank)(torch.from_numpy(bank))

    np.testing.assert_allclose(found, [11 / 3, 9 / 3, 9 / 3, 17 / 3], rtol=1e-5)


def test_of_many_rows_five_count():
    np.testing.assert_allclose(NearestNeighbours.of(rows(*range(10)))(torch.tensor([[-1.0]])), [3.0], rtol=1e-5)


def test_a_copy_of_a_row_is_its_neighbour():
    """Left out once: of 0, 0, 0 and 8 two are left at 0."""
    np.testing.assert_allclose(NearestNeighbours.of(rows(0, 0, 0, 8))(torch.tensor([[0.0]])), [8 / 3], rtol=1e-5)


def test_by_rank_distances_are_those_of_the_normal_quantiles():
    """Of 1, 10 and 1000 the quantiles are those of 1/4, 2/4 and 3/4."""
    bank, z = rows(1, 10, 1000), ndtri(0.75)

    found = RankedNearestNeighbours.of(bank)(torch.from_numpy(bank))

    np.testing.assert_allclose(found, [1.5 * z, z, 1.5 * z], rtol=1e-5)


def test_by_rank_a_heavy_tail_does_not_drown_the_other_column():
    """Rows on a diagonal in the ranks, one of them off it; the second column spans seven orders of magnitude."""
    steps = np.linspace(-2, 2, 41)
    x = np.column_stack([steps, np.exp(4 * steps)]).astype(np.float32)
    x[20, 1] = np.exp(7.5)  # usual by itself, but not for a row in the middle
    x_tensor = torch.from_numpy(x)

    assert RankedNearestNeighbours.of(x)(x_tensor)[1:-1].argmax() == 19
    assert NearestNeighbours.of(x)(x_tensor)[1:-1].argmax() != 19


@pytest.mark.parametrize("cls", [NearestNeighbours, RankedNearestNeighbours])
def test_the_farther_off_the_higher_without_end(cls):
    member = cls.of(np.random.default_rng(0).normal(size=(100, 3)))

    scores = member(torch.tensor([[0.0], [3.0], [10.0], [30.0]]).expand(4, 3))

    assert (scores.diff() > 1).all()


@pytest.mark.parametrize("cls", [NearestNeighbours, RankedNearestNeighbours])
def test_it_is_restored_from_its_state(cls):
    member, other = cls.of(np.random.default_rng(0).normal(size=(30, 2))), cls()
    other.load_state_dict(member.state_dict())

    x = torch.linspace(-5, 5, 20).reshape(10, 2)
    torch.testing.assert_close(other(x), member(x))
