"""Scores without look-ahead, worked out by hand."""

import numpy as np
import pandas as pd

from ad_core.data.item_set import ItemSet
from tests.benchmarks.causal import without_look_ahead
from tests.contracts import items


def test_a_row_has_the_score_of_the_newest_window_that_has_ended():
    """Windows of 4 from samples 0, 2 and 4 end at 3, 5 and 7."""
    rows = pd.DataFrame({"row_id": list("abcdefgh"), "sample": np.arange(8), "note": ""})
    item_set = ItemSet(items.shape("sensor"), np.zeros((5, 2, 4)), pd.DataFrame({"start": [0, 2, 4]}), rows, span=4)

    found = without_look_ahead(item_set, np.array([1.0, 2.0, 3.0]))

    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 1, 1, 2, 2, 3])


def test_of_scores_per_sample_the_last_one_counts():
    rows = pd.DataFrame({"row_id": list("abcd"), "sample": np.arange(4), "note": ""})
    item_set = ItemSet(items.shape("sensor"), np.zeros((1, 2, 4)), pd.DataFrame({"start": [0]}), rows, span=4)

    found = without_look_ahead(item_set, np.array([[9.0, 8.0, 7.0, 6.0]]))

    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 6])
