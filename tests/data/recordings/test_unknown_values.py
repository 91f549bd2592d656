"""Recordings with values that the training recording never had, or without a channel of it."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.data.recordings.channels import learn
from ad_core.errors import DataError
from ad_core.explain.attribution import How
from ad_core.explain.explain import explain_rows
from ad_core.progress import Silent
from tests.unknown_values import signals


@pytest.fixture(scope="module")
def detector():
    dataset = pipeline.open_dataset(signals(1000), time="time", kinds={"mode": "category"})
    return pipeline.train(dataset, settings={"reader": {"window": 32}})


def said(detector, dataset) -> str:
    return " ".join([*dataset.notices, *detector.reader.match(dataset)])


def later(**changed) -> pd.DataFrame:
    return signals(400, seed=1).assign(**changed)


@pytest.mark.parametrize(
    ("channel", "change", "words"),
    [
        (
            "open",
            lambda v: v.where(v.index != 200, 2),
            "'open' has values that are not in the training rows, which have",
        ),
        ("open", lambda v: v.astype(object).where(v.index != 200, "jammed"), "0 and 1: 'jammed' (1 rows)"),
        ("open", lambda v: v.map({0: "False", 1: "True"}).where(v.index != 200, "jammed"), "'jammed' (1 rows)"),
        ("mode", lambda v: v.where(v.index != 200, "halt"), "which have 'idle' and 'run': 'halt' (1 rows)"),
    ],
)
def test_an_unknown_state_is_scored_and_named_in_both_ways_of_opening(detector, tmp_path, channel, change, words):
    new = later()
    later(**{channel: change(new[channel])}).to_csv(tmp_path / "new.csv", index=False)
    like = pipeline.open_like(detector, tmp_path / "new.csv")
    plain = pipeline.open_dataset(tmp_path / "new.csv", time="time")

    found, usual = detector.score(like)["score"], detector.score(pipeline.open_like(detector, new))["score"]

    np.testing.assert_array_equal(found, detector.score(plain)["score"])
    assert words in said(detector, like)
    assert words in said(detector, plain)
    assert found.idxmax() in range(168, 233)
    assert found[200] > usual.max()
    far = np.abs(np.arange(400) - 200) > 40
    np.testing.assert_allclose(found[far], usual[far], rtol=1e-6)


@pytest.mark.parametrize(
    ("channel", "change", "words"),
    [
        ("mode", str.upper, "'RUN' as 'run'"),
        ("mode", " {}".format, "' run' as 'run'"),
        ("open", {0: "False", 1: "True"}.get, "'False' as '0', 'True' as '1'"),
        ("open", {0: "off", 1: "ON"}.get, "'off' as '0', 'ON' as '1'"),
    ],
)
def test_another_spelling_of_a_state_is_the_same_state_and_said(detector, channel, change, words):
    new = later()
    spelt = pipeline.open_like(detector, later(**{channel: new[channel].map(change)}))

    assert words in said(detector, spelt)
    np.testing.assert_array_equal(
        detector.score(spelt)["score"], detector.score(pipeline.open_like(detector, new))["score"]
    )


def test_states_that_differ_only_by_case_keep_their_spelling():
    channel = learn("x", None, pd.Series(["run", "Run"] * 5), as_text=True)

    assert channel.numbers(pd.Series(["Run", "run", "RUN", None])).tolist()[:3] == [0.0, 1.0, 2.0]
    assert [channel.number(text) for text in ("Run", "run", "RUN")] == [0.0, 1.0, 2.0]


def test_a_text_in_a_channel_of_numbers_counts_as_missing_and_is_named(detector, tmp_path):
    new = later().astype({"flow": object})
    new.loc[[5, 9], "flow"] = "Bad"
    new.to_csv(tmp_path / "new.csv", index=False)

    dataset = pipeline.open_like(detector, tmp_path / "new.csv")

    assert "'flow': 2 of 400 cells are not numbers (first in row 6: 'Bad'); they count as missing" in said(
        detector, dataset
    )
    assert detector.score(dataset)["score"].notna().all()


def test_a_stream_reads_a_state_as_a_file_does(detector):
    channel = {one.name: one for one in detector.reader.channels}["open"]

    assert [channel.number(value) for value in (1, "1", "True", "off", "jammed", None)][:5] == [1, 1, 1, 0, 2]


def test_labels_that_can_t_be_read_are_not_used_and_said(detector):
    new = pipeline.open_like(detector, later(label="DDoS attempt"), {"label": "label"})

    assert "label" not in new.rows
    assert "'DDoS attempt'" in said(detector, new)
    assert "Scoring needs no labels" in said(detector, new)
    assert detector.score(new)["score"].notna().all()


@pytest.mark.parametrize("channel", ["flow", "pressure", "mode"])
def test_a_dead_channel_does_not_alarm_and_the_others_are_scored(detector, channel):
    """All windows were alarms when the mean stood in the place of the channel that is empty."""
    usual = detector.score(pipeline.open_like(detector, later()))
    dead = later(**{channel: None})
    like, plain = pipeline.open_like(detector, dead), pipeline.open_dataset(dead, time="time")

    found = detector.score(like)

    assert f"{channel!r} is empty here; it is filled in from similar training windows" in said(detector, like)
    np.testing.assert_array_equal(found["score"], detector.score(plain)["score"])
    assert found["score"].notna().all()
    assert (found["p_value"] <= 0.05).mean() <= (usual["p_value"] <= 0.05).mean() + 0.05

    other = "flow" if channel == "pressure" else "pressure"
    broken = dead.copy()
    broken.loc[200:240, other] += np.random.default_rng(2).normal(0, 2, 41)
    scores = detector.score(pipeline.open_like(detector, broken))["score"]
    assert scores.idxmax() in range(195, 246)
    assert scores[200:240].min() > found["score"].max()


def test_rows_are_scored_when_a_channel_is_dead_and_another_has_holes(detector):
    """The dead channel does not count among the missing cells of a window."""
    new = later(flow=None, mode=None)
    new.loc[100:130, "pressure"] = np.nan

    assert detector.score(pipeline.open_like(detector, new))["score"].notna().all()


def test_a_channel_may_be_missing_only_where_it_is_allowed(detector):
    new = later()[["time", "pressure", "open", "mode"]]
    with pytest.raises(DataError, match=r"'flow' is missing.*--allow-missing"):
        detector.score(pipeline.open_like(detector, new))

    dataset = pipeline.open_like(detector, new, allow_missing=True)

    assert "Columns that these data do not have: 'flow'. They are filled in" in said(detector, dataset)
    dead = detector.score(pipeline.open_like(detector, later(flow=None)))
    np.testing.assert_array_equal(detector.score(dataset)["score"], dead["score"])


def test_a_channel_of_text_is_refused_or_filled_in_where_that_is_allowed(detector, tmp_path):
    later(flow=[f"about {i}" for i in range(400)]).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match=r"'flow' holds no numbers \(first value 'about 0'\)"):
        detector.score(pipeline.open_like(detector, tmp_path / "new.csv"))

    dataset = pipeline.open_like(detector, tmp_path / "new.csv", allow_missing=True)

    assert "Columns of numbers that hold text here: 'flow'" in said(detector, dataset)
    assert detector.score(dataset)["score"].notna().all()


def test_a_recording_without_any_channel_is_refused(detector):
    nothing = later(flow=None, pressure=None, open=None, mode=None)

    with pytest.raises(DataError, match="None of the 4 channels that the detector uses has a value"):
        detector.score(pipeline.open_like(detector, nothing, allow_missing=True))


def test_a_recording_that_was_opened_as_a_table_is_refused_by_name(detector):
    table = pipeline.open_dataset(later(), modality="table")

    with pytest.raises(DataError, match="trained on recordings, but frame was opened as table data"):
        detector.score(table)


def test_a_dead_channel_is_not_explained_by_numbers_that_are_not_there(detector):
    dataset = pipeline.open_like(detector, later(flow=None))
    highest = detector.score(dataset).nlargest(1, "score")["row_id"].tolist()

    explained = explain_rows(detector, dataset, highest, How(), Silent())

    assert np.isfinite(explained.parts["attribution"]).all()
    assert explained.windows[highest[0]]["flow"].isna().all()
