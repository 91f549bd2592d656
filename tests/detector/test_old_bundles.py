"""Bundles saved by an earlier version load, and give the very scores that this version gave.

`tests/data/bundles` holds a bundle of each kind of data, small data sets, and beside each bundle its scores as the
version that saved it wrote them by `python -m ad_core score`.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.alerts.threshold import Rule
from ad_core.explain.attribution import How
from ad_core.explain.explain import explain_rows
from ad_core.progress import Silent
from ad_core.storage import bundle

BUNDLES = Path(__file__).parent.parent / "data" / "bundles"
DATA = {"table_balanced": "payments.csv", "sensor_masked_window": "walk.csv", "image_autoencoder": "plates"}

ELSEWHERE = 1e-5
"""Relative tolerance: on the machine that wrote them the scores are equal bit for bit; other processors and builds of
torch add 32-bit numbers in another order.
"""


@pytest.fixture(params=DATA)
def name(request) -> str:
    return str(request.param)


def test_an_old_bundle_gives_the_old_scores(name):
    before = pd.read_parquet(BUNDLES / f"{name}.parquet")
    detector = pipeline.load_detector(BUNDLES / name)
    dataset = pipeline.open_like(detector, BUNDLES / DATA[name])

    now = detector.score(dataset)

    assert now["row_id"].tolist() == before["row_id"].tolist()
    assert now["note"].tolist() == before["note"].tolist()
    for column in ("score", "percentile", "p_value"):
        np.testing.assert_allclose(now[column], before[column], rtol=ELSEWHERE, err_msg=column)
    assert now["score"].notna().sum() == {"sensor_masked_window": 799}.get(name, len(before))


def test_the_threshold_saved_in_an_old_bundle_is_in_force():
    before = pd.read_parquet(BUNDLES / "table_balanced.parquet")
    detector = pipeline.load_detector(BUNDLES / "table_balanced")
    dataset = pipeline.open_like(detector, BUNDLES / "payments.csv")

    alerts = detector.alerts(detector.score(dataset), dataset)

    assert detector.threshold == Rule(kind="budget", value=5)
    assert np.asarray(alerts.of_rows).tolist() == before["alert"].tolist()
    assert before["alert"].sum() == 5


def test_an_old_bundle_that_is_saved_again_keeps_its_facts_and_thresholds(name, tmp_path):
    facts, parts = bundle.read(BUNDLES / name)

    again, parts_again = bundle.read(pipeline.load_detector(BUNDLES / name).save(tmp_path / "again"))

    assert json.dumps(again) == json.dumps(facts)  # the same keys in the same order
    assert parts_again.get("threshold") == parts.get("threshold")
    assert set(parts_again) == set(parts)


def test_explanations_by_an_old_bundle_are_about_the_scores_that_its_training_rows_keep():
    detector = pipeline.load_detector(BUNDLES / "table_balanced")
    dataset = pipeline.open_like(detector, BUNDLES / "payments.csv")
    scores = detector.score(dataset).set_index("row_id")["score"].nlargest(8)

    explained = explain_rows(detector, dataset, list(scores.index), How("feature_ablation"), Silent())

    np.testing.assert_allclose(explained.checks["score"], scores, rtol=1e-3)  # tails multiply rounding
