"""Mahalanobis distance to the nearest rows, against plain numpy."""

import numpy as np
import pytest
import torch

from ad_core.methods.base_detectors import local_mahalanobis
from ad_core.methods.base_detectors.local_mahalanobis import DIRECTIONS, LocalMahalanobis
from ad_core.methods.perturbed_copies import SourceItems


def rows(n: int = 24, d: int = 3) -> np.ndarray:
    """With a heavy tail in the first column."""
    random = np.random.default_rng(0)
    x = random.normal(size=(n, d))
    x[:, 0] = np.exp(2 * x[:, 0])
    return x.astype(np.float32)


def by_numpy(x: np.ndarray, new: np.ndarray, itself: int | None) -> float:
    """Distance of one row to its n / 4 nearest rows of x, step by step as in the docstring."""
    low, middle, high = np.quantile(x, [0.1, 0.5, 0.9], axis=0)
    width = (high - low) / 2.56  # what a normal distribution's 10 % to 90 % quantiles span
    bent = np.arcsinh((x - middle) / width)
    mean, scale = bent.mean(0), bent.std(0)
    bank, z = (bent - mean) / scale, (np.arcsinh((new - middle) / width) - mean) / scale
    distances = np.linalg.norm(bank - z, axis=1)
    if itself is not None:
        distances[itself] = np.inf
    near = bank[np.argsort(distances)[: len(x) // 4]]
    offset, covariance = z - near.mean(0), np.cov(near.T, bias=True)
    d = x.shape[1]
    covariance = 0.9 * covariance + (0.1 * np.trace(covariance) / d + 0.01) * np.eye(d)
    return float(np.sqrt(offset @ np.linalg.inv(covariance) @ offset))


@pytest.mark.parametrize("row", [0, 7, 23])
def test_a_row_that_taught_is_compared_with_its_nearest_others(row):
    x = rows()

    found = LocalMahalanobis.of(x, 0)(torch.from_numpy(x[row : row + 1])).item()

    assert found == pytest.approx(by_numpy(x.astype(np.float64), x[row].astype(np.float64), row), rel=1e-3)


def test_a_new_row_is_compared_with_its_nearest_rows():
    x, new = rows(), np.array([3.0, -1.0, 2.0])

    found = LocalMahalanobis.of(x, 0)(torch.tensor([[3.0, -1.0, 2.0]])).item()

    assert found == pytest.approx(by_numpy(x.astype(np.float64), new, None), rel=1e-3)


def test_at_most_64_neighbours_count():
    assert LocalMahalanobis.of(rows(400), 0).k == 64


def test_it_sees_that_a_row_leaves_the_direction_in_which_its_neighbours_vary():
    """Two rows equally far from a long thin cloud's centre: along it is usual, across is not."""
    random = np.random.default_rng(0)
    member = LocalMahalanobis.of(random.normal(size=(300, 2)) * [1, 1] @ np.array([[1, 1], [0.05, -0.05]]), 0)

    along, across = member(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))

    assert across > 5 * along


def test_the_farther_off_the_higher_without_end():
    member = LocalMahalanobis.of(rows(100), 0)

    scores = member(torch.tensor([[3.0], [10.0], [30.0], [300.0]]).expand(4, 3))

    assert (scores.diff() > 0.5).all()


def test_wide_rows_are_compared_in_their_leading_directions():
    x = rows(100, 140)
    member = LocalMahalanobis.of(x, 0)

    assert member.bank.shape == (100, DIRECTIONS)
    assert (member(torch.tensor([[10.0], [30.0]]).expand(2, 140)) > member(torch.from_numpy(x)).max()).all()


def test_a_column_of_one_value_and_equal_rows_give_finite_scores():
    flat = np.ones((40, 2), dtype=np.float32)
    half = np.column_stack([flat[:, 0], rows(40)[:, 1]])

    for x in (flat, half):
        member = LocalMahalanobis.of(x, 0)
        usual, odd = member(torch.from_numpy(x)), member(torch.tensor([[9.0, 1.0]]))
        assert usual.isfinite().all()
        assert odd.item() > usual.max().item()


def test_it_is_restored_from_its_state():
    member, other = LocalMahalanobis.of(rows(60, 140), 0), LocalMahalanobis()
    other.load_state_dict(member.state_dict())

    x = torch.from_numpy(rows(8, 140)) + 0.3
    torch.testing.assert_close(other(x), member(x))


def test_a_copy_is_compared_as_if_its_original_had_not_taught(monkeypatch):
    monkeypatch.setattr(local_mahalanobis, "AT_A_TIME", 2)
    x = np.random.default_rng(0).normal(size=(41, 3)).astype(np.float32)  # a quarter of 41, and of 40, is 10
    member, bank = LocalMahalanobis.of(x, 0), torch.from_numpy(x)
    copies = bank[[3, 3, 7]] + torch.tensor([[0.1], [0.5], [0.2]])

    found = member(copies, SourceItems(bank[[3, 7]], torch.tensor([0, 0, 1])))

    whole = member.bank.clone()
    for at, copy, original in ((0, copies[:1], 3), (1, copies[1:2], 3), (2, copies[2:], 7)):
        member.bank = torch.cat([whole[:original], whole[original + 1 :]])
        torch.testing.assert_close(found[at : at + 1], member(copy))
