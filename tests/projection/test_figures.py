"""The map shows every point once, alerts in front."""

import numpy as np
import pandas as pd
import pytest

from ad_core.projection import figures
from ad_core.projection.colours import FAR_WORDS


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
