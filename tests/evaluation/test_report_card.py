"""Scores against labels: curves, guarantees, segments, and how many labels are missing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc

from ad_core.evaluation.metrics import evaluate
from ad_core.evaluation.report_card import (
    POINTS,
    by_segment,
    curves,
    guarantees_table,
    more_labels_in_words,
    precision_table,
)


def test_curves_are_those_of_the_thresholds():
    found = curves([1, 0, 1, 0, np.nan, 1], [5, 4, 3, 2, 9, np.nan])

    assert found.precision_recall.to_numpy().round(3).tolist() == [
        [0, 1],
        [0.5, 1],
        [0.5, 0.5],
        [1, 0.667],
        [1, 0.5],
    ]
    assert found.roc["recall"].tolist()[-1] == 1
    assert found.roc["false_alarms"].is_monotonic_increasing


def test_a_long_curve_is_thinned_and_keeps_its_area():
    random = np.random.default_rng(0)
    label = (random.random(20_000) < 0.1).astype(float)
    score = label + random.normal(size=20_000)

    found = curves(label, score)

    assert len(found.roc) <= POINTS
    assert len(found.precision_recall) <= POINTS
    area = auc(found.roc["false_alarms"], found.roc["recall"])
    assert area == pytest.approx(evaluate(label, score, resamples=200)["auroc"], abs=2e-3)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], [np.nan, np.nan, np.nan]])
def test_labels_of_one_kind_have_no_curve(labels):
    assert curves(labels, [1, 2, 3]) is None


def test_infinite_scores_rank_first():
    found = curves([1, 0, 0], [np.inf, 1, 2])

    assert found.precision_recall["precision"].iloc[:2].tolist() == [1, 1]


def test_precision_has_wilson_intervals():
    found = precision_table([1] * 8 + [0] * 12, range(20, 0, -1), ks=(10, 20, 50))

    assert found["k"].tolist() == [10, 20]
    assert found["precision"].tolist() == [0.8, 0.4]
    # Wilson for 8 of 10: (0.490, 0.943)
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([0.4902, 0.9433], abs=1e-4)


def test_guarantee_are_compared_with_what_became_of_them():
    """Of 100 normal rows 8 have p <= .05: more than guaranteed, but not surely. Anomalies all have p = .001."""
    p = np.r_[np.full(10, 0.001), np.full(8, 0.03), np.linspace(0.2, 1, 92)]
    found = guarantees_table(np.r_[np.ones(10), np.zeros(100)], p).set_index(["guarantee", "guaranteed"])

    five = found.loc[("false positive rate", 0.05)]
    assert (five["alerts"], five["realised"], five["recall"]) == (18, 0.08, 1.0)
    assert five["held"]
    assert not guarantees_table(np.zeros(100), np.full(100, 0.01))["held"].iloc[1]
    nothing = guarantees_table(np.zeros(100), np.full(100, 0.5)).set_index("guarantee")["held"]
    assert nothing["false positive rate"].all()  # tested with 100 normal rows
    assert nothing["false discovery rate"].isna().all()  # no alert tests it
    # Benjamini-Hochberg at 10 %: p(10) = .001 <= .1 * 10 / 110; p(18) = .03 > .1 * 18 / 110
    assert found.loc[("false discovery rate", 0.1), "alerts"] == 10
    assert found.loc[("false discovery rate", 0.1), "realised"] == 0
    assert found.loc[("false discovery rate", 0.2), "alerts"] == 18
    assert found.loc[("false discovery rate", 0.2), "realised"] == pytest.approx(8 / 18)


def test_a_false_discovery_rate_looks_at_every_row_and_is_judged_on_the_labelled_ones():
    """Of 1,000 rows 10 have p = .003: among all of them too few to be alerts at 20 %, p(10) = .003 > .2 * 10 / 1000."""
    p = np.r_[np.full(10, 0.003), np.linspace(0.3, 1, 990)]
    labels = np.r_[np.ones(10), np.zeros(20), np.full(970, np.nan)]
    whole = guarantees_table(labels, p).set_index(["guarantee", "guaranteed"])
    alone = guarantees_table(labels[:30], p[:30]).set_index(["guarantee", "guaranteed"])

    assert whole.loc[("false discovery rate", 0.2), "alerts"] == 0
    assert alone.loc[("false discovery rate", 0.2), "alerts"] == 10
    assert whole.loc[("false positive rate", 0.05), "alerts"] == 10


def test_without_p_values_nothing_was_promised():
    assert guarantees_table([1, 0], [np.nan, np.nan]).empty


def test_segments_with_too_few_labels_are_counted_not_judged():
    label = np.r_[np.tile([1, 0], 20), 1, 0, 0]
    score = np.r_[np.tile([1, 0], 20), 0, 1, 1]
    found = by_segment(label, score, pd.Series(["north"] * 40 + ["south", None, "south"]))

    assert found["segment"].tolist() == ["north", "south", "(missing)"]
    assert found.loc[0, ["n", "positives", "auroc"]].tolist() == [40, 20, 1.0]
    assert found.loc[1:, "auroc"].isna().all()


def test_four_times_the_labels_halve_the_interval():
    words = more_labels_in_words({"positives": 4, "average_precision_low": 0.5, "average_precision_high": 0.9})

    assert "95 % interval of the average precision is 0.4 wide" in words
    assert "About 12 more labelled anomalies would halve that." in words
    assert "guess" in words
    assert more_labels_in_words({"positives": 0}) == ""
