"""Leaving out calibration rows: single rows of a table, whole blocks of a recording, never all."""

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.calibration_rows import calibrated
from ad_core.errors import DataError


def test_rows_that_are_left_out_no_longer_make_p_values_larger():
    rows = pd.DataFrame({"row_id": list("abcde"), "score": [1.0, 2.0, 3.0, 4.0, 50.0]})

    assert calibrated(rows).p_value([10.0]) == [2 / 6]
    assert calibrated(rows, ["e", "no such row"]).p_value([10.0]) == [1 / 5]


def test_of_a_recording_the_whole_block_of_a_row_goes():
    rows = pd.DataFrame({"row_id": [f"t{i}" for i in range(60)], "score": np.arange(60.0), "block": np.arange(60) // 2})

    without = calibrated(rows, ["t58"])

    assert without.approximate
    assert without.n == 29
    assert without.scores.max() == 57


def test_leaving_out_every_row_is_refused():
    with pytest.raises(DataError, match="Every calibration row"):
        calibrated(pd.DataFrame({"row_id": ["a"], "score": [1.0]}), ["a"])


@pytest.mark.parametrize("data", ["trained_on_payments", "trained_on_recording", "trained_on_plates"])
def test_a_detector_knows_the_rows_behind_its_calibration(data, request):
    trained = request.getfixturevalue(data)
    rows, calibration = trained.detector.calibration_rows, trained.detector.calibration

    assert set(rows["row_id"]) <= set(trained.scores["row_id"])
    np.testing.assert_array_equal(np.sort(rows["score"]), calibration.scores)
    np.testing.assert_array_equal(calibrated(rows).counts, calibration.counts)
    assert ("block" in rows) is calibration.approximate
