"""Ticks one after the other are cut into the windows that the reader cuts from the whole recording."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ad_core.data.dataset import Declared
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.data.recordings.ring_buffer import RingBuffer
from ad_core.data.recordings.stream_buffer import StreamBuffer

CHANNELS = 3


def table_of(seconds: np.ndarray, missing: np.ndarray, seed: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(len(seconds), CHANNELS))
    values[missing] = np.nan
    return pd.DataFrame(values, columns=["a", "b", "c"]).assign(time=seconds)


def fitted(window: int, stride: int) -> Sensor:
    reader = Sensor(SensorSettings(window=window, stride=stride))
    steady = Sensor.open(table_of(np.arange(200.0), np.zeros((200, CHANNELS), dtype=bool), 9), Declared(time="time"))
    reader.fit(steady, steady.is_training)
    return reader


def streamed(
    reader: Sensor, table: pd.DataFrame, block: int, per_sample: bool, together: int
) -> dict[float, tuple[float, str]]:
    """The final score and note of each time stamp, by a score that is the sum of squares of a window."""
    cut = reader.cut()
    lane, final = StreamBuffer(cut, reader.shape.size[0]), {}

    def settle() -> None:
        start = lane.windows(together)
        if len(start):
            lane.add(start, scores_of(lane.items(start), per_sample))
        found = lane.final()
        final.update(
            {t: (s, found.note if np.isnan(s) else "") for t, s in zip(found.times, found.scores, strict=True)}
        )

    seconds, values = table["time"].to_numpy(), table[["a", "b", "c"]].to_numpy()
    for part in np.split(np.arange(len(seconds)), np.flatnonzero(np.diff(seconds) > cut.gap_s) + 1):
        for begin in range(0, len(part), block):
            rows = part[begin : begin + block]
            lane.extend(seconds[rows], values[rows], seconds[rows].tolist())
            settle()
        lane.finish()
        settle()
    return final


def scores_of(x: np.ndarray, per_sample: bool) -> np.ndarray:
    return np.square(x.astype(np.float64)).sum(axis=1 if per_sample else (1, 2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    n=st.integers(1, 130),
    gaps=st.sets(st.integers(1, 129), max_size=3),
    holes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 129), st.integers(1, 30)), max_size=6),
    window=st.integers(8, 24),
    stride=st.integers(1, 11),
    block=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_every_final_score_of_a_stream_is_that_of_the_whole_recording(n, gaps, holes, window, stride, block, seed):
    seconds = np.cumsum(np.where(np.isin(np.arange(n), sorted(gaps)), 50.0, 1.0))
    missing = np.random.default_rng(seed).random((n, CHANNELS)) < 0.05
    for channel, begin, length in holes:
        missing[begin : begin + length, channel] = True
    reader, table, per_sample = fitted(window, stride), table_of(seconds, missing, seed), bool(seed % 2)
    padded = pd.concat([table, table_of(1e6 + np.arange(100.0), np.zeros((100, CHANNELS), bool), 5)], ignore_index=True)
    item_set = reader.item_set(Sensor.open(padded, Declared(time="time", use=("a", "b", "c"))))
    whole = item_set.reduce(scores_of(item_set.take(slice(None)).numpy(), per_sample))[:n]

    final = streamed(reader, table, block, per_sample, together=1 + seed % 4)

    assert list(final) == seconds.tolist()
    np.testing.assert_allclose([score for score, _ in final.values()], whole, rtol=1e-9)
    assert [note for _, note in final.values()] == item_set.rows["note"].tolist()[:n]


def test_the_last_covering_window_decides_when_a_score_is_final():
    for stride, delay in ((1, 15), (5, 16)):  # at stride 5 one more window begins at any sample, if the stretch ends
        reader = fitted(16, stride)
        lane = StreamBuffer(reader.cut(), CHANNELS)
        final = []
        for tick in range(60):
            lane.extend(np.array([float(tick)]), np.zeros((1, CHANNELS)), [tick])
            start = lane.windows()
            if len(start):
                lane.add(start, np.ones(len(start)))
            final += [tick - time for time in lane.final().times]
        assert max(final) == delay


def test_windows_that_are_scored_together_are_later_by_their_strides_and_none_is_lost():
    reader = fitted(16, 5)
    lane, cut, delays = StreamBuffer(reader.cut(), CHANNELS), [], []
    for tick in range(63):
        lane.extend(np.array([float(tick)]), np.zeros((1, CHANNELS)), [tick])
        start = lane.windows(together=3)
        if len(start):
            cut.append(start.tolist())
            lane.add(start, np.ones(len(start)))
        delays += [tick - time for time in lane.final().times]
    lane.finish()
    cut.append(lane.windows(together=3).tolist())

    assert cut == [[0, 5, 10], [15, 20, 25], [30, 35, 40], [45, 47]]
    assert max(delays) == 15 + 2 * 5 - 1 + 1  # the last window, two strides, and whether the stretch goes on


def test_a_short_hole_waits_for_the_value_after_it_and_a_long_one_does_not():
    lane = StreamBuffer(fitted(16, 1).cut(), CHANNELS)
    lane.extend(np.array([0.0]), np.zeros((1, CHANNELS)), [0])
    settled = []
    for tick in range(1, 6):
        lane.extend(np.array([float(tick)]), np.array([[0.0, np.nan, 0.0]]), [tick])
        settled.append(lane.base.end)

    assert settled == [1, 1, 4, 5, 6]  # 16 / 8 = 2 samples are a short hole


def test_memory_does_not_grow_with_the_recording():
    lane = StreamBuffer(fitted(16, 3).cut(), CHANNELS)
    sizes = []
    for tick in range(3000):
        values = np.full((1, CHANNELS), np.nan if 500 < tick < 2500 else 1.0)
        lane.extend(np.array([float(tick)]), values, [tick])
        start = lane.windows()
        if len(start):
            lane.add(start, np.ones(len(start)))
        lane.final()
        if tick % 1000 == 999:
            tails = (lane.raw, lane.seconds, lane.base, lane.absent, lane.total, lane.count)
            sizes.append([len(tail._store) for tail in tails])
            assert len(lane.times) <= 16 + 3

    assert sizes[0] == sizes[1] == sizes[2]


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 300)), max_size=20))
def test_a_tail_keeps_what_was_not_dropped(steps):
    tail, whole, first = RingBuffer((), np.int64), np.zeros(0, dtype=np.int64), 0
    for added, until in steps:
        new = np.arange(len(whole), len(whole) + added)
        tail.append(new)
        whole = np.append(whole, new)
        tail.drop(until)
        first = max(first, min(until, len(whole)))

        assert (tail.first, tail.end) == (first, len(whole))
        assert tail.rows.tolist() == whole[first:].tolist()
