"""Items lay their scores onto the samples that they cover."""

import numpy as np
import pytest

from ad_core.data.overlap import covering_sums


@pytest.mark.parametrize("n", [2, 9])
def test_one_score_counts_for_all_samples_of_its_item(n):
    total, count = covering_sums(np.arange(n), np.full(n, 2.0), span=3, samples=n + 4)

    assert count.tolist() == [min(i + 1, 3, n, n + 2 - i) if i < n + 2 else 0 for i in range(n + 4)]
    assert total.tolist() == (2.0 * count).tolist()


def test_a_score_per_sample_stays_with_its_sample():
    total, count = covering_sums(np.array([0, 2]), np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), 3, 6)

    assert total.tolist() == [1, 2, 13, 20, 30, 0]
    assert count.tolist() == [1, 1, 2, 1, 1, 0]


def test_few_and_many_items_are_added_up_alike():
    rng = np.random.default_rng(0)
    start, scores = np.sort(rng.integers(0, 50, 12)), rng.normal(size=(12, 8))
    whole = covering_sums(start, scores, 8, 60)  # more items than samples of one
    parts = [covering_sums(start[i : i + 1], scores[i : i + 1], 8, 60) for i in range(12)]

    np.testing.assert_allclose(whole[0], sum(total for total, _ in parts))
    assert whole[1].tolist() == sum(count for _, count in parts).tolist()
