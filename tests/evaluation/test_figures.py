"""Figures of scores against labels: what is drawn, and what is said of it."""

import pandas as pd
import pytest

from ad_core.evaluation import figures

GUARANTEES = pd.DataFrame(
    {
        "guarantee": ["false positive rate", "false discovery rate"],
        "guaranteed": [0.05, 0.1],
        "alerts": [12, 0],
        "realised": [0.2, float("nan")],
        "low": [0.1, float("nan")],
        "high": [0.3, float("nan")],
        "held": [False, float("nan")],
    }
)


def test_the_present_threshold_and_guessing_are_on_both_curves():
    pr = figures.precision_recall(pd.DataFrame({"recall": [0, 1], "precision": [1, 0.5]}), 0.1, (0.5, 0.8))
    roc = figures.roc(pd.DataFrame({"false_alarms": [0, 1], "recall": [0, 1]}), None)

    assert [trace.name for trace in pr.data] == ["this run", "random scores", "current threshold"]
    assert pr.data[1].y == (0.1, 0.1)
    assert (pr.data[2].x, pr.data[2].y) == ((0.5,), (0.8,))
    assert [trace.name for trace in roc.data] == ["this run", "random scores"]


def test_words_give_the_precision_where_half_is_found():
    curve = pd.DataFrame({"recall": [0, 0.4, 0.5, 1], "precision": [1, 1, 0.7, 0.2]})

    assert "70 % of the alerts are right; random scores would give 2.0 %" in figures.precision_recall_in_words(
        curve, 0.02
    )
    roc = pd.DataFrame({"false_alarms": [0, 0.1, 1], "recall": [0, 0.8, 1]})
    assert "40 % of the labelled anomalies" in figures.roc_in_words(roc)


def test_broken_guarantee_are_orange_and_named():
    figure = figures.kept_guarantees(GUARANTEES)

    assert list(figure.data[0].marker.color) == [figures.ALERT, figures.NORMAL]
    assert list(figure.data[0].y) == ["false positive rate ≤ 5 %", "false discovery rate ≤ 10 % (no alert)"]
    assert list(figure.data[1].x) == [0.05, 0.1]
    assert figure.data[0].error_x.array[0] == pytest.approx(0.1)
    assert (
        figures.kept_guarantees_in_words(GUARANTEES)
        == "1 of 1 tested guarantee was significantly exceeded: false positive rate ≤ 5 %. Not tested: false discovery "
        "rate ≤ 10 % (no alert)."
    )
    assert figures.kept_guarantees_in_words(GUARANTEES.iloc[1:]) == (
        "No guarantee could be tested. Not tested: false discovery rate ≤ 10 % (no alert)."
    )
    two = GUARANTEES.assign(held=[True, True])
    assert figures.kept_guarantees_in_words(two) == "None of 2 tested guarantees was significantly exceeded."
