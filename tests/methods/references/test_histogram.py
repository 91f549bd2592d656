"""Heights of bins counted by hand."""

import numpy as np

from ad_core.methods.references.histogram import EMPTY, Histogram, HistogramSettings

COLUMN = np.array([[0.0], [0.1], [0.2], [0.9], [1.0]], dtype=np.float32)


def fitted(bins: int = 2) -> Histogram:
    reference = Histogram(HistogramSettings(bins=bins), 0)
    reference.fit(COLUMN)
    return reference


def test_score_is_the_rarity_of_the_bin():
    """Three rows in the lower half, two in the upper: -log(3/3) and -log(2/3)."""
    scores = fitted().score(np.array([[0.3], [0.7], [1.0]], dtype=np.float32))

    np.testing.assert_allclose(scores, [0.0, np.log(1.5), np.log(1.5)], rtol=1e-6)


def test_outside_is_rarer_than_any_bin_and_farther_is_rarer():
    just, far, below = fitted().score(np.array([[1.01], [5.0], [-0.5]], dtype=np.float32))

    assert just > np.log(1.5)
    assert far > below > just
    np.testing.assert_allclose(far, np.log(3 / EMPTY) * 5, rtol=1e-5)


def test_an_empty_bin_within_counts_as_a_tenth_of_a_row():
    np.testing.assert_allclose(fitted(10).score(np.array([[0.55]], dtype=np.float32)), [np.log(1 / EMPTY)], rtol=1e-6)
