"""Charts of scores and alerts show every row and the threshold."""

import numpy as np
import pandas as pd
import pytest

from ad_core.alerts.figures import (
    alerts_curve,
    alerts_curve_in_words,
    histogram_in_words,
    score_histogram,
    timeline,
    timeline_in_words,
)
from ad_core.theme import ALERT


def test_the_histogram_counts_every_scored_row_and_paints_the_alerts() -> None:
    scores = np.array([0.1, 0.2, 0.2, 0.3, 5.0, np.nan])

    figure = score_histogram(scores, scores >= 5.0, None, bins=10)

    usual, alerts = figure.data
    assert sum(usual.y) == 4
    assert sum(alerts.y) == 1
    assert alerts.marker.color == ALERT


def test_without_an_alert_the_histogram_has_no_threshold_line() -> None:
    figure = score_histogram(np.array([1.0, 2.0, 3.0]), np.zeros(3, dtype=bool), None)

    assert not figure.layout.shapes
    assert sum(sum(trace.y) for trace in figure.data) == 3


def test_calibration_rows_are_drawn_at_the_size_of_the_scored_rows() -> None:
    scores, usual = np.linspace(1, 2, 1000), np.linspace(1, 2, 100)

    outline = score_histogram(scores, scores >= 1.9, usual, bins=10).data[-1]

    assert np.nansum(outline.y) == pytest.approx(1000)


@pytest.mark.parametrize("scores", [np.array([2.0, 2.0]), np.array([np.nan]), np.array([])])
def test_a_histogram_of_nothing_special_is_still_a_figure(scores: np.ndarray) -> None:
    figure = score_histogram(scores, np.zeros(len(scores), dtype=bool), None)

    assert sum(sum(trace.y) for trace in figure.data) == np.isfinite(scores).sum()


def test_a_few_huge_scores_do_not_squeeze_the_others_into_one_bar() -> None:
    scores = np.concatenate([np.linspace(0.5, 2.0, 500), [900.0]])

    figure = score_histogram(scores, scores >= 500.0, None)

    assert figure.layout.xaxis.type == "log"
    assert len(figure.data[0].y) > 5


def test_the_histogram_says_how_many_alerts_there_are() -> None:
    scores = np.array([1.0, 2.0, 3.0, np.nan])

    assert "2 rows are alerts: those with a score of at least 2." in histogram_in_words(scores, scores >= 2.0)
    assert "No row is an alert" in histogram_in_words(scores, np.zeros(4, dtype=bool))
    assert histogram_in_words(np.array([np.nan]), np.zeros(1, dtype=bool)) == "No row has a score."


def test_where_recordings_have_thresholds_of_their_own_only_alerts_are_orange_and_no_line_divides_them() -> None:
    """One recording alerts from 2 on, the other from 4 on: a row of 3 is no alert, although one of 2 is."""
    scores, alert = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True])

    figure = score_histogram(scores, alert, None, bins=6)

    others, alerts = figure.data
    assert (sum(others.y), sum(alerts.y)) == (2, 2)
    assert not figure.layout.shapes
    assert "2 rows are alerts; the lowest score of an alert is 2." in histogram_in_words(scores, alert)


def test_events_are_shaded_and_the_threshold_is_a_line() -> None:
    events = pd.DataFrame({"start": [10.0], "peak": [12.0], "end": [15.0]})

    figure = timeline(np.arange(100.0), np.ones(100), 0.9, events, chosen=12.0)

    shapes = figure.layout.shapes
    assert {shape.type for shape in shapes} == {"rect", "line"}
    assert [shape.x0 for shape in shapes if shape.type == "rect"] == [10.0]
    assert "1 event above" in timeline_in_words(np.ones(100), events)


def test_the_curve_of_alerts_marks_where_one_is_and_what_was_saved():
    values, alerts = np.array([0.01, 0.05, 0.1]), np.array([2, 5, 9])

    figure = alerts_curve(values, alerts, (0.05, 5), (0.01, 2), "share", log=True)

    assert [trace.name for trace in figure.data] == ["alerts", "saved", "now"]
    assert (figure.data[2].x[0], figure.data[2].y[0]) == (0.05, 5)
    assert figure.layout.xaxis.type == "log"
    assert alerts_curve_in_words(values, alerts, (0.05, 5)) == "Alerts go from 2 at 0.01 to 9 at 0.1; 5 at 0.05."
    assert "No value" in alerts_curve_in_words(values[:0], alerts[:0], (0.05, 0))
