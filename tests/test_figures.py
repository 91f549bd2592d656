"""Figures are judged by the numbers that they draw, and by the words that stand for them."""

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
from ad_core.data.figures import series, sparkline
from ad_core.explain.figures import attribution_bars, attribution_in_words, window, window_in_words
from ad_core.projection import figures
from ad_core.projection.colours import FAR_WORDS
from ad_core.theme import ALERT, LINE_POINTS
from ad_core.training.figures import loss_curve, loss_in_words, split_bar


def test_the_histogram_counts_every_scored_row_and_paints_the_alerts() -> None:
    scores = np.array([0.1, 0.2, 0.2, 0.3, 5.0, np.nan])

    figure = score_histogram(scores, None, 5.0, bins=10)

    usual, alerts = figure.data
    assert sum(usual.y) == 4
    assert sum(alerts.y) == 1
    assert alerts.marker.color == ALERT


def test_without_an_alert_the_histogram_has_no_threshold_line() -> None:
    figure = score_histogram(np.array([1.0, 2.0, 3.0]), None, float("inf"))

    assert not figure.layout.shapes
    assert sum(sum(trace.y) for trace in figure.data) == 3


def test_calibration_rows_are_drawn_at_the_size_of_the_scored_rows() -> None:
    scores, usual = np.linspace(1, 2, 1000), np.linspace(1, 2, 100)

    outline = score_histogram(scores, usual, 1.9, bins=10).data[-1]

    assert np.nansum(outline.y) == pytest.approx(1000)


@pytest.mark.parametrize("scores", [np.array([2.0, 2.0]), np.array([np.nan]), np.array([])])
def test_a_histogram_of_nothing_special_is_still_a_figure(scores: np.ndarray) -> None:
    figure = score_histogram(scores, None, float("inf"))

    assert sum(sum(trace.y) for trace in figure.data) == np.isfinite(scores).sum()


def test_a_few_huge_scores_do_not_squeeze_the_others_into_one_bar() -> None:
    scores = np.concatenate([np.linspace(0.5, 2.0, 500), [900.0]])

    figure = score_histogram(scores, None, 500.0)

    assert figure.layout.xaxis.type == "log"
    assert len(figure.data[0].y) > 5


def test_the_histogram_says_how_many_alerts_there_are() -> None:
    scores = np.array([1.0, 2.0, 3.0, np.nan])

    assert "1 rows are at or above the threshold of 3" in histogram_in_words(scores, 3.0)
    assert "No row is an alert" in histogram_in_words(scores, float("inf"))
    assert histogram_in_words(np.array([np.nan]), 1.0) == "No row has a score."


def test_the_loss_curve_has_a_line_for_each_kind_of_rows() -> None:
    curve = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "held_out_loss": 1.5}, {"step": 3, "loss": 0.5}]

    training, held_out = loss_curve(curve).data

    assert list(training.y) == [2.0, 1.0, 0.5]
    assert list(held_out.x) == [2]
    assert "from 2 to 0.5" in loss_in_words(curve)
    assert loss_in_words([]) == "No training step has been reported yet."


def test_attribution_bars_lose_nothing_of_the_sum() -> None:
    values = np.array([3.0, -2.0, 0.1, 0.2, -0.05])

    figure = attribution_bars(["a", "b", "c", "d", "e"], values, keep=2)

    bars = figure.data[0]
    assert list(bars.y) == ["3 others", "b", "a"]
    assert sum(bars.x) == pytest.approx(values.sum())


def test_bars_that_raise_and_lower_differ_in_colour() -> None:
    bars = attribution_bars(["up", "down"], np.array([1.0, -1.0])).data[0]

    assert len(set(bars.marker.color)) == 2


def test_the_largest_shares_are_named_in_words() -> None:
    text = attribution_in_words(["a", "b", "c", "d"], np.array([0.1, -3.0, 2.0, 0.5]))

    assert text.index("b -3") < text.index("c +2") < text.index("d +0.5")
    assert "a " not in text.split(":")[1]


@pytest.fixture
def points() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": ["r1", "r2", "r3"],
            "x": [0.0, 1.0, 2.0],
            "y": [0.0, 1.0, 0.0],
            "score": [1.0, 2.0, 9.0],
            "alert": [False, False, True],
            "group": ["a", None, "b"],
        }
    )


@pytest.mark.parametrize("colour", ["alert", "score", "group"])
def test_every_point_of_the_map_is_drawn_once_and_knows_its_row(points: pd.DataFrame, colour: str) -> None:
    figure = figures.map_scatter(points, "x", "y", colour)

    drawn = [row_id for trace in figure.data for row_id in trace.customdata]
    assert sorted(drawn) == ["r1", "r2", "r3"]


@pytest.mark.parametrize("colour", ["alert", "score", "group"])
def test_alerts_are_traces_of_their_own_with_one_symbol_and_size_each(points: pd.DataFrame, colour: str) -> None:
    figure = figures.map_scatter(points, "x", "y", colour)

    symbols = {row: trace.marker.symbol for trace in figure.data for row in trace.customdata}
    assert symbols == {"r1": None, "r2": None, "r3": "diamond"}
    assert {trace.marker.size for trace in figure.data} == {6, 10}
    assert {trace.x.dtype for trace in figure.data} == {np.dtype("float32")}


def test_a_group_with_alerts_stands_in_the_legend_once(points: pd.DataFrame) -> None:
    figure = figures.map_scatter(points.assign(group="a"), "x", "y", "group")

    assert [(trace.name, trace.showlegend) for trace in figure.data] == [("a", True), ("a", False)]
    assert len({trace.marker.color for trace in figure.data}) == 1


def test_a_map_of_alerts_only_still_has_its_colour_scale(points: pd.DataFrame) -> None:
    figure = figures.map_scatter(points.assign(alert=True), "x", "y", "score")

    assert [trace.marker.showscale for trace in figure.data] == [True]


def test_dragging_draws_or_moves(points: pd.DataFrame) -> None:
    drags = [figures.map_scatter(points, "x", "y", "alert", pointer=way).layout.dragmode for way in ("lasso", "pan")]

    assert drags == ["lasso", "pan"]


def test_the_current_case_is_ringed(points: pd.DataFrame) -> None:
    ring = figures.map_scatter(points, "x", "y", "score", chosen="r2").data[-1]

    assert (ring.x[0], ring.marker.symbol) == (1.0, "circle-open")


def test_points_whose_place_misleads_are_ringed_and_the_words_count_them(points: pd.DataFrame) -> None:
    marked = points.assign(far_inside=[False, True, False])

    ring = figures.map_scatter(marked, "x", "y", "score").data[-1]

    assert (list(ring.customdata), ring.marker.symbol, ring.name) == (["r2"], "circle-open", FAR_WORDS)
    assert "trust the score, not the place" in ring.hovertemplate
    assert figures.map_in_words(marked, 30).endswith(f"1 are {FAR_WORDS}.")


def test_a_map_without_such_points_has_no_ring(points: pd.DataFrame) -> None:
    drawn = figures.map_scatter(points.assign(far_inside=False), "x", "y", "score").data

    assert len(drawn) == len(figures.map_scatter(points, "x", "y", "score").data)


def test_the_map_says_how_much_of_the_data_it_shows(points: pd.DataFrame) -> None:
    assert figures.map_in_words(points, 30) == (
        "A map of 3 of 30 rows, 1 of them alerts; rows that look alike lie close to each other."
    )


def test_a_single_spike_survives_thinning() -> None:
    values = np.zeros(100_000)
    values[54_321] = 7.0

    line = series(pd.DataFrame({"a": values}), ["a"]).data[0]

    assert len(line.y) <= LINE_POINTS + 2
    assert max(line.y) == 7.0


def test_events_are_shaded_and_the_threshold_is_a_line() -> None:
    events = pd.DataFrame({"start": [10.0], "peak": [12.0], "end": [15.0]})

    figure = timeline(np.arange(100.0), np.ones(100), 0.9, events, chosen=12.0)

    shapes = figure.layout.shapes
    assert {shape.type for shape in shapes} == {"rect", "line"}
    assert [shape.x0 for shape in shapes if shape.type == "rect"] == [10.0]
    assert "1 event above" in timeline_in_words(np.ones(100), events)


def test_a_window_shows_expected_beside_actual_and_the_share_of_each_channel() -> None:
    frame = pd.DataFrame({"time": np.arange(8.0), "a": np.zeros(8), "a expected": np.ones(8), "b": np.zeros(8)})
    shares = np.vstack([np.zeros(8), np.ones(8)])

    figure = window(frame, ["a", "b"], shares)

    assert [trace.type for trace in figure.data] == ["heatmap", "scatter", "scatter", "scatter"]
    assert figure.data[0].zmin == -figure.data[0].zmax
    assert "largest share of the score is b (+8)" in window_in_words(["a", "b"], shares, 8)


def test_the_split_is_one_bar_of_as_many_rows_as_there_are() -> None:
    figure = split_bar(60, 15, 25, other=100)

    assert sum(trace.x[0] for trace in figure.data) == 200
    assert len(split_bar(60, 15, 25).data) == 3


def test_a_sparkline_marks_only_what_is_unusual() -> None:
    line, marked = sparkline(np.array([1.0, 2.0, 3.0]), np.array([False, True, False])).data

    assert list(line.y) == [1.0, 2.0, 3.0]
    assert np.isfinite(np.array(marked.y, dtype=float)).sum() == 1


def test_the_curve_of_alerts_marks_where_one_is_and_what_was_saved():
    values, alerts = np.array([0.01, 0.05, 0.1]), np.array([2, 5, 9])

    figure = alerts_curve(values, alerts, (0.05, 5), (0.01, 2), "share", log=True)

    assert [trace.name for trace in figure.data] == ["alerts", "saved", "now"]
    assert (figure.data[2].x[0], figure.data[2].y[0]) == (0.05, 5)
    assert figure.layout.xaxis.type == "log"
    assert alerts_curve_in_words(values, alerts, (0.05, 5)) == "Alerts go from 2 at 0.01 to 9 at 0.1; 5 at 0.05."
    assert "No value" in alerts_curve_in_words(values[:0], alerts[:0], (0.05, 0))
