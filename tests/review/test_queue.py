"""The queue: who comes first, why, and how far the work is."""

import numpy as np
import pandas as pd
import pytest

from ad_core.review.queue import ORDERS, Scored, queue


def scored(reviewed: str = "", ranks: pd.DataFrame | None = None, alerts: int = 3) -> Scored:
    """Seven rows a to g, a with the highest score, g without one."""
    rows = pd.DataFrame({"row_id": list("abcdefg"), "score": [9.0, 8.0, 7.0, 3.0, 2.0, 1.0, np.nan]})
    return Scored(rows, np.arange(7) < alerts, rows["row_id"].isin(list(reviewed)).to_numpy(), ranks)


RANKS = pd.DataFrame(
    {"isolation_forest": [99.0, 12.0, 98.0, 50.0], "gaussian_mixture": [97.0, 99.0, 60.0, np.nan]},
    index=pd.Index(list("abcd"), name="row_id"),
)


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_lines_each_row_up_once_with_a_reason_and_counts_what_is_done(name):
    lined = ORDERS[name].line_up(scored("b", RANKS))
    found = queue(scored("b", RANKS), name)

    assert ORDERS[name].possible(scored(ranks=RANKS))
    assert {"a", "b", "c"} <= set(lined["row_id"])
    assert "g" not in set(lined["row_id"])
    assert lined["row_id"].is_unique
    assert lined["because"].str.len().min() > 10
    assert (found.done, found.total) == (1, len(lined))
    assert found.items["row_id"].tolist() == [row for row in lined["row_id"] if row != "b"]


@pytest.mark.parametrize("name", ORDERS)
def test_without_alerts_nothing_waits(name):
    found = queue(scored(ranks=RANKS, alerts=0), name)

    assert (len(found.items), found.done, found.total) == (0, 0, 0)
    assert found.after("a") is None


def test_the_highest_score_that_nobody_has_judged_comes_first():
    items = queue(scored("a"), "highest").items

    assert items.to_numpy().tolist() == [
        ["b", "the highest score not yet reviewed"],
        ["c", "the 2nd highest score not yet reviewed"],
    ]


def test_near_the_threshold_is_offered_where_there_are_rows_below_it():
    peaks = scored()
    only_alerts = Scored(peaks.rows.iloc[:3], np.ones(3, dtype=bool), np.zeros(3, dtype=bool))

    assert ORDERS["near"].possible(peaks)
    assert not ORDERS["near"].possible(only_alerts)  # as of recordings, of which the peaks of events are reviewed


def test_near_the_threshold_both_sides_take_turns():
    items = queue(scored(), "near").items

    assert items["row_id"].tolist() == ["c", "d", "b", "e", "a", "f"]
    assert items["because"].tolist()[:3] == [
        "the lowest score of an alert",
        "the highest score below the threshold",
        "the 2nd lowest score of an alert",
    ]


def test_the_alert_on_which_classical_detectors_differ_most_comes_first():
    items = queue(scored(ranks=RANKS), "disagree").items

    assert items["row_id"].tolist() == ["b", "c", "a"]
    assert items["because"].iloc[0] == (
        "ranks from 12 (isolation forest) to 99 (gaussian mixture) of 100 for classical detectors"
    )


@pytest.mark.parametrize("ranks", [None, RANKS[["isolation_forest"]], RANKS.loc[["d"]]])
def test_where_two_detectors_have_not_ranked_an_alert_they_can_not_disagree(ranks):
    assert not ORDERS["disagree"].possible(scored(ranks=ranks))


def test_after_the_last_item_comes_the_first_that_still_waits():
    found = queue(scored(), "highest")

    assert [found.after(row) for row in ("a", "b", "c")] == ["b", "c", "a"]
    assert found.after("elsewhere") == "a"
    assert queue(scored("bc"), "highest").after("a") is None


def test_places_are_told_as_people_say_them():
    rows = pd.DataFrame({"row_id": [str(i) for i in range(30)], "score": -np.arange(30.0)})
    items = queue(Scored(rows, np.ones(30, bool), np.zeros(30, bool)), "highest").items

    assert [items["because"].iloc[n - 1].split()[1] for n in (2, 3, 4, 11, 12, 13, 21, 22)] == [
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "21st",
        "22nd",
    ]
