"""What drives all alerts: shares add up, doubtful explanations don't count, every alert counts the same."""

import numpy as np
import pandas as pd
import pytest

from ad_core.explain.global_importance import GlobalImportance, global_importance, over_time, ranking, split
from ad_core.explain.image_grid import FIELDS, by_field


def lines(cases: dict[str, dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"row_id": row, "part": part, "attribution": value}
            for row, parts in cases.items()
            for part, value in parts.items()
        ]
    )


def graded(**grades: str) -> pd.DataFrame:
    return pd.DataFrame({"row_id": list(grades), "grade": list(grades.values())})


@pytest.fixture
def found() -> GlobalImportance:
    """Two alerts of very different height, one that failed its check, one nobody checked, one nobody explained."""
    parts = lines(
        {
            "a": {"amount": 8.0, "hour": -2.0},
            "b": {"amount": 100.0, "hour": 300.0},
            "c": {"amount": 5.0, "hour": 5.0},
            "d": {"amount": 1.0, "hour": 0.0},
            "usual": {"amount": 1.0, "hour": 0.0},
        }
    )
    return global_importance(
        parts, graded(a="supported", b="weak", c="not supported", usual="weak"), ["a", "b", "c", "d", "e"]
    )


def test_each_alert_counts_the_same_and_doubtful_ones_are_left_out_and_counted(found):
    table = ranking(found).set_index("part")

    assert found.left_out == {"not supported": 1, "not checked": 1, "not explained": 1}
    assert found.alerts == 5
    assert table["share"].to_dict() == pytest.approx({"amount": (0.8 + 0.25) / 2, "hour": (0.2 + 0.75) / 2})
    assert table["first"].to_dict() == {"amount": 1, "hour": 1}
    assert table[["low", "high"]].isna().all(axis=None)  # two alerts are too few for an interval


def test_the_interval_holds_the_true_share_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        shares = random.dirichlet([3.0, 1.0], 30)
        table = pd.DataFrame(shares, columns=["x", "y"], index=[str(i) for i in range(30)])
        line = ranking(GlobalImportance(table, table.idxmax(axis=1), {})).set_index("part").loc["x"]
        inside += line["low"] <= 0.75 <= line["high"]

    assert 180 <= inside <= 198  # 95 % of 200 is 190; three standard deviations are 9


def test_without_explanations_or_with_doubtful_ones_alone_nothing_counts():
    none = global_importance(None, None, ["a", "b"])
    unchecked = global_importance(lines({"a": {"x": 1.0}}), None, ["a"])
    nothing = global_importance(lines({"a": {"x": 0.0}}), graded(a="weak"), ["a"])

    assert (len(none.shares), none.left_out) == (0, {"not explained": 2})
    assert (len(unchecked.shares), unchecked.left_out) == (0, {"not checked": 1})
    assert (len(nothing.shares), nothing.left_out) == (0, {"not checked": 1})
    assert none.first.empty


def test_a_part_that_lowers_a_score_drives_it_but_never_comes_first():
    found = global_importance(
        lines({"a": {"x": -9.0, "y": 1.0}, "b": {"x": -1.0, "y": 0.0}}), graded(a="weak", b="weak"), list("ab")
    )

    assert ranking(found)["part"].tolist() == ["x", "y"]
    assert found.first.to_dict() == {"a": "y"}


def test_spans_of_a_channel_count_together():
    parts = lines({"a": {"flow, 1 to 2": 3.0, "flow, 2 to 3": -1.0, "load, 1 to 2": 2.0}})
    parts["channel"] = ["flow", "flow", "load"]

    assert global_importance(parts, graded(a="weak"), ["a"]).shares.loc["a"].to_dict() == {"flow": 0.5, "load": 0.5}


def test_a_split_ranks_within_each_value_and_leaves_out_what_has_none(found):
    table = split(found, pd.Series({"a": "food", "b": "travel", "zzz": "food"}))

    assert table.groupby("value")["alerts"].first().to_dict() == {"food": 1, "travel": 1}
    assert table.set_index(["value", "part"])["share"].to_dict() == pytest.approx(
        {("food", "amount"): 0.8, ("food", "hour"): 0.2, ("travel", "hour"): 0.75, ("travel", "amount"): 0.25}
    )
    assert split(found, pd.Series({"a": None, "b": None})).empty


def test_over_time_every_stretch_adds_up_to_its_alerts(found):
    times = pd.Series(pd.date_range("2026-01-01", periods=5, freq="D"), index=["a", "x", "y", "z", "b"])

    table = over_time(found, times, bins=4)

    assert table.groupby("begin")["alerts"].sum().to_dict() == pytest.approx(
        {pd.Timestamp("2026-01-01"): 1, pd.Timestamp("2026-01-04"): 1}  # the last moment belongs to the last stretch
    )
    assert (table["end"] - table["begin"] == pd.Timedelta("1D")).all()
    assert over_time(found, pd.Series({"a": 3, "b": 3})).empty
    numbers = over_time(found, pd.Series({"a": 0, "b": 10}), bins=2)
    assert numbers["begin"].unique().tolist() == [0, 5]


def test_a_box_is_shared_out_among_the_fields_that_it_covers():
    boxes = pd.DataFrame(
        {"row_id": ["p", "p", "q"], "y0": [0, 0, 60], "x0": [0, 0, 60], "y1": [30, 90, 90], "x1": [60, 90, 90]}
    ).assign(attribution=[4.0, 9.0, 2.0])

    table = by_field(boxes)

    assert table.loc["p"].sum() == pytest.approx(13)
    assert table.loc["p", ["upper left", "top", "upper right", "middle"]].tolist() == pytest.approx([3, 3, 1, 1])
    assert table.loc["q"].to_dict() == pytest.approx(dict.fromkeys(FIELDS, 0.0) | {"lower right": 2.0})
