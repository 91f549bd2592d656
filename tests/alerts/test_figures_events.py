"""Swim lanes of events."""

import pandas as pd
import pytest

from ad_core.alerts import figures_events


@pytest.fixture
def events() -> pd.DataFrame:
    start = pd.to_datetime(["2026-01-01 10:00", "2026-01-02 10:00", "2026-01-01 12:00"])
    return pd.DataFrame(
        {
            "entity": ["b", "b", "<i>a</i>"],
            "start": start,
            "peak": start + pd.Timedelta("10min"),
            "end": start + pd.Timedelta("1h"),
            "row_id_peak": ["e0", "e1", "e2"],
            "peak_score": [3.0, 9.0, 5.0],
            "severity": ["High", "High", "Low"],
            "about": ["first", "second", "third"],
        }
    )


def test_each_recording_has_a_lane_and_each_event_a_bar_with_its_peak(events):
    span = (pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-03"))

    figure = figures_events.lanes(events, span, "e1")

    bars, peaks = figure.data[0], figure.data[1]
    assert figure.layout.yaxis.ticktext == ("&lt;i&gt;a&lt;/i&gt;", "b")
    assert list(bars.y) == ["1", "1"]
    assert list(bars.x) == [3_600_000, 3_600_000]
    assert bars.marker.color == figures_events.COLOURS["High"]
    assert [mark[0] for mark in peaks.customdata] == ["e0", "e1"]
    assert list(peaks.x) == list(events["peak"][:2])
    assert figure.data[-1].name == "current case"
    assert list(figure.data[-1].x) == [events["peak"][1]]
    assert figure.layout.xaxis.type == "date"


def test_numbers_are_times_too_and_a_single_recording_needs_no_name(events):
    numbers = events.drop(columns="entity").assign(start=[1.0, 5, 9], peak=[1.5, 6, 9], end=[2.0, 7, 9])

    figure = figures_events.lanes(numbers, (0, 10), None, "time [s]")

    assert not figure.layout.yaxis.visible
    assert list(figure.data[0].x) == [1.0, 2.0]
    assert figure.layout.xaxis.title.text == "time [s]"
    assert "current case" not in [trace.name for trace in figure.data]


def test_of_many_recordings_those_with_the_highest_peaks_are_drawn(events):
    many = pd.concat([events.assign(entity=f"e{i}", peak_score=float(i)) for i in range(50)], ignore_index=True)

    drawn = figures_events.drawn_events(many)

    assert drawn["entity"].nunique() == figures_events.LANES
    assert drawn["peak_score"].min() == 50 - figures_events.LANES


def test_words_name_the_highest_event(events):
    assert figures_events.lanes_in_words(events) == (
        "3 events in 2 recordings; the highest peak is at 2026-01-02 10:10:00 in b."
    )
    assert figures_events.lanes_in_words(events[:0]) == "No event."
