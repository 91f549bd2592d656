"""Figures for labelled ranges of recordings."""

import re
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ad_core.evaluation.range_metrics import _false_alarms, event_recall, rows_per_day, runs, volumes


def noisy(seed: int, n: int, ranges: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of a made-up recording: normal noise, 1.5 higher inside the ranges."""
    label = np.zeros(n, dtype=int)
    for start, stop in ranges:
        label[start:stop] = 1
    return label, np.random.default_rng(seed).normal(size=n) + 1.5 * label


def test_without_a_buffer_one_range_is_judged_row_by_row():
    """Ranked: anomalous, normal, normal, anomalous. Precision at the hits is 1 and 2/4; half the area is missed."""
    judged = volumes([0, 1, 1, 0], [3, 4, 1, 2], longest_buffer=0, thresholds=4)

    assert judged == pytest.approx(((1 + 2 / 4) / 2, 1 / 2))


def test_recall_is_cut_by_the_share_of_ranges_without_an_alarm():
    """Ranked: first range, normal, second range, normal. Recall 1/2 with one of two ranges counts 1/4, then 1."""
    judged = volumes([1, 0, 1, 0], [4, 3, 2, 1], longest_buffer=0, thresholds=4)

    assert judged.pr == pytest.approx(1 / 4 * 1 + 3 / 4 * 2 / 3)


def test_an_alarm_just_before_a_range_counts_as_much_as_the_buffer_says():
    """The highest score stands one row early. Buffers 0 and 1 give it nothing; a buffer of 2 gives sqrt(1 - 1/2)."""
    r = sqrt(1 / 2)
    recall = r / (1 + r / 2)  # true alarms r; labels: half-way between 1 and 1 + r
    with_buffer = recall * r + (1 - recall) * (1 + r) / 2

    judged = volumes([0, 1, 0, 0, 0], [5, 4, 3, 2, 1], longest_buffer=2, thresholds=5)

    assert judged.pr == pytest.approx((1 / 2 + 1 / 2 + with_buffer) / 3)


@pytest.mark.parametrize(
    ("seed", "n", "ranges", "published"),
    [
        (0, 400, [(100, 130), (180, 181), (190, 200)], (0.6207064293885713, 0.9372563313856668)),
        (1, 1000, [(0, 20), (300, 420), (460, 465), (990, 1000)], (0.6779325538500496, 0.9273141827238528)),
    ],
)
def test_the_volumes_are_those_of_the_published_implementation(seed, n, ranges, published):
    """Expected: `generate_curve(label, score, 100, "opt", 250)` of the PyPI package TSB-AD 1.5 on the same arrays."""
    assert volumes(*noisy(seed, n, ranges)) == pytest.approx(published, abs=1e-9)


def test_tied_scores_and_other_settings_give_what_is_published_too():
    """Expected: `generate_curve(label, score.round(), 20, "opt", 50)` of the PyPI package TSB-AD 1.5."""
    label, score = noisy(2, 300, [(50, 90), (140, 150)])

    judged = volumes(label, score.round(), longest_buffer=20, thresholds=50)

    assert judged == pytest.approx((0.5362353162195079, 0.8757581422547479), abs=1e-9)


def test_random_scores_are_worth_no_more_than_a_guess():
    """A long recording without buffers: the share of anomalous rows, and half of the area."""
    label, _ = noisy(0, 20_000, [(a, a + 200) for a in range(0, 20_000, 1000)])

    judged = volumes(label, np.random.default_rng(1).normal(size=20_000), longest_buffer=0)

    assert judged == pytest.approx((0.2, 0.5), abs=0.02)  # chance: 4,000 anomalous rows


@pytest.mark.parametrize("label", [[0, 0, 0], [1, 1, 1]])
def test_ranges_can_t_be_judged_where_nothing_is_to_be_told_apart(label):
    with pytest.raises(ValueError, match="all rows have the same label"):
        volumes(label, [1, 2, 3])


def test_a_score_that_is_missing_or_too_many_is_refused():
    with pytest.raises(ValueError, match="must not be NaN"):
        volumes([0, 1], [1, np.nan])
    with pytest.raises(ValueError, match="a score per row"):
        event_recall([0, 1], [1, 2, 3])


def day(alarms: dict[int, float], events: list[int], rows: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Scores are 0 but where an alarm is set; each event is one row."""
    score, label = np.zeros(rows), np.zeros(rows)
    score[list(alarms)], label[events] = list(alarms.values()), 1
    return label, score


def test_events_above_the_second_false_alarm_of_the_day_are_found():
    """Three events score 9, 5 and 2; false alarms 6 and 3. A little over a day bears one, so the threshold is 5."""
    label, score = day({10: 9, 20: 6, 30: 5, 40: 3, 50: 2}, [10, 30, 50])

    found = event_recall(label, score, rows_per_day=90)

    assert found == (2 / 3, 3, 1, 5.0)


def test_a_recording_shorter_than_a_day_bears_no_false_alarm():
    label, score = day({10: 9, 20: 6, 30: 5}, [10, 30])

    assert event_recall(label, score).recall == 1 / 2


def test_neighbouring_alarms_are_one_and_those_that_touch_an_event_are_not_false():
    """Rows 9 to 11 alarm around the event in 10; rows 20 to 22 are one false alarm, row 24 would be a second."""
    label, score = day({9: 8, 10: 7, 11: 8, 20: 5, 21: 5, 22: 5, 24: 4}, [10])

    assert event_recall(label, score, rows_per_day=99).false_alarms == 1
    assert event_recall(label, score, rows_per_day=99).threshold == 5
    assert event_recall(label, score, rows_per_day=100).threshold == 7


def test_a_detector_that_is_always_in_alarm_finds_nothing():
    label, _ = day({}, [10, 50])

    assert event_recall(label, np.ones(100), rows_per_day=1) == (0, 2, 0, None)


def walked(label: np.ndarray, alarm: np.ndarray) -> list[bool]:
    """Walk along the rows: one entry per run of alarms, whether it touches an event."""
    touches: list[bool] = []
    for i, is_alarm in enumerate(alarm):
        if is_alarm and not (i and alarm[i - 1]):
            touches.append(False)
        if is_alarm and label[i]:
            touches[-1] = True
    return touches


scores = arrays(np.int64, 40, elements=st.integers(0, 6))
labels = arrays(np.bool_, 40).filter(any)


@given(scores, labels)
def test_false_alarms_are_counted_as_on_a_walk_at_every_threshold(score, label):
    cuts = np.unique(score)

    counted = _false_alarms(label, score, *runs(label), cuts)

    assert list(counted) == [walked(label, score >= cut).count(False) for cut in cuts]


@given(scores, labels, st.sampled_from([3.0, 10.0, 39.0]))
def test_the_threshold_is_the_lowest_that_will_do(score, label, per_day):
    outside = (~label).sum()
    events = [(run.start(), run.end()) for run in re.finditer("x+", "".join("x" if y else " " for y in label))]
    expected = (0, len(events), 0, None)
    for cut in np.unique(score)[::-1]:
        false = walked(label, score >= cut).count(False)
        if false <= outside / per_day and ((score >= cut) & ~label).sum() <= 0.1 * outside:
            expected = (np.mean([score[a:b].max() >= cut for a, b in events]), len(events), false, cut)

    assert event_recall(label, score, rows_per_day=per_day) == expected


def test_a_day_has_as_many_rows_as_the_median_step_says():
    five_minutes = pd.Series(pd.date_range("2024-01-01", periods=10, freq="5min"))
    gap = pd.concat([five_minutes, five_minutes + pd.Timedelta("9D"), five_minutes], ignore_index=True)

    assert rows_per_day(gap) == 288
    assert rows_per_day(pd.Series([0.0, 0.1, 0.2, 0.3])) == pytest.approx(864_000)


def test_without_a_clock_a_row_stands_for_a_minute():
    assert rows_per_day(None) == 1440
    assert rows_per_day(pd.Series([3.0, 3.0])) == 1440
