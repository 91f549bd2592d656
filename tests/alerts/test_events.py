"""Alarms that follow each other closely are one event, within one entity, whatever the order and the holes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ad_core.alerts.events import events


def scored(scores: list[float], entity: list[str] | None = None) -> pd.DataFrame:
    time = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(len(scores)), unit="min")
    table = pd.DataFrame({"row_id": [f"r{i}" for i in range(len(scores))], "time": time, "score": scores})
    return table if entity is None else table.assign(entity=entity)


def above(table: pd.DataFrame, threshold: float) -> np.ndarray:
    return (table["score"] >= threshold).to_numpy()


def of_scores(table: pd.DataFrame, threshold: float = 5, merge_gap: int = 0, **more) -> pd.DataFrame:
    """The events of the rows from a threshold on."""
    return events(table, above(table, threshold), merge_gap, **more)


def spans(found: pd.DataFrame) -> set[tuple[str, str, str]]:
    return set(zip(found["row_id_start"], found["row_id_peak"], found["row_id_end"], strict=True))


def test_an_event_has_start_peak_end_duration_and_counts():
    found = of_scores(scored([0, 5, 9, 1, 7, 0]), threshold=5, merge_gap=1)
    assert found.to_dict("records") == [
        {
            "start": pd.Timestamp("2024-03-01 00:01"),
            "peak": pd.Timestamp("2024-03-01 00:02"),
            "end": pd.Timestamp("2024-03-01 00:04"),
            "row_id_start": "r1",
            "row_id_peak": "r2",
            "row_id_end": "r4",
            "peak_score": 9.0,
            "duration": 180.0,
            "n_rows": 4,
            "n_alarms": 3,
        }
    ]


@pytest.mark.parametrize(("merge_gap", "expected"), [(0, 3), (1, 2), (2, 1)])
def test_alarms_merge_over_at_most_so_many_quiet_rows(merge_gap, expected):
    assert len(of_scores(scored([9, 0, 9, 0, 0, 9]), 5, merge_gap)) == expected


def test_the_highest_event_comes_first():
    found = of_scores(scored([6, 0, 8, 0, 7]), 5)
    assert found["peak_score"].tolist() == [8, 7, 6]


def test_entities_are_never_joined():
    found = of_scores(scored([9, 9, 9, 9], ["a", "a", "b", "b"]), 5, merge_gap=10)
    assert spans(found) == {("r0", "r0", "r1"), ("r2", "r2", "r3")}
    assert sorted(found["entity"]) == ["a", "b"]


def test_rows_of_interleaved_entities_and_any_order_give_the_same_events():
    table = scored([9, 1, 9, 1, 1, 9], ["a", "b", "a", "b", "a", "b"])
    pd.testing.assert_frame_equal(of_scores(table, 5), of_scores(table.sort_values("entity"), 5))
    assert spans(of_scores(table.iloc[::-1], 5)) == {("r0", "r0", "r2"), ("r5", "r5", "r5")}


def test_rows_without_a_score_or_time_neither_end_nor_lengthen_an_event():
    table = scored([np.nan, 9, np.nan, np.nan, 9, np.nan])
    table["time"] = table["time"].where(table.index != 3)
    found = of_scores(table, 5)
    assert spans(found) == {("r1", "r1", "r4")}
    assert found["n_rows"].tolist() == [2]


def test_the_leading_channel_is_the_one_at_the_peak():
    found = of_scores(scored([5, 9, 6, 0]), 5, leading=pd.Series(["p", "q", "r", "s"]))
    assert found["leading"].tolist() == ["q"]


def test_numeric_times_give_durations_in_their_unit():
    found = of_scores(scored([9, 9, 9]).assign(time=[0.5, 1.0, 2.5]), 5)
    assert found["duration"].tolist() == [2.0]


@pytest.mark.parametrize("scores", [[], [1.0, 2.0], [np.nan, np.nan]])
def test_without_alarms_the_table_is_empty_but_has_its_columns(scores):
    found = of_scores(scored(scores), 5)
    assert len(found) == 0
    assert {"start", "peak", "end", "peak_score", "duration", "n_rows", "row_id_peak"} <= set(found)


def test_a_negative_merge_gap_is_a_bug():
    with pytest.raises(ValueError, match="merge_gap"):
        of_scores(scored([9]), 5, -1)


@settings(deadline=None)
@given(
    scores=st.lists(st.one_of(st.integers(0, 9), st.just(np.nan)), max_size=60),
    entity=st.lists(st.sampled_from("ab"), min_size=60, max_size=60),
    merge_gap=st.integers(0, 4),
)
def test_every_alarm_lies_in_exactly_one_event(scores, entity, merge_gap):
    table = scored([float(s) for s in scores], entity[: len(scores)])
    found = of_scores(table, 5, merge_gap)
    alarms = table[table["score"] >= 5]

    assert found["n_alarms"].sum() == len(alarms)
    for row in alarms.itertuples():
        inside = found[(found["entity"] == row.entity) & (found["start"] <= row.time) & (row.time <= found["end"])]
        assert len(inside) == 1
        assert inside["peak_score"].iloc[0] >= row.score
