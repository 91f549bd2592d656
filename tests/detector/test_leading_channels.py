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
from ad_core.detector.leading_channels import NO_LEAD, in_words_of, leads, usual_parts
from ad_core.detector.usual_parts import CHANCE, UsualParts
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


def levels_of(model: object, item_set: ItemSet) -> UsualParts:
    return usual_parts(model, item_set, np.arange(150), CPU)


def test_the_level_is_exceeded_by_one_usual_time_stamp_in_a_hundred():
    frame = framed({})
    x = np.abs(frame.take(slice(None)).numpy())
    series = np.concatenate([x[:, :, 0], x[-1, :, 1:].T])  # (samples, channel); all windows hold the same cell
    np.testing.assert_allclose(
        usual_parts(Sizes(), frame, np.arange(len(frame)), CPU).levels[0], np.quantile(series[:, 0], 0.99), rtol=0.15
    )  # a thinned sample of them
    np.testing.assert_allclose(levels_of(Sizes(), frame).levels, np.quantile(series[:165], 0.99, axis=0), rtol=1e-6)


def test_the_first_to_rise_leads_by_the_time_until_the_peak(event):
    led = leads(Sizes(), event, levels_of(Sizes(), event), (290, 310), CPU)

    assert [(lead.channel, lead.samples) for lead in led] == [("b", 30), ("c", 10)]
    b, c = (f"{lead.size:.1f} SD" for lead in led)
    assert in_words_of(led, event, 310, is_clock=True) == f"b, 5 min before the peak ({b}); c, 1.67 min ({c})"
    assert in_words_of(led, event, 310, is_clock=False) == f"b, 30 samples before the peak ({b}); c, 10 samples ({c})"


def test_what_ended_before_the_event_and_what_comes_after_its_peak_does_not_lead(event):
    assert [lead.channel for lead in leads(Sizes(), event, levels_of(Sizes(), event), (285, 298), CPU)] == ["b"]


def test_a_short_dip_does_not_end_what_led_up_to_the_peak():
    for dip, samples in ((2, 30), (3, 10)):  # 16 / 8 = 2
        frame = framed({("b", 280, 300 - dip): 8.0, ("b", 300, 320): 8.0})
        led = leads(Sizes(), frame, UsualParts(np.full(3, 4.0)), (282, 310), CPU)
        assert [(lead.channel, lead.samples) for lead in led] == [("b", samples)]


def test_a_score_per_window_is_spread_over_it(event):
    led = leads(SizesOfChannels(), event, levels_of(SizesOfChannels(), event), (290, 310), CPU)

    assert [lead.channel for lead in led] == ["b", "c"]
    assert led[0].samples > 30


def test_a_model_without_part_scores_has_no_levels():
    assert levels_of(Silence(), framed({})) is None
    assert usual_parts(Sizes(), framed({}), np.arange(0), CPU) is None


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

    assert detector.usual_parts.levels.shape == (2,)
    assert found["leading"] == "pressure [bar]"
    first, second = found["leads"].split("; ")
    assert first.startswith("pressure [bar], ")
    assert " s before the peak (" in first
    assert first.endswith(f"({found['leading_sd']:.0f} SD)")
    assert found["leading_p"] <= CHANCE
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

    assert (detector.usual_parts.levels > 1).all()  # 1 is the usual error on rows that were not seen
    assert found["leading"] == "pressure [bar]"


def test_the_size_is_how_far_the_root_of_the_part_exceeds_its_median_in_normal_windows(event):
    usual = levels_of(Sizes(), event)
    normal = np.sqrt(np.abs(event.x[:165, 1, 0]))
    low, median, high, top = np.quantile(normal, [0.25, 0.5, 0.75, 0.99])
    spread = max((high - low) / 1.349, (top - median) / 2.326)
    largest = np.sqrt(np.abs(event.x[290:311, 1, 0]).max())

    led = leads(Sizes(), event, usual, (290, 310), CPU)

    np.testing.assert_allclose(led[0].size, (largest - median) / spread, rtol=1e-5)
    windows = 1 - (1 - 1 / 151) ** (21 / SPAN)  # 150 normal windows, none of which goes as far
    np.testing.assert_allclose(led[0].p, windows)


def test_what_normal_windows_show_as_often_does_not_lead():
    """c crosses its level in the event, but no further than noise does in many normal windows."""
    frame = framed({("b", 280, 320): 8.0})
    usual = levels_of(Sizes(), frame)
    x = frame.take(slice(None)).numpy()
    series = np.concatenate([x[:, :, 0], x[-1, :, 1:].T])
    crossing = int(np.flatnonzero(np.abs(series[:280, 2]) > usual.levels[2])[-1])

    assert leads(Sizes(), frame, usual, (crossing - 2, crossing), CPU) == []
    untested = leads(Sizes(), frame, UsualParts(usual.levels), (crossing - 2, crossing), CPU)
    assert [lead.channel for lead in untested] == ["c"]
    assert in_words_of(untested, frame, crossing, is_clock=False) == "c, at the peak"  # an older bundle has no sizes
    assert in_words_of([], frame, crossing, is_clock=False) == NO_LEAD


def test_a_channel_leads_by_chance_in_at_most_one_of_twenty_normal_stretches():
    """Stretches of noise in 20 channels that are taken for events: the test holds for all channels together."""
    usual = UsualParts.of(np.random.default_rng(0).normal(size=(4000, 20)) ** 2, np.arange(0, 3900, 16), 16)
    new = np.random.default_rng(1).normal(size=(16 * 600, 20)) ** 2
    stretches = usual.deviations(new).reshape(300, 32, 20).max((1, 2))  # two windows long

    wrong = np.mean([usual.chance(size, 2.0) <= CHANCE for size in stretches])

    assert 0 < wrong <= 0.08  # 5 % with a standard error of 1.3 %
    assert usual.chance(np.inf, 1.0) < 0.01


def test_usual_parts_survive_the_bundle_and_older_ones_are_read(detector, tmp_path):
    again = Detector.load(detector.save(tmp_path / "bundle")).usual_parts
    old = UsualParts(detector.usual_parts.levels)

    for name, value in detector.usual_parts.arrays().items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert again.fits(2)
    assert old.fits(2)
    assert not old.fits(3)
    assert not UsualParts(again.levels, again.typical).fits(2)
    assert np.isnan(old.chance(9.0, 1.0))
