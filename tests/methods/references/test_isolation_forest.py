"""The isolation forest's formula on a case that can be counted by hand."""

import numpy as np

from ad_core.methods.references.isolation_forest import IsolationForest, IsolationForestSettings


def test_two_rows_are_set_apart_by_one_cut_in_every_tree():
    """Mean depth 1, and a random tree over two rows also has depth 1: score 2^-1."""
    forest = IsolationForest(IsolationForestSettings(trees=20, rows_per_tree=2), 0)
    forest.fit(np.array([[0.0], [1.0]], dtype=np.float32))

    np.testing.assert_allclose(forest.score(np.array([[0.0], [1.0]], dtype=np.float32)), [0.5, 0.5], atol=0.1)


def test_the_lonely_row_scores_highest_and_scores_lie_between_0_and_1():
    random = np.random.default_rng(0)
    rows = np.vstack([random.normal(size=(300, 3)), [[8.0, 8.0, 8.0]]]).astype(np.float32)
    forest = IsolationForest(IsolationForestSettings(), 0)
    forest.fit(rows)

    scores = forest.score(rows)

    assert scores.argmax() == 300
    assert scores[300] > 0.7
    assert ((scores > 0) & (scores < 1)).all()


def test_another_seed_grows_another_forest():
    rows = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    scores = []
    for seed in (0, 1):
        forest = IsolationForest(IsolationForestSettings(), seed)
        forest.fit(rows)
        scores.append(forest.score(rows))

    assert not np.array_equal(*scores)
