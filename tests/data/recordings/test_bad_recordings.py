"""Recordings as they should not be: each is refused in a sentence that says what to do, or gives sane scores."""

import numpy as np
import pandas as pd
import pytest

from ad_core import pipeline
from ad_core.errors import DataError
from ad_core.progress import Silent

METHODS = ("mahalanobis", "masked_window")


def recording(n: int = 600, channels: int = 3, seed: int = 0) -> pd.DataFrame:
    """Sines that go together, a sample a second; the last 40 samples of the first channel are noise."""
    rng, t = np.random.default_rng(seed), np.arange(n)
    table = pd.DataFrame({"time": pd.Timestamp("2024-03-01") + pd.to_timedelta(t, unit="s")})
    for i in range(channels):
        table[f"c{i}"] = np.sin(t / 6 + i) + rng.normal(0, 0.05, n)
    noisy = t >= n - 40
    table.loc[noisy, "c0"] = rng.normal(0, 3, noisy.sum())
    return table


def trained(table: pd.DataFrame, method: str = "mahalanobis", window: int = 16, **declared: object) -> pipeline.Trained:
    settings = {"reader": {"window": window}} | ({"training": {"max_steps": 40}} if method == "masked_window" else {})
    dataset = pipeline.open_dataset(table, modality="sensor", **declared)
    teaches = dataset.rows["time"].rank(method="first", pct=True).to_numpy() <= 0.9
    choice = pipeline.Choice(pretext=method, training_rows="clean", settings=settings)
    return pipeline.train_all(dataset.with_training_rows(teaches), choice, Silent(), references=False)


def assert_sane(done: pipeline.Trained, table: pd.DataFrame) -> None:
    """A line per row in input order; a score, or a note that says why not."""
    scores = done.scores
    assert len(scores) == len(table)
    assert (scores["score"].isna() == (scores["note"] != "")).all()
    assert np.isfinite(scores["score"].dropna()).all()
    assert scores["percentile"].dropna().between(0, 100).all()


def finds_the_end(done: pipeline.Trained) -> bool:
    """Whether the noisy end scores higher than nearly all the rest."""
    by_time = done.scores.set_index(done.item_set.rows["time"].to_numpy())["score"].sort_index()
    return by_time.iloc[-30:].median() > by_time.iloc[:-60].quantile(0.95)


def said(done: pipeline.Trained, words: str) -> bool:
    return any(words in notice for notice in done.detector.info.notices)


@pytest.mark.parametrize("n", [30, 90])
def test_a_series_shorter_than_a_window_says_how_long_it_is(n):
    with pytest.raises(DataError, match=r"The longest segment without a gap .* a window takes 128\. Open a longer"):
        trained(recording(n), window=128)


def test_a_series_of_a_few_samples_says_that_more_are_needed():
    with pytest.raises(DataError, match="Only 8 time stamps can be used for training, but at least 20 are needed"):
        trained(recording(9))


def test_a_short_series_without_a_set_window_gets_short_windows_and_says_so():
    done = trained(recording(120), window=0)
    assert_sane(done, recording(120))
    assert said(done, "samples instead of 128, because there are few training rows")


@pytest.mark.parametrize("method", METHODS)
def test_one_channel_is_enough(method):
    table = recording(channels=1)
    done = trained(table, method)
    assert_sane(done, table)
    assert finds_the_end(done)


def test_constant_channels_alone_are_refused_and_beside_others_ignored():
    table = recording()
    with pytest.raises(DataError, match=r"All 3 channels are constant or empty in the .* training rows"):
        trained(table.assign(c0=1.0, c1=0.0, c2=-5.5))
    done = trained(table.assign(c1=0.0, c2=-5.5))
    assert_sane(done, table)
    assert finds_the_end(done)
    assert said(done, "Constant in the training rows, so a change there is an alarm: c1, c2")


@pytest.mark.parametrize("method", METHODS)
def test_a_channel_of_which_nine_in_ten_cells_are_missing_does_not_hurt_the_others(method):
    table = recording(channels=4)
    table["c3"] = table["c3"].mask(np.random.default_rng(1).random(600) < 0.9)
    done = trained(table, method)
    assert_sane(done, table)
    assert done.scores["score"].notna().all()
    assert finds_the_end(done)


def test_where_nine_in_ten_of_all_cells_are_missing_long_windows_bridge_them_and_short_ones_say_that_they_can_not():
    table, rng = recording(n=2000), np.random.default_rng(1)
    table[["c0", "c1", "c2"]] = table[["c0", "c1", "c2"]].mask(rng.random((2000, 3)) < 0.9)
    with pytest.raises(
        DataError,
        match=r"No window of 16 samples can be cut .* Open a longer recording, or one with fewer missing values",
    ):
        trained(table)

    done = trained(table, window=128)
    assert_sane(done, table)
    assert done.scores["score"].notna().mean() > 0.9


@pytest.mark.parametrize("how", ["all backward", "shuffled", "one step back"])
def test_time_that_goes_backward_is_put_in_order_and_said(how):
    table = recording()
    turned = {
        "all backward": table.iloc[::-1],
        "shuffled": table.sample(frac=1, random_state=0),
        "one step back": table.iloc[[*range(300), *range(320, 340), *range(300, 320), *range(340, 600)]],
    }[how].reset_index(drop=True)
    straight, done = trained(table), trained(turned)

    assert_sane(done, turned)
    assert said(done, "backward, first in row")
    order = turned["time"].argsort().to_numpy()
    np.testing.assert_allclose(done.scores["score"].to_numpy()[order], straight.scores["score"], rtol=1e-6)


def test_two_recordings_of_different_length_are_scored_each_by_itself_and_one_too_short_gets_notes():
    long, middle, short = recording(600), recording(130, seed=1), recording(10, seed=2)
    table = pd.concat([long.assign(pump="a"), middle.assign(pump="b"), short.assign(pump="c")], ignore_index=True)
    done = trained(table, entity="pump")
    assert_sane(done, table)
    missing = done.scores["score"].isna().groupby(table["pump"]).mean()
    assert missing.to_dict() == {"a": 0.0, "b": 0.0, "c": 1.0}
    assert done.scores["note"].iloc[-1] == "Its segment without a gap has 10 samples, fewer than the 16 of a window."


def test_a_text_column_is_left_out_with_a_reason_and_two_states_become_a_channel():
    table = recording().assign(comment=[f"note {i}" for i in range(600)], mode=["on", "off"] * 300)
    done = trained(table)
    assert_sane(done, table)
    assert done.item_set.shape.parts.names == ("c0", "c1", "c2", "mode")
    comment = pipeline.open_dataset(table, modality="sensor").schema.columns[4]
    assert comment.reason.startswith("It is text with 600 different values")
    with pytest.raises(DataError, match="No column can be used as a channel"):
        trained(table[["time", "comment"]])


def test_a_date_centuries_away_is_a_gap():
    """So many years do not fit in nanoseconds, in which such dates are often held."""
    data = recording(300)
    data["time"] = data["time"].astype("datetime64[ns]")
    data.loc[299, "time"] = pd.Timestamp("2262-04-01")
    data.loc[0, "time"] = pd.Timestamp("1677-10-01")

    dataset = pipeline.open_dataset(data, time="time")

    assert any("2 gaps" in notice for notice in dataset.notices)


def test_infinite_readings_are_no_counter_and_are_told():
    data = recording(300).drop(columns="time")
    data.loc[7:9, "c1"] = np.inf

    dataset = pipeline.open_dataset(data, modality="sensor")

    assert any("'c1': 3 infinite values count as missing" in notice for notice in dataset.notices)
