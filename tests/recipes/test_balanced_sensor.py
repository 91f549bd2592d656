"""Balanced for recordings: what calibrates, what is doubted, and that the file gives the same scores."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch

from ad_core.data.dataset import Declared
from ad_core.data.item_set import ItemSet, Split
from ad_core.data.readers.sensor import Sensor, SensorSettings
from ad_core.data.recordings.timeline import timeline
from ad_core.detector.detector import Detector
from ad_core.explain.attribution import explain
from ad_core.methods.perturbed_copies import SourceItems
from ad_core.pipeline import Trained, open_dataset, train_all
from ad_core.progress import Silent
from ad_core.recipes.balanced_sensor import BalancedSensor, BalancedSensorSettings, dense, earlier_and_later
from ad_core.training.choice import Choice
from ad_core.types import Modality
from tests.contracts import items

NONE = np.arange(0)


class Heard(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def pump(n: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Two channels in step; from 2400 to 2460 they are not."""
    random = np.random.default_rng(seed)
    beat = np.sin(2 * np.pi * np.arange(n) / 40)
    table = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=n, freq="s")})
    table["flow"] = 3 + beat + 0.1 * random.normal(size=n)
    table["pressure"] = 10 + 2 * beat + 0.2 * random.normal(size=n)
    table["fault"] = 0
    table.loc[2400:2460, "fault"] = 1
    table.loc[2400:2460, "pressure"] = 10 - 2 * beat[2400:2461]
    return table


@cache
def trained(declared: str = "unsure") -> Trained:
    dataset = open_dataset(pump(), label="fault").with_training_rows(np.arange(3000) < 2000)
    return train_all(dataset, Choice(training_rows=declared), Silent(), references=False)


def test_it_is_the_default_for_recordings():
    assert trained().detector.info.method == "balanced"


@pytest.mark.parametrize("declared", ["clean", "unsure", "mixed"])
def test_the_fault_is_the_highest_score_and_where_it_is(declared):
    scores = trained(declared).scores
    rest = scores[2060:]

    assert 2390 <= rest["score"].idxmax() <= 2470
    assert scores["score"][2400:2461].median() > rest["score"].quantile(0.95)


def test_the_later_teaching_windows_calibrate_and_share_no_sample_with_the_earlier():
    item_set = trained().item_set
    earlier, later = earlier_and_later(item_set, np.sort(trained().split.fit))
    start = item_set.items["start"].to_numpy()

    assert len(earlier) > len(later) > 10
    assert start[earlier].max() + item_set.span <= start[later].min()
    assert set(trained().detector.out_of_bag["row_id"]) == set(
        item_set.rows["row_id"][np.isfinite(item_set.only(later).reduce(np.ones(len(later))))]
    )


def test_scores_of_calibration_rows_are_about_zero_as_those_of_later_usual_rows_are():
    scores = trained().scores["score"]

    assert abs(scores[1300:2000].median()) < 0.3
    assert abs(scores[2100:2300].median()) < 0.3


def recordings(lengths: list[int]) -> ItemSet:
    """Windows of 32 samples, half overlapping, of recordings of so many windows each."""
    start, entity, at = [], [], 0
    for number, n in enumerate(lengths):
        start += [at + 16 * i for i in range(n)]
        entity += [f"e{number}"] * n
        at += 16 * (n - 1) + 32
    base = np.random.default_rng(0).normal(size=(at, 2)).astype(np.float32)
    rows = pd.DataFrame({"row_id": np.arange(at).astype(str), "sample": np.arange(at), "note": ""})
    x = np.lib.stride_tricks.sliding_window_view(base, 32, axis=0)
    return ItemSet(items.shape(Modality.SENSOR), x, pd.DataFrame({"start": start, "entity": entity}), rows, 32)


def test_each_recording_is_split_in_time():
    frame = recordings([10, 20])

    earlier, later = earlier_and_later(frame, np.arange(30))

    assert earlier.tolist() == [*range(6), *range(10, 22)]
    assert later.tolist() == [*range(7, 10), *range(23, 30)]  # the window on the border is in neither


def test_recordings_of_one_window_each_are_dealt_out_whole():
    earlier, later = earlier_and_later(recordings([1] * 10), np.arange(10))

    assert earlier.tolist() == [0, 1, 2, 3, 4, 5]
    assert later.tolist() == [6, 7, 8, 9]


def test_a_single_short_recording_is_both():
    earlier, later = earlier_and_later(recordings([2]), np.arange(2))

    assert earlier.tolist() == later.tolist() == [0, 1]


def one_channel(shift: float) -> pd.DataFrame:
    table = pump()[["time", "flow"]]
    table.loc[2100:, "flow"] += shift
    return table


def test_a_single_channel_whose_level_left_for_good_is_judged_by_its_shape_and_the_run_says_so():
    said = {}
    for shift in (0.0, 5.0):
        report = Heard()
        dataset = open_dataset(one_channel(shift)).with_training_rows(np.arange(3000) < 2000)
        model = train_all(dataset, Choice(), report, references=False).detector.model.model
        said[shift] = (model.judged, any("judged by its shape only" in sentence for sentence in report.said))

    assert said == {0.0: (["both"], False), 5.0: (["shape"], True)}


def test_what_the_analyst_says_of_the_level_settles_it():
    dataset = open_dataset(one_channel(5.0), judged_by={"flow": "level"}).with_training_rows(np.arange(3000) < 2000)

    scores = train_all(dataset, Choice(), Silent(), references=False)

    assert scores.detector.model.model.judged == ["level"]
    assert scores.scores["score"][2200:].min() > 0.5


def test_the_bundle_gives_the_same_scores(tmp_path):
    folder = trained().detector.save(tmp_path / "pump")
    dataset = open_dataset(pump(seed=1), label="fault")

    torch.manual_seed(1)
    again = Detector.load(folder).score(dataset)["score"]

    np.testing.assert_allclose(again, trained().detector.score(dataset)["score"], rtol=1e-5, atol=1e-6)


def test_a_copy_of_a_window_that_taught_scores_as_if_the_window_had_not():
    model, frame = trained().detector.model.model, trained().item_set.learnt()
    bank = {tuple(row) for row in model.members["level_1"].bank.numpy().round(4)}
    vectors = model.embed(frame.take(np.arange(len(frame))))
    at = next(i for i, row in enumerate(vectors.numpy().round(4)) if tuple(row) in bank)
    window = frame.take(np.array([at]))
    nearly = window + 1e-5

    apart = model.score_copies(nearly, SourceItems.of_one(window, 1))

    torch.testing.assert_close(apart, model.score(window), rtol=1e-3, atol=1e-3)
    assert model.score(nearly) < apart - 0.01


def test_shares_add_up_to_the_score():
    result = trained()
    highest = np.argsort(-result.item_scores.mean(1))[:8]
    x, normal = result.item_set.take(highest), result.detector.normals.x[:8]

    found = explain(result.detector.model, result.item_set.shape, x, normal, "integrated_gradients", 32)

    assert np.median(found.delta / np.abs(found.score - found.baseline_score)) < 0.02


def test_ticks_get_the_scores_of_the_file():
    detector = replace(trained().detector, out_of_bag=None)  # a stream scores training rows like any other
    table = pump(seed=1)[:600]
    dataset = open_dataset(table.drop(columns="fault"))

    stream = detector.stream()
    table["time"] = table["time"].astype(str)
    found = pd.concat([stream.push_table(table[begin : begin + 50]) for begin in range(0, 600, 50)])
    ended = stream.close()
    final = [*found[found["is_final"]]["score"], *(line.score for line in ended if line.is_final)]

    np.testing.assert_allclose(final, detector.score(dataset)["score"], rtol=1e-5, atol=1e-6)


def test_one_window_is_enough_to_learn_from():
    frame = recordings([1])

    fitted = BalancedSensor(BalancedSensorSettings(), 0).fit(frame, Split(np.arange(1), NONE, NONE), "mixed", Silent())

    assert np.isfinite(fitted.held_out.scores).all()
    assert fitted.model.score(frame.take(np.arange(1)) + 5).item() > fitted.model.score(frame.take(np.arange(1))).item()


def test_no_window_that_is_compared_with_crosses_recordings_or_a_gap():
    """Two pumps of which one has a gap; windows that touch each other, so that nothing lies between the starts."""
    table = pump(512).drop(columns="fault")
    after_gap = table.assign(time=table["time"] + pd.Timedelta("1h"))
    both = pd.concat(
        [frame.assign(pump=name) for name in "ab" for frame in ([table, after_gap] if name == "a" else [table])]
    )
    reader = Sensor(SensorSettings(window=64))
    data = Sensor.open(both, Declared(time="time", entity="pump"))
    reader.fit(data, data.is_training)
    frame = reader.item_set(data)

    starts, recording = dense(frame, np.arange(len(frame)))

    line = timeline(data.rows)
    assert (line.segment[starts] == line.segment[starts + 63]).all()
    assert recording.tolist() == data.rows["entity"].to_numpy()[line.first[starts]].tolist()
    assert len(starts) == 3 * (512 - 63)


def test_a_bundle_that_does_not_know_the_recordings_scores_the_same():
    model = trained().detector.model.model
    recipe = BalancedSensor(BalancedSensorSettings(), 0)
    facts, arrays = recipe.state(model)
    arrays = {name: np.asarray(value) for name, value in arrays.items()}
    x = trained().item_set.learnt().take(np.arange(4))

    known = recipe.restore(facts, arrays)
    old = recipe.restore(
        {k: v for k, v in facts.items() if k != "recordings"}, {k: v for k, v in arrays.items() if k != "recording"}
    )

    torch.testing.assert_close(known.expected(x), model.expected(x))
    assert torch.equal(known.score(x), old.score(x))
    assert old.expected(x).isfinite().all()
