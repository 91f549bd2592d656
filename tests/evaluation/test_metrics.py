"""Metrics where labels exist."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from ad_core.evaluation.metrics import _areas, evaluate, evaluate_recordings, precision_at
from ad_core.evaluation.range_metrics import volumes


def test_a_small_case_counted_by_hand():
    """Ranked: anomaly, normal, anomaly, normal. Of 4 pairs 3 are in order; precision at the hits is 1 and 2/3."""
    result = evaluate([1, 0, 1, 0], [4, 3, 2, 1], ks=(1, 2, 3, 10))

    assert result["auroc"] == 3 / 4
    assert result["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert result["precision_at"] == {"1": 1.0, "2": 0.5, "3": pytest.approx(2 / 3)}
    assert result["base_rate"] == 0.5


@given(arrays(np.int64, 40, elements=st.integers(0, 8)), arrays(np.bool_, 40))
def test_the_bootstrap_s_own_areas_equal_scikit_learn_s_with_ties(scores, labels):
    labels[0], labels[1] = True, False
    _, level = np.unique(-scores, return_inverse=True)

    areas = _areas(np.bincount(level[labels], minlength=9), np.bincount(level[~labels], minlength=9))

    assert areas == pytest.approx((roc_auc_score(labels, scores), average_precision_score(labels, scores)))


def test_the_interval_holds_the_estimate_and_narrows_with_more_labels():
    generator = np.random.default_rng(0)

    def width(n: int) -> float:
        labels = (np.arange(n) < n // 10).astype(float)
        result = evaluate(labels, generator.normal(size=n) + 1.5 * labels)
        assert result["auroc_low"] < result["auroc"] < result["auroc_high"]
        assert result["average_precision_low"] < result["average_precision"] < result["average_precision_high"]
        return result["auroc_high"] - result["auroc_low"]

    # sixteen times the labels: a quarter of the width, give or take chance
    assert 2.5 < width(200) / width(3200) < 6


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Normal scores N(0,1), anomalies N(1,1): the true AUROC is Phi(1/sqrt 2) = 0.7602."""
    generator, covered = np.random.default_rng(1), 0
    labels = np.repeat([1.0, 0.0], [40, 160])

    for _ in range(60):
        result = evaluate(labels, generator.normal(size=200) + labels, resamples=200)
        covered += result["auroc_low"] <= 0.7602 <= result["auroc_high"]

    assert covered >= 50  # 57 expected; 50 or fewer has a probability under 1 % even at a true coverage of 92 %


def test_unknown_labels_are_ignored_and_rows_without_score_are_counted():
    known = evaluate([1, 0, 1, 0], [4, 3, 2, 1])

    more = evaluate([1, 0, 1, 0, np.nan, 1], [4, 3, 2, 1, 99, np.nan])

    assert more["n"] == 4
    assert more["auroc"] == known["auroc"]
    assert more["not_scored"] == 1
    assert "1 labelled rows have no score" in more["note"]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 0, 0], "None of the 3 labelled rows is an anomaly"),
        ([1, 1, np.nan], "All 2 labelled rows are anomalies"),
        ([np.nan] * 3, "No row has both a label and a score"),
    ],
)
def test_an_undefined_metric_is_none_with_a_sentence_that_says_why(labels, sentence):
    result = evaluate(labels, [1.0, 2.0, 3.0])

    assert result["auroc"] is None
    assert result["average_precision_low"] is None
    assert result["precision_at"] == {}
    assert sentence in result["note"]


def test_fewer_than_ten_anomalies_raise_the_red_flag():
    scores = np.arange(100.0)

    enough = evaluate(scores > 89, scores)
    few = evaluate(scores > 90.5, scores)

    assert few["few_positives"]
    assert "Only 9 labelled anomalies: the metrics are unreliable" in few["note"]
    assert not enough["few_positives"]
    assert enough["note"] == ""


def test_ties_at_the_kth_place_count_as_often_as_chance_would_take_them():
    labels, scores = np.array([True, True, False, False]), np.array([3.0, 1, 1, 1])

    assert precision_at(labels, scores, 1) == 1
    assert precision_at(labels, scores, 2) == pytest.approx((1 + 1 / 3) / 2)


def test_constant_and_infinite_scores_are_ranked_like_any_other():
    assert evaluate([1, 0, 0], [5.0, 5.0, 5.0])["auroc"] == 0.5
    assert evaluate([1, 0, 0], [np.inf, 5.0, -np.inf])["auroc"] == 1.0


def test_the_result_is_json_and_the_same_at_every_call():
    labels, scores = np.arange(50) % 3 == 0, np.random.default_rng(0).normal(size=50)

    first, second = (json.dumps(evaluate(labels, scores, resamples=50)) for _ in range(2))

    assert first == second


def two_pumps() -> tuple[np.ndarray, np.ndarray, pd.Series]:
    """Rows of two recordings by turns, one event in each; the first pump's is found, the second's comes last."""
    label, score = np.zeros(200), np.random.default_rng(0).uniform(0, 1, 200)
    label[100:120], score[100:120:2], score[101:120:2] = 1, 2, -1
    return label, score, pd.Series(["north", "south"] * 100)


def test_each_recording_is_judged_by_itself_and_the_mean_is_taken():
    label, score, pump = two_pumps()

    result = evaluate_recordings(label, score, recording=pump)

    each = [volumes(label[k::2], score[k::2]) for k in (0, 1)]
    assert result["vus_pr"] == pytest.approx((each[0].pr + each[1].pr) / 2)
    assert result["vus_roc"] == pytest.approx((each[0].roc + each[1].roc) / 2)
    assert (result["event_recall"], result["events"], result["recordings"]) == (0.5, 2, 2)


def test_rows_of_a_recording_are_put_in_order_of_time_first():
    label, score, _ = two_pumps()
    time = pd.Series(pd.date_range("2024-01-01", periods=200, freq="min"))
    mixed = np.random.default_rng(1).permutation(200)

    result = evaluate_recordings(label[mixed], score[mixed], time=time[mixed])

    assert result["vus_pr"] == pytest.approx(volumes(label, score).pr)


def test_recordings_without_anomalies_and_rows_without_label_or_score_are_left_out():
    label, score, pump = two_pumps()
    known = evaluate_recordings(label[::2], score[::2])
    label[1::2] = 0

    gaps = np.insert(label, 50, [np.nan, 1]), np.insert(score, 50, [5, np.nan])
    pumps = pd.Series(np.insert(pump.to_numpy(dtype=object), 50, ["north", "north"]))

    assert evaluate_recordings(*gaps, recording=pumps) == known
    assert known["recordings"] == 1


def test_without_a_recording_that_can_be_judged_there_is_no_figure():
    expected = {"vus_pr": None, "vus_roc": None, "event_recall": None, "events": 0, "recordings": 0}

    assert evaluate_recordings([0, 0, np.nan], [1, 2, 3]) == expected
