"""Precision of what was looked at, with its interval."""

import numpy as np
import pytest

from ad_core.evaluation.precision import precision


def test_the_interval_is_wilsons():
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3: 81 of 263 gives 0.2553 to 0.3662."""
    found = precision(["anomaly"] * 81 + ["normal"] * 182)

    assert (found.hits, found.judged) == (81, 263)
    assert found.low == pytest.approx(0.2553, abs=5e-5)
    assert found.high == pytest.approx(0.3662, abs=5e-5)


def test_a_few_hits_in_a_row_prove_little():
    found = precision(["anomaly"] * 3)

    assert found.share == 1
    assert found.low == pytest.approx(1 / (1 + 1.959964**2 / 3), rel=1e-6)  # Wilson's lower end for n of n
    assert found.high == pytest.approx(1)


def test_what_counts_neither_way_is_told_apart():
    found = precision(["seen_before", "anomaly", "data_error", "unsure", "normal", "seen_before"])

    assert (found.hits, found.judged, found.share) == (1, 2, 0.5)
    assert found.apart == {"unsure": 1, "data_error": 1, "seen_before": 2}


def test_nothing_judged_says_nothing():
    found = precision(["unsure"])

    assert np.isnan(found.share)
    assert (found.low, found.high) == (0, 1)
