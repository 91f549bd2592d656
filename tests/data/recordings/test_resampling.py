"""Irregular recordings are interpolated between near values, never across a gap; rows keep their scores."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ad_core import pipeline
from ad_core.data.dataset import Dataset, Declared
from ad_core.data.item_set import ItemSet
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.data.recordings.stream_buffer import StreamBuffer
from ad_core.errors import DataError
from ad_core.explain.attribution import How
from ad_core.explain.explain import explain_top
from ad_core.progress import Silent


def irregular(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """A straight course and a sine, at intervals between 0.2 and 1.8 s."""
    seconds = np.cumsum(np.random.default_rng(seed).uniform(0.2, 1.8, n))
    seconds -= seconds[0]
    return pd.DataFrame({"time": seconds, "line": 3 * seconds + 1, "wave": np.sin(seconds / 5)})


def fitted(table: pd.DataFrame, resample: object = 1.0, **more: object) -> tuple[Sensor, Dataset, ItemSet]:
    dataset = Sensor.open(table, Declared(time="time", use=("line", "wave")))
    reader = Sensor(SensorSettings.parse({"window": 16, "stride": 1, "resample": resample, **more}, "reader"))
    reader.fit(dataset, dataset.is_training)
    return reader, dataset, reader.item_set(dataset)


def course(reader: Sensor, item_set: ItemSet, channel: int) -> np.ndarray:
    """(samples,) of a channel, in its units."""
    x = np.concatenate([item_set.x[:, channel, 0], item_set.x[-1, channel, 1:]])
    return reader.scaling.in_units(channel, x, None)


def test_even_samples_lie_on_the_line_between_their_neighbours():
    table = irregular()
    reader, _, item_set = fitted(table)
    even = np.arange(item_set.samples, dtype=float)

    assert item_set.samples == int(table["time"].iloc[-1]) + 1
    assert item_set.times.tolist() == even.tolist()
    np.testing.assert_allclose(course(reader, item_set, 0), 3 * even + 1, rtol=1e-4)  # float32 at a spread of 260
    np.testing.assert_allclose(course(reader, item_set, 1), np.interp(even, table["time"], table["wave"]), atol=1e-5)


def test_each_row_shares_the_score_of_the_nearest_sample():
    table = irregular()
    _, _, item_set = fitted(table)
    scores = item_set.reduce(np.arange(len(item_set), dtype=float))
    per_sample = np.array(
        [np.arange(max(0, s - 15), min(len(item_set) - 1, s) + 1).mean() for s in range(item_set.samples)]
    )
    nearest = np.minimum(np.floor(table["time"].to_numpy() + 0.5).astype(int), item_set.samples - 1)

    np.testing.assert_allclose(scores, per_sample[nearest])
    assert item_set.rows["note"].eq("").all()


def test_an_even_recording_stays_what_it_is():
    table = irregular().assign(time=lambda t: np.arange(len(t)) * 0.5)
    plain, even = fitted(table, resample="off")[2], fitted(table, resample=0.5)[2]

    np.testing.assert_allclose(even.x, plain.x, atol=1e-6)
    assert even.rows["sample"].tolist() == plain.rows["sample"].tolist()


def test_no_line_is_drawn_over_more_than_a_few_usual_intervals():
    """Usually a value a second; 3 s are connected, 4 s keep the last value and count as missing."""
    table = pd.DataFrame({"time": np.arange(300.0)}).assign(line=lambda t: t["time"], wave=np.sin(np.arange(300) / 5))
    table.loc[[101, 102], "line"] = table.loc[[201, 202, 203], "line"] = np.nan
    reader, _, frame = fitted(table)
    line = course(reader, frame, 0)

    np.testing.assert_allclose(line[100:104], [100, 101, 102, 103], rtol=1e-4)
    np.testing.assert_allclose(line[200:205], [200, 200, 200, 200, 204], rtol=1e-4)
    missing = frame.items.set_index("start")["missing"]
    assert missing[95] == 0
    assert missing[195] == 3 / 32


def test_a_gap_is_never_bridged_and_the_samples_begin_anew_after_it():
    table = irregular()
    later = table["time"] > 150
    table.loc[later, "time"] += 60.25
    _, dataset, item_set = fitted(table)
    steps = np.diff(item_set.times)

    assert any("gap" in notice for notice in dataset.notices)
    assert (np.isclose(steps, 1.0).sum(), len(steps)) == (len(steps) - 1, len(steps))
    at = int(np.argmax(steps))
    assert item_set.times.iloc[at + 1] == table.loc[later, "time"].iloc[0]
    assert not ((item_set.items["start"] <= at) & (at < item_set.items["start"] + 15)).any()


def test_dates_are_evened_out_too():
    table = irregular().assign(time=lambda t: pd.Timestamp("2024-03-01 08:00") + pd.to_timedelta(t["time"], unit="s"))
    _, _, item_set = fitted(table, resample=2)

    assert item_set.times.iloc[:2].tolist() == [
        pd.Timestamp("2024-03-01 08:00:00"),
        pd.Timestamp("2024-03-01 08:00:02"),
    ]


def test_what_is_done_and_how_to_switch_it_on_is_said():
    _, dataset, item_set = fitted(irregular())

    (notice,) = [n for n in dataset.notices if n.startswith("Sampling is irregular")]
    assert notice.endswith(
        f"resample makes it regular, for example {dataset.data['time'].diff().median():.3g} seconds."
    )
    assert any("resampled to one sample every 1 s (reader setting resample)" in n for n in item_set.notices)
    assert fitted(irregular(), resample="off")[2].times is None


def test_row_numbers_are_even_already_and_a_slip_is_refused():
    dataset = Sensor.open(irregular().drop(columns="time"), Declared())
    reader = Sensor(SensorSettings(window=16, resample=0.001))
    reader.fit(dataset, dataset.is_training)
    assert reader.item_set(dataset).times is None

    with pytest.raises(DataError, match=r"every 1 ms makes \d+,\d+ samples of 300 rows\. Set reader\.resample"):
        fitted(irregular(), resample=0.001)


def test_a_detector_of_evened_samples_scores_explains_and_streams():
    table = irregular(1500)
    table.loc[900:930, "wave"] = np.random.default_rng(1).normal(0, 2, 31)
    table = table.assign(line=lambda t: np.cos(t["time"] / 5))
    dataset = pipeline.open_dataset(table, time="time")
    choice = pipeline.Choice(pretext="nearest_neighbours", settings={"reader": {"window": 16, "resample": 0.7}})
    trained = pipeline.train_all(dataset.with_training_rows(np.arange(1500) < 800), choice, Silent(), references=False)
    scores = trained.scores

    assert scores["score"].notna().all()
    assert scores.loc[900:930, "score"].min() > scores.loc[:850, "score"].quantile(0.95)
    found = explain_top(trained.detector, dataset, 1, How(), Silent())
    window = next(iter(found.windows.values()))
    np.testing.assert_allclose(np.diff(window["time"]), 0.7)
    assert found.parts["channel"].iloc[0] == "wave"

    stream = trained.detector.stream()
    final = [a for tick in table.to_dict("records") for a in stream.push(tick["time"], tick) if a.is_final]
    final += stream.close()
    assert [a.time for a in final] == table["time"].tolist()
    np.testing.assert_allclose([a.score for a in final], scores["score"], rtol=1e-5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    n=st.integers(2, 120),
    step=st.sampled_from([0.3, 1.0, 1.7, 4.0]),
    missing=st.floats(0, 0.6),
    holes=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 119), st.integers(1, 30)), max_size=3),
    block=st.integers(1, 30),
    stride=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_a_stream_is_evened_out_as_the_file(n, step, missing, holes, block, stride, seed):
    rng = np.random.default_rng(seed)
    reader, _, _ = fitted(irregular(600), resample=step, stride=stride)
    table = irregular(n, seed)
    values = table[["line", "wave"]].mask(rng.random((n, 2)) < missing).to_numpy(copy=True)
    for channel, begin, length in holes:
        values[begin : begin + length, channel] = np.nan
    table[["line", "wave"]] = values
    padded = pd.concat([table, irregular(200, seed + 1).assign(time=lambda t: t["time"] + 1e5)], ignore_index=True)
    item_set = reader.item_set(Sensor.open(padded, Declared(time="time", use=("line", "wave"))))
    whole = item_set.reduce(np.square(item_set.take(slice(None)).numpy().astype(float)).sum((1, 2)))[:n]

    lane, scores, times = StreamBuffer(reader.cut(gap_s=1e4), 2), [], []

    def settle() -> None:
        start = lane.windows()
        if len(start):
            lane.add(start, np.square(lane.items(start).astype(float)).sum((1, 2)))
        found = lane.final()
        times.extend(found.times)
        scores.extend(found.scores)

    seconds = table["time"].to_numpy()
    for begin in range(0, n, block):
        lane.extend(
            seconds[begin : begin + block], values[begin : begin + block], seconds[begin : begin + block].tolist()
        )
        settle()
    lane.finish()
    settle()

    assert times == seconds.tolist()
    np.testing.assert_allclose(scores, whole, rtol=1e-4)  # times 1e5 s away cost digits of the file's own line
