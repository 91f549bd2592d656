"""The picture of two runs side by side."""

import numpy as np
import pandas as pd

from ad_core.evaluation import figures_runs
from ad_core.evaluation.run_comparison import compare


def test_rows_are_drawn_by_whose_alerts_they_are():
    ids, scores = [f"r{i}" for i in range(9000)], np.arange(9000.0)
    table = pd.DataFrame({"row_id": ids, "score": scores})
    found = compare(table, table, scores >= 8990, scores >= 8995)

    figure = figures_runs.rank_scatter(found)

    assert [trace.name for trace in figure.data] == ["neither (4,000)", "alert of both (5)", "only of the first (5)"]
    assert figures_runs.rank_scatter_in_words(found) == (
        "Rank correlation 1.00 over 9,000 rows. 5 rows are alerts of both runs, 5 only of the first, "
        "0 only of the second."
    )
