"""The channel that left its usual range first leads an event; chance crossings before it do not count."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from ad_core import pipeline
from ad_core.data.dataset import Declared
from ad_core.data.item_set import ItemSet
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.detector.detector import Detector
from ad_core.detector.events import event_rule, find_events
from ad_core.detector.leading_channels import in_words_of, leads, reference_levels
from ad_core.progress import Silent
from tests.conftest import recording

CPU = torch.device("cpu")
N, SPAN = 400, 16


class Sizes:
    """A model whose surprise at a cell is the cell's size."""

    def part_scores(self, x: Tensor) -> Tensor:
        return x.abs()


class SizesOfChannels:
    """A model that gives one number per channel and window."""

    def part_scores(self, x: Tensor) -> Tensor:
        return x.abs().mean(2)


class Silence:
    """A model that does not know where its surprise sits."""

    def part_scores(self, x: Tensor) -> None:
        return None


def framed(changes: dict[tuple[str, int, int], float], time: str | None = "time") -> ItemSet:
    """Noise of size 1 in three channels; `changes` adds to stretches of them after scales were learnt."""
    values = np.random.default_rng(0).normal(size=(N, 3))
    table = pd.DataFrame(values, columns=["a", "b", "c"])
    if time:
        table.insert(0, time, pd.Timestamp("2024-03-01") + pd.to_timedelta(10 * np.arange(N), unit="s"))
    reader = Sensor(SensorSettings(window=SPAN, stride=1))
    usual = Sensor.open(table, Declared(time=time))
    reader.fit(usual, usual.is_training)
    for (channel, begin, end), added in changes.items():
        table.loc[begin : end - 1, channel] += added
    return reader.item_set(Sensor.open(table, Declared(time=time)))


@pytest.fixture
def event() -> ItemSet:
    """b rises at 280, c at 300, both until 320; a rose from 200 to 210, long before."""
    return framed({("b", 280, 320): 8.0, ("c", 300, 320): 15.0, ("a", 200, 210): 9.0})


def levels_of(model: object, item_set: ItemSet) -> np.ndarray:
    return reference_levels(model, item_set, np.arange(150), CPU)


def test_the_level_is_exceeded_by_one_usual_time_stamp_in_a_hundred():
    frame = framed({})
    x = np.abs(frame.take(slice(None)).numpy())
    series = np.concatenate([x[:, :, 0], x[-1, :, 1:].T])  # (samples, channel); all windows hold the same cell
    np.testing.assert_allclose(
        reference_levels(Sizes(), frame, np.arange(len(frame)), CPU)[0], np.quantile(series[:, 0], 0.99), rtol=0.15
    )  # a thinned sample of them
    np.testing.assert_allclose(levels_of(Sizes(), frame), np.quantile(series[:165], 0.99, axis=0), rtol=1e-6)


def test_the_first_to_rise_leads_by_the_time_until_the_peak(event):
    led = leads(Sizes(), event, levels_of(Sizes(), event), (290, 310), CPU)

    assert [(lead.channel, lead.samples) for lead in led] == [("b", 30), ("c", 10)]
    assert in_words_of(led, event, 310, is_clock=True) == "b, 5 min before the peak; c, 1.67 min"
    assert in_words_of(led, event, 310, is_clock=False) == "b, 30 samples before the peak; c, 10 samples"


def test_what_ended_before_the_event_and_what_comes_after_its_peak_does_not_lead(event):
    assert [lead.channel for lead in leads(Sizes(), event, levels_of(Sizes(), event), (285, 298), CPU)] == ["b"]


def test_a_short_dip_does_not_end_what_led_up_to_the_peak():
    for dip, samples in ((2, 30), (3, 10)):  # 16 / 8 = 2
        frame = framed({("b", 280, 300 - dip): 8.0, ("b", 300, 320): 8.0})
        led = leads(Sizes(), frame, np.full(3, 4.0), (282, 310), CPU)
        assert [(lead.channel, lead.samples) for lead in led] == [("b", samples)]


def test_a_score_per_window_is_spread_over_it(event):
    led = leads(SizesOfChannels(), event, levels_of(SizesOfChannels(), event), (290, 310), CPU)

    assert [lead.channel for lead in led] == ["b", "c"]
    assert led[0].samples > 30


def test_a_model_without_part_scores_has_no_levels():
    assert levels_of(Silence(), framed({})) is None
    assert reference_levels(Sizes(), framed({}), np.arange(0), CPU) is None


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> Detector:
    dataset = pipeline.open_dataset(recording(broken=False), time="time", label="is_anomaly")
    settings = {"reader": {"window": 32}, "training": {"max_steps": 300}}
    choice = pipeline.Choice(pretext="masked_window", training_rows="clean", settings=settings)
    trained = pipeline.train_all(dataset, choice, Silent(), references=False)
    return Detector.load(trained.detector.save(tmp_path_factory.mktemp("leads") / "bundle"))


def test_events_of_a_trained_detector_say_what_moved_first(detector):
    table = recording(broken=False, seed=1)
    noise = np.random.default_rng(2).normal(size=60)
    table.loc[700:759, "pressure [bar]"] += noise
    table.loc[730:759, "flow [l/s]"] += 5 * noise[30:]
    new = pipeline.open_like(detector, table)
    item_set, scores = detector.item_set(new), detector.score(new)

    found = find_events(detector, scores, item_set, detector.alerts(scores, new)).iloc[0]

    assert detector.part_levels.shape == (2,)
    assert found["leading"] == "pressure [bar]"
    first, second = found["leads"].split("; ")
    assert first.startswith("pressure [bar], ")
    assert first.endswith(" s before the peak")
    seconds = float(first.split(", ")[1].split(" ")[0])
    began = found["peak"] - pd.Timedelta(seconds=seconds)
    assert abs((began - table["time"].iloc[700]).total_seconds()) <= 8  # a patch of the method is 8 samples
    assert second.startswith("flow [l/s], ")


def test_quiet_stretches_up_to_the_set_length_are_merged(detector):
    table = recording(broken=False, seed=1)
    noise = 5 * np.random.default_rng(2).normal(size=20)
    for begin in (600, 850):
        table.loc[begin : begin + 19, "flow [l/s]"] += noise
    new = pipeline.open_like(detector, table)
    frame, scores = detector.item_set(new), detector.score(new)

    counts = {}
    for merge in (0.0, 2.0, 8.0):
        detector.reader.settings = detector.reader.settings.model_copy(update={"merge_windows": merge})
        found = find_events(detector, scores, frame, detector.alerts(scores, new))
        counts[merge] = found["peak"].between(table["time"].iloc[590], table["time"].iloc[880]).sum()
        assert event_rule(detector, frame, detector.rule)["merge_gap"] == merge * 32

    assert counts[0.0] >= counts[2.0] > counts[8.0] == 1


def test_the_mark_of_an_excluded_peak_stays_with_its_event():
    table = recording()
    dataset = pipeline.open_dataset(
        table, time="time", label="is_anomaly", exclude=[("2026-01-01T00:16:40", "2026-01-01T00:17:39")]
    )
    choice = pipeline.Choice(pretext="nearest_neighbours", settings={"reader": {"window": 32}})
    trained = pipeline.train_all(dataset, choice, Silent(), references=False)
    found = find_events(
        trained.detector, trained.scores, trained.item_set, trained.detector.alerts(trained.scores, dataset)
    )

    assert bool(found["excluded"].iloc[0])
    assert "leads" not in found


def test_where_all_rows_teach_the_levels_come_from_a_model_that_had_not_seen_them():
    table = recording(broken=False)
    detector = pipeline.train(pipeline.open_dataset(table, time="time", label="is_anomaly"), "balanced")
    table.loc[800:859, "pressure [bar]"] = np.random.default_rng(3).normal(0, 2, 60)
    new = pipeline.open_like(detector, table.assign(time=lambda t: t["time"] + pd.Timedelta(days=1)))
    scores = detector.score(new)
    found = find_events(detector, scores, detector.item_set(new), detector.alerts(scores, new)).iloc[0]

    assert (detector.part_levels > 1).all()  # 1 is the usual error on rows that were not seen
    assert found["leading"] == "pressure [bar]"
