"""Time columns of many kinds are read into one clock, or refused with the first value that is none."""

import numpy as np
import pandas as pd
import pytest

from ad_core.data.recordings.timestamps import ClockKind, read_clock, row_clock, time_texts
from ad_core.errors import DataError

FIRST = "2020-02-08T13:30:47"


@pytest.mark.parametrize(
    "values",
    [
        ["2020-02-08 13:30:47", "2020-02-08 13:30:48"],
        ["2020-02-08T13:30:47Z", "2020-02-08T13:30:48Z"],
        ["2020-02-08T15:30:47+02:00", "2020-02-08T13:30:48+00:00"],
        ["2020/02/08 13:30:47", "2020/02/08 13:30:48"],
        ["08.02.2020 13:30:47", "08.02.2020 13:30:48"],
        ["2/8/2020 1:30:47 PM", "2/8/2020 1:30:48 PM"],
        [1581168647, 1581168648],
        [1581168647.0, 1581168648.0],
        ["1581168647", "1581168648"],
        [1581168647000, 1581168648000],
        [1581168647000000, 1581168648000000],
        [1581168647000000000, 1581168648000000000],
        pd.to_datetime(["2020-02-08 14:30:47", "2020-02-08 14:30:48"]).tz_localize("Europe/Berlin"),
        pd.to_datetime(["2020-02-08 13:30:47", "2020-02-08 13:30:48"]),
    ],
)
def test_dates_of_every_form_end_up_in_utc(values):
    clock = read_clock(pd.Series(values), "t")
    assert clock.kind is ClockKind.DATE
    assert time_texts(clock.time).tolist() == [FIRST, "2020-02-08T13:30:48"]
    assert (clock.notes == "").all()


def test_day_and_month_are_told_apart_by_time_running_forward_and_that_is_said():
    months = [f"{month:02}/{day:02}/2020 08:00" for month, day in ((3, 30), (3, 31), (4, 1), (4, 2))]
    assert time_texts(read_clock(pd.Series(months), "t").time).iloc[2] == "2020-04-01T08:00:00"
    ambiguous = read_clock(pd.Series([f"01/{day:02}/2020 08:00" for day in range(1, 9)]), "t")
    assert ambiguous.time.dt.month.eq(1).all() or ambiguous.time.is_monotonic_increasing
    assert any("could also be read as" in notice for notice in ambiguous.notices)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (np.array([0, 0.002778, 1805.5527], dtype=np.float32), ["0", "0.002778", "1805.5527"]),
        ([0, 1, 2], ["0", "1", "2"]),
        ([0.5, 1.0, 1.5], ["0.5", "1", "1.5"]),
        (pd.to_timedelta([1, 2.5, 4], unit="s"), ["1", "2.5", "4"]),
    ],
)
def test_small_numbers_are_seconds_of_the_recordings_own_clock(values, texts):
    clock = read_clock(pd.Series(values), "t")
    assert clock.kind is ClockKind.SECONDS
    assert time_texts(clock.time).tolist() == texts


def test_fractions_of_a_second_are_kept():
    assert time_texts(read_clock(pd.Series(["2020-02-08 13:30:47.25"]), "t").time).tolist() == [FIRST + ".250000"]


def test_infinite_missing_and_wrong_times_get_notes():
    clock = read_clock(pd.Series([1.0, np.inf, np.nan, 4.0, 5.0]), "t")
    assert clock.notes.tolist() == ["", "The time inf can't be read.", "The time is missing.", "", ""]
    assert time_texts(clock.time).tolist() == ["1", "no time", "no time", "4", "5"]


@pytest.mark.parametrize("values", [["a", "b", "2020-01-01"], [True, False, True], [None, None, None]])
def test_a_column_that_is_no_time_is_refused(values):
    with pytest.raises(DataError, match=r"Column 't' can't be used as time: \d of 3 values"):
        read_clock(pd.Series(values), "t")


def test_row_numbers_start_anew_in_each_recording():
    assert row_clock(pd.Series(["a", "a", "b"]), 3).time.tolist() == [0, 1, 0]


def test_rows_without_an_entity_are_counted_too():
    """They get a note later; without a number they could not even be read."""
    assert row_clock(pd.Series(["a", None, "a", None]), 4).time.tolist() == [0, 0, 1, 1]


def test_numbers_among_times_that_are_texts_can_not_be_read_as_times():
    """Joined files may hold both; pandas would take a number for a time since 1970, with a warning."""
    texts = pd.date_range("2026-01-01", periods=9, freq="min").astype(str)

    clock = read_clock(pd.Series([*texts, 12.5], dtype=object), "time")

    assert clock.time.notna().tolist() == [True] * 9 + [False]
