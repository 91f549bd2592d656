"""How the benchmark of the recommendation puts its figures together."""

import pandas as pd
import pytest

from tests.benchmarks.recommend import COLUMNS, _rank, _reached, in_tables


def results() -> pd.DataFrame:
    """One table: synthetic anomalies order the tasks the wrong way round and the references the right one."""
    lines = [
        ("balanced", "recipe", 0.80, 0.90),
        ("a", "pretext", 0.9, 0.5),
        ("b", "pretext", 0.8, 0.6),
        ("c", "pretext", 0.7, 0.7),
        ("d", "pretext", 0.6, 0.95),
        ("forest", "reference", 0.65, 0.85),
        ("auto", "recipe", None, 0.91),
    ]
    frame = pd.DataFrame(lines, columns=["method", "kind", "made_up", "truth"])
    return frame.assign(set="one", protocol="A", chosen="auto", task="b").reindex(columns=COLUMNS)


def test_a_signal_that_points_the_wrong_way_has_a_negative_rank_correlation() -> None:
    part = results()

    assert _rank(part[part["kind"] == "pretext"], "made_up") == pytest.approx(-1)
    assert _rank(part[part["kind"] == "reference"], "made_up") != _rank(part, "made_up")  # too few: not a number


def test_what_is_reached_stands_beside_best_worst_and_mean() -> None:
    reached = _reached(results())

    assert reached["auto"] == 0.91
    assert reached["balanced"] == 0.90
    assert reached["best task by made-up"] == 0.5
    assert reached["named task"] == 0.6
    assert reached["mean of tasks"] == pytest.approx((0.5 + 0.6 + 0.7 + 0.95) / 4)
    assert (reached["worst task"], reached["best task (oracle)"]) == (0.5, 0.95)
    assert reached["best single (oracle)"] == 0.95


def test_a_signal_without_figures_is_a_dash() -> None:
    text = in_tables(results(), "A")

    assert "made_up           all -0." in text
    assert "pretext tasks -1.00" in text
    assert "tail              all       –" in text
