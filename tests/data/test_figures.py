"""Charts of the data keep their extremes."""

import numpy as np
import pandas as pd

from ad_core.data.figures import series, sparkline
from ad_core.theme import LINE_POINTS


def test_a_single_spike_survives_thinning() -> None:
    values = np.zeros(100_000)
    values[54_321] = 7.0

    line = series(pd.DataFrame({"a": values}), ["a"]).data[0]

    assert len(line.y) <= LINE_POINTS + 2
    assert max(line.y) == 7.0


def test_a_sparkline_marks_only_what_is_unusual() -> None:
    line, marked = sparkline(np.array([1.0, 2.0, 3.0]), np.array([False, True, False])).data

    assert list(line.y) == [1.0, 2.0, 3.0]
    assert np.isfinite(np.array(marked.y, dtype=float)).sum() == 1
