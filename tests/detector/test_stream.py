"""A stream of ticks gets the scores that the whole file would get."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.sample_datasets import sample
from ad_core.detector.detector import Detector
from ad_core.detector.stream import as_table
from ad_core.errors import DataError

WINDOW, STRIDE = 50, 7


@pytest.fixture(scope="module")
def walk() -> pd.DataFrame:
    """Two legs of the real walk, by turns in one file: one with a gap and too short a stretch, holes in both."""
    new = pd.read_csv(sample("walking_sensor_faults").new[0]).drop(columns=["fault", "is_anomaly"])
    left = new.iloc[:700].drop(index=[*range(300, 360), *range(380, 420)]).assign(leg="left")
    right = new.iloc[900:1400].assign(leg="right")
    right["time [s]"] -= 14.0
    both = pd.concat([left, right], ignore_index=True)
    channels = list(both.columns[1:-1])
    rng = np.random.default_rng(0)
    both[channels] = both[channels].astype(float).mask(rng.random((len(both), len(channels))) < 0.03)
    both.loc[100:120, channels[2]] = np.nan
    both.loc[:3, channels[1]] = np.nan
    both.loc[590:690, channels[:6]] = np.nan
    return both.sort_values("time [s]", kind="stable", ignore_index=True)


@pytest.fixture(scope="module")
def detector(walk: pd.DataFrame) -> Detector:
    train = pd.read_csv(sample("walking_sensor_faults").train[0]).drop(columns="fault").assign(leg="left")
    dataset = pipeline.open_dataset(train, time="time [s]", label="is_anomaly", entity="leg")
    settings = {"reader": {"window": WINDOW, "stride": STRIDE}, "training": {"max_steps": 30}}
    return pipeline.train(dataset, "masked_window", training_rows="clean", settings=settings)


@pytest.fixture(scope="module")
def whole(detector: Detector, walk: pd.DataFrame) -> pd.DataFrame:
    return detector.score(pipeline.open_like(detector, walk))


def ticked(detector: Detector, table: pd.DataFrame) -> pd.DataFrame:
    """Tick by tick."""
    stream = detector.stream()
    answers = [a for tick in table.to_dict("records") for a in stream.push(tick["time [s]"], tick, tick["leg"])]
    return as_table([*answers, *stream.close()])


@pytest.mark.parametrize("block", [1, 33, 5000])
def test_final_scores_equal_those_of_the_file(block, detector, walk, whole):
    if block == 1:
        answers = ticked(detector, walk)
    else:
        stream = detector.stream()
        tables = [stream.push_table(walk.iloc[i : i + block]) for i in range(0, len(walk), block)]
        answers = pd.concat([*tables, as_table(stream.close())])
    final = answers[answers["is_final"]]

    joined = whole.merge(final, on=["entity", "time"], suffixes=("", "_of_stream"))
    assert len(joined) == len(final) == len(walk)
    assert whole["score"].isna().sum() > 20  # the stretch of 20 samples, and some that were hardly measured
    np.testing.assert_allclose(joined["score_of_stream"], joined["score"], rtol=1e-5)
    np.testing.assert_allclose(joined["p_value_of_stream"], joined["p_value"])
    np.testing.assert_allclose(joined["percentile_of_stream"], joined["percentile"])
    assert joined["note_of_stream"].tolist() == joined["note"].tolist()


def test_a_provisional_score_is_the_mean_of_the_windows_so_far_and_comes_before_the_final_one(detector, walk):
    answers = ticked(detector, walk)
    one = answers[(answers["entity"] == "left") & (answers["time"] == walk["time [s]"].iloc[60])]

    assert one["is_final"].tolist() == [False] * (len(one) - 1) + [True]
    assert len(one) > 5  # 50 / 7 windows cover it
    assert one["score"].nunique() > 3


def test_every_time_stamp_is_final_exactly_once_and_nothing_follows(detector, walk):
    answers = ticked(detector, walk).reset_index()
    final = answers[answers["is_final"]]
    last = answers.groupby(["entity", "time"])["index"].max()

    assert not final.duplicated(["entity", "time"]).any()
    assert sorted(last) == sorted(final["index"])


def test_late_and_repeated_ticks_change_nothing(detector, walk):
    part = walk[walk["leg"] == "right"].reset_index(drop=True)
    disturbed = pd.concat([part.iloc[:200], part.iloc[[199, 50]], part.iloc[200:]], ignore_index=True)
    straight, again = (
        answers[answers["is_final"]] for answers in (ticked(detector, part), ticked(detector, disturbed))
    )
    late = again["note"].str.contains("older than the newest tick")

    assert late.sum() == 1
    assert again.loc[late, "time"].tolist() == [part["time [s]"].iloc[50]]
    pd.testing.assert_frame_equal(again[~late].reset_index(drop=True), straight.reset_index(drop=True))


def test_closing_one_recording_leaves_the_others_open(detector, walk):
    stream = detector.stream()
    stream.push_table(walk.iloc[:400])
    closed = stream.close("left")

    assert {answer.entity for answer in closed} == {"left"}
    assert all(answer.is_final for answer in closed)
    assert {answer.entity for answer in stream.close()} == {"right"}
    assert stream.close() == []


def test_a_longer_gap_can_be_allowed(detector, walk):
    part = walk[walk["leg"] == "left"]
    stream = detector.stream(gap_s=10.0)
    answers = pd.concat([stream.push_table(part), as_table(stream.close())])

    assert not answers["note"].str.contains("stretch").any()


def test_what_can_not_be_taken_is_said(detector, walk, trained_on_payments):
    stream = detector.stream()
    with pytest.raises(DataError, match="No channel is among the values, which are called speed"):
        stream.push(0.0, {"speed": 1.0})
    with pytest.raises(DataError, match=r"The time 'noon' can't be read\. Give a number of seconds"):
        stream.push("noon", {"ankle_forward [mg]": 1.0})
    with pytest.raises(DataError, match=r"The ticks have no 'ankle_forward \[mg\]'"):
        stream.push_table(walk.drop(columns="ankle_forward [mg]"))
    with pytest.raises(DataError, match="Only recordings can be scored as a stream; this detector takes table data"):
        trained_on_payments.detector.stream()
    bad = walk.iloc[:4].assign(leg=["left", None, "left", "left"])
    bad["time [s]"] = [70.0, 70.1, np.nan, 70.01]
    notes = stream.push_table(bad)["note"].tolist()
    assert notes == ["The entity is missing.", "The time nan can't be read. Give a number of seconds."]


def test_dates_of_every_form_are_one_clock(trained_on_recording, recording_file):
    detector, table = trained_on_recording.detector, pd.read_parquet(recording_file).iloc[:200]
    whole = detector.score(pipeline.open_like(detector, table))
    for form in (
        lambda time: time,
        lambda time: time.isoformat(),
        lambda time: time.tz_localize("UTC").tz_convert("Asia/Tokyo").to_pydatetime(),
        lambda time: time.timestamp(),
        lambda time: int(time.timestamp() * 1000),
    ):
        stream = detector.stream()
        answers = [a for tick in table.to_dict("records") for a in stream.push(form(tick["time"]), tick)]
        final = as_table([a for a in [*answers, *stream.close()] if a.is_final])
        assert final["time"].tolist() == whole["time"].tolist()
        np.testing.assert_allclose(final["score"], whole["score"], rtol=1e-5)


def test_without_a_time_column_the_ticks_are_counted(tmp_path):
    table = pd.read_csv(sample("walking_sensor_faults").new[0]).iloc[:600, 1:7]
    detector = pipeline.train(
        pipeline.open_dataset(table, modality="sensor"), "nearest_neighbours", settings={"reader": {"window": 16}}
    )
    loaded = Detector.load(detector.save(tmp_path / "bundle"))
    stream = loaded.stream()
    final = [a for tick in table.to_dict("records") for a in stream.push(None, tick) if a.is_final]
    final += stream.close()

    assert [answer.time for answer in final] == list(range(600))
    np.testing.assert_allclose(
        [answer.score for answer in final], loaded.score(pipeline.open_like(loaded, table))["score"]
    )
