"""A local clock that repeats or skips an hour makes neither disorder nor a gap; a real gap stays one."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.dataset import Dataset, Declared
from ad_core.data.readers.sensor import Sensor
from ad_core.data.recordings.clock_changes import clock_change
from ad_core.data.recordings.timeline import timeline

CHANGES = {
    "Berlin, autumn": ("Europe/Berlin", "2024-10-26 22:00", 480),
    "Berlin, spring": ("Europe/Berlin", "2024-03-30 22:00", 480),
    "London, autumn": ("Europe/London", "2024-10-26 22:00", 480),
    "New York, autumn": ("America/New_York", "2024-11-03 02:00", 480),
    "New York, spring": ("America/New_York", "2024-03-10 03:00", 480),
    "Sydney, autumn": ("Australia/Sydney", "2024-04-06 12:00", 480),
    "Sydney, spring": ("Australia/Sydney", "2024-10-05 12:00", 480),
}


def on_the_wall(zone: str, begin: str, samples: int, step: str = "1min") -> pd.DataFrame:
    """Evenly sampled, stamped with the local time that a clock on the wall shows."""
    utc = pd.date_range(begin, periods=samples, freq=step, tz="UTC")
    values = np.random.default_rng(0).normal(size=(samples, 2))
    return pd.DataFrame({"time": utc.tz_convert(zone).tz_localize(None), "a": values[:, 0], "b": values[:, 1]})


def opened(table: pd.DataFrame, **declared: object) -> Dataset:
    return Sensor.open(table, Declared(time="time", **declared))


def changes(dataset: Dataset) -> list[str]:
    return [notice for notice in dataset.notices if notice.startswith("The clock")]


@pytest.mark.parametrize("step", ["1min", "10s", "15min", "1h"])
@pytest.mark.parametrize("where", CHANGES)
def test_the_order_is_that_of_the_file_and_there_is_no_gap(where, step):
    zone, begin, minutes = CHANGES[where]
    samples = int(pd.Timedelta(minutes=minutes) / pd.Timedelta(step))
    dataset = opened(on_the_wall(zone, begin, samples, step))
    line = timeline(dataset.rows)

    assert line.sample.tolist() == list(range(samples))
    np.testing.assert_allclose(np.diff(line.seconds), pd.Timedelta(step).total_seconds())
    assert len(changes(dataset)) == 1
    assert ("repeats" if "autumn" in where else "skips") in changes(dataset)[0]
    assert not any("gap" in n or "backward" in n or "repeat a time stamp" in n for n in dataset.notices)


def test_row_ids_keep_the_times_as_written_and_the_notice_says_where():
    dataset = opened(on_the_wall("Europe/Berlin", "2024-10-26 22:00", 480))
    rows = dataset.rows

    assert rows["row_id"].iloc[179:182].tolist() == [
        "2024-10-27T02:59:00",
        "2024-10-27T02:00:00#2",
        "2024-10-27T02:01:00#2",
    ]
    assert rows["time"].iloc[180].isoformat() == "2024-10-27T03:00:00"
    assert "before row 181 (2024-10-27T02:00:00)" in changes(dataset)[0]


def test_a_year_with_both_changes_ends_on_the_clock_that_it_began_with():
    table = on_the_wall("Europe/Berlin", "2024-01-01", 366 * 24, "1h")
    dataset = opened(table)

    assert "and 1 more such change" in changes(dataset)[0]
    assert dataset.rows["time"].iloc[-1] == table["time"].iloc[-1]
    assert len(timeline(dataset.rows).bounds) == 1


def test_each_recording_has_a_clock_of_its_own():
    wall = on_the_wall("Europe/Berlin", "2024-10-26 22:00", 480)
    utc = wall.assign(time=pd.date_range("2024-10-26 22:00", periods=480, freq="1min"))
    both = pd.concat([wall.assign(site="wall"), utc.assign(site="utc")]).sort_index(kind="stable")
    line = timeline(opened(both, entity="site").rows)

    assert len(line.bounds) == 2
    np.testing.assert_allclose(np.diff(line.seconds)[np.diff(line.entity) == 0], 60)


@pytest.mark.parametrize(
    ("before", "after", "hours"),
    [
        ("2024-10-27 02:59", "2024-10-27 02:00", -1),
        ("2024-03-31 01:59", "2024-03-31 03:00", 1),
        ("2024-03-31 01:59", "2024-03-31 03:01", 1),  # one row is missing
        ("2024-03-31 01:30", "2024-03-31 02:31", 0),  # not over a full hour: an outage
        ("2024-03-30 01:59", "2024-03-30 03:00", 0),  # a Saturday
        ("2024-06-30 01:59", "2024-06-30 03:00", 0),  # in June
        ("2024-03-17 01:59", "2024-03-17 03:00", 0),  # the third Sunday of March
        ("2024-03-31 12:59", "2024-03-31 14:00", 0),  # at noon
        ("2024-03-31 01:59", "2024-03-31 04:00", 0),  # two hours
        ("2024-03-31 01:59", "2024-03-31 02:00", 0),
    ],
)
def test_only_what_clocks_do_is_a_change(before, after, hours):
    assert clock_change(pd.Timestamp(before), pd.Timestamp(after), 60.0) == hours


def test_times_with_a_zone_and_disordered_files_are_left_alone():
    table = on_the_wall("UTC", "2024-03-31 00:00", 300)
    table = table[(table.index < 120) | (table.index >= 180)]  # an outage from 02:00 to 03:00
    assert len(timeline(opened(table.assign(time=table["time"].dt.tz_localize("UTC"))).rows).bounds) == 2

    shuffled = on_the_wall("Europe/Berlin", "2024-10-26 22:00", 480).sample(frac=1, random_state=0)
    assert changes(opened(shuffled)) == []


def test_a_stream_of_local_times_is_scored_as_the_file():
    settings = {"reader": {"window": 16, "stride": 3}}
    for begin in ("2024-10-26 22:00", "2024-03-30 22:00"):
        table = on_the_wall("Europe/Berlin", begin, 480)
        detector = pipeline.train(pipeline.open_dataset(table, time="time"), "nearest_neighbours", settings=settings)
        whole = detector.score(pipeline.open_like(detector, table))
        stream = detector.stream()
        final = [a for tick in table.to_dict("records") for a in stream.push(tick["time"], tick) if a.is_final]
        final += stream.close()

        assert [answer.time for answer in final] == whole["time"].tolist()
        np.testing.assert_allclose([answer.score for answer in final], whole["score"], rtol=1e-5)
