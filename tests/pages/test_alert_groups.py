"""Groups of alerts on the Alerts page."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ad_core.storage import results
from ad_core.storage.store import RunRecord, Store

Open = Callable[..., AppTest]


@pytest.fixture
def alike(table_run: RunRecord, store: Store) -> RunRecord:
    """Twelve alerts, seven raised by the amount and five by the hour."""
    folder = store.folder(table_run.id)
    scores = results.table(folder, "scores").sort_values("score", ascending=False, ignore_index=True)
    scores["p_value"] = np.where(np.arange(len(scores)) < 12, 0.001, 0.9)
    results.publish(folder, "scores", scores)
    lines = []
    for i, row in enumerate(scores["row_id"].head(12)):
        by_amount = 0.9 if i < 7 else 0.02
        for part, share in (("amount", by_amount), ("hour", 1 - by_amount)):
            lines.append({"row_id": row, "part": part, "attribution": share, "value": "9", "expected": "1"})
    explained = pd.DataFrame(lines).assign(
        method="integrated_gradients", delta=0.0, expected_low=None, expected_high=None
    )
    results.publish(folder, "explanations", explained)
    return table_run


def shown(test: AppTest) -> pd.DataFrame:
    return next(d.value for d in test.dataframe if "percentile" in d.value)


def test_choosing_a_group_shows_its_alerts_alone(alike: RunRecord, open_page: Open) -> None:
    test = open_page("investigate/alerts.py", run=alike.id)
    group = next(box for box in test.selectbox if box.label == "Group")

    assert group.options == ["amount up (7)", "hour up (5)"]
    assert any("12 of 12 explained alerts are in 2 groups." in c.value for c in test.caption)

    group.select("hour up (5)").run()

    assert not test.exception
    assert len(shown(test)) == 5
    assert any("Rule:" in m.value for m in test.markdown)


def test_alerts_that_were_not_explained_have_no_groups(table_run: RunRecord, store: Store, open_page: Open) -> None:
    (store.folder(table_run.id) / "explanations.parquet").unlink()

    test = open_page("investigate/alerts.py", run=table_run.id)

    assert not test.exception
    assert not [box for box in test.selectbox if box.label == "Group"]
